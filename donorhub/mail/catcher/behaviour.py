"""How a mail server can misbehave: what the catcher rehearses on demand."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

MOST_MILLISECONDS = 120_000
MOST_MESSAGES = 1_000_000
PER_MILLE = 1000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The faults in force. Counts are used up, one by each message they strike."""

    down: bool = field(default=False, metadata={"says": "Answer 421 and hang up"})
    refuse_per_mille: int = field(default=0, metadata={"says": "Of 1,000 messages, answer 451"})
    tempfail: int = field(default=0, metadata={"says": "Messages to answer 451 after DATA"})
    reject: int = field(default=0, metadata={"says": "Recipients to answer 550"})
    drop_after_data: int = field(default=0, metadata={"says": "Keep, then hang up unanswered"})
    drop_before_store: int = field(default=0, metadata={"says": "Hang up without keeping"})
    latency_ms: int = field(default=0, metadata={"says": "Milliseconds before the last answer"})


class BadBehaviour(ValueError):
    """A behaviour was asked for that the catcher does not know."""


class Conduct:
    """The present behaviour, shared by the SMTP side and the web side."""

    def __init__(self) -> None:
        self._now = Behaviour()
        self._lock = threading.Lock()

    @property
    def now(self) -> Behaviour:
        """The faults in force at this moment."""
        return self._now

    def change(self, wishes: Mapping[str, object]) -> Behaviour:
        """Set the named faults, leave the others; raise BadBehaviour and change nothing."""
        values = _read(wishes)
        with self._lock:
            self._now = replace(self._now, **values)  # type: ignore[arg-type]
            return self._now

    def take(self, name: str) -> bool:
        """Use up one of a counted fault; tell whether there was one."""
        with self._lock:
            left = int(getattr(self._now, name))
            if left > 0:
                self._now = replace(self._now, **{name: left - 1})  # type: ignore[arg-type]
            return left > 0

    def refuses(self) -> bool:
        """Draw whether this message is one of the refused share."""
        return secrets.randbelow(PER_MILLE) < self._now.refuse_per_mille

    def as_json(self) -> dict[str, object]:
        """Return the faults in force under the names that ``POST /behaviour`` takes."""
        values = asdict(self._now)
        values["refuse_rate"] = values.pop("refuse_per_mille") / PER_MILLE
        return values


def _read(wishes: Mapping[str, object]) -> dict[str, object]:
    wishes = dict(wishes)
    if "refuse_rate" in wishes:
        wishes["refuse_per_mille"] = _per_mille(wishes.pop("refuse_rate"))
    known = {one.name for one in fields(Behaviour)}
    if unknown := sorted(set(wishes) - known):
        message = f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}, refuse_rate"
        raise BadBehaviour(message)
    for name, value in wishes.items():
        _check(name, value)
    return wishes


def _check(name: str, value: object) -> None:
    if name == "down":
        fits = isinstance(value, bool)
        wanted = "true or false"
    else:
        most = {"refuse_per_mille": PER_MILLE, "latency_ms": MOST_MILLISECONDS}
        highest = most.get(name, MOST_MESSAGES)
        fits = type(value) is int and 0 <= value <= highest
        wanted = f"a whole number from 0 to {highest}"
    if not fits:
        message = f"{name} takes {wanted}"
        raise BadBehaviour(message)


def _per_mille(rate: object) -> int:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        message = "refuse_rate takes a number from 0 to 1"
        raise BadBehaviour(message)
    return round(rate * PER_MILLE)
