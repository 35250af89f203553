"""Jobs about gifts."""

from __future__ import annotations

import structlog

from donorhub.giving import service
from donorhub.kit import job

log = structlog.get_logger()


@job("giving.expire_holds", every="* * * * * */15")
def expire_holds() -> None:
    """Free match that was held for gifts nobody paid; no look-back window."""
    ended = service.expire_holds()
    if ended:
        log.info("holds.expired", count=ended)
