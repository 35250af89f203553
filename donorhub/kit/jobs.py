"""Jobs of the ground floor."""

from __future__ import annotations

from donorhub.kit.events import job
from donorhub.kit.limits import limiter


@job("kit.forget_limits", every="17 * * * *")
def forget_limits() -> None:
    """Forget counts of rate limits whose window is over."""
    limiter.reset()
