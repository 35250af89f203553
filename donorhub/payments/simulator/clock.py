"""The simulator's own time: the machine's, plus whatever it was told to skip."""

from __future__ import annotations

import re
import time

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"\s*(\d+)\s*([smhd])\s*")


class SimClock:
    """Seconds since 1970 in simulated time; only ever moved forward, or reset."""

    def __init__(self, *, offset: int = 0) -> None:
        self.offset = offset

    def now(self) -> int:
        """Whole seconds, as Stripe writes its times."""
        return int(time.time()) + self.offset

    def now_ms(self) -> int:
        """Milliseconds, for what happens within a second."""
        return time.time_ns() // 1_000_000 + self.offset * 1000


def seconds_in(span: str) -> int:
    """Read `90s`, `30m`, `1d12h`; raises ValueError for anything else."""
    parts = _SPAN.findall(span)
    if not parts or _SPAN.sub("", span):
        message = f"{span!r} is not a span like 31d, 36h, 30m or 90s"
        raise ValueError(message)
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in parts)
