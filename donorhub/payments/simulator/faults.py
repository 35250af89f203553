"""How the simulator misbehaves when it is told to."""

from __future__ import annotations

import json
import random
import re
import time
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from .errors import ApiError, bad_parameter, unknown_parameter

if TYPE_CHECKING:
    from .errors import Json

_NUMBER_OR_FLAG = re.compile(r"\d+(\.\d+)?|true|false")
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Faults in force. Rates run from 0 (never) to 1 (always); `true` is 1 and `false` is 0."""

    latency_ms: int = 0
    error_rate: float = 0
    duplicate_webhooks: float = 0
    shuffle_webhooks: bool = False
    drop_webhooks: float = 0
    hold_webhooks: bool = False
    rate_limit_rate: float = 0
    rate_limit_should_retry: bool = False
    lose_answers: float = 0
    down: bool = False
    stale_timestamp: float = 0
    future_timestamp: float = 0
    wrong_secret: float = 0
    foreign_livemode: float = 0
    fee_delay_ms: int = 1000

    def changed(self, wishes: Json) -> Behaviour:
        """The same behaviour with these fields set; raises ApiError for what it does not know."""
        kinds = {field.name: field.type for field in fields(self)}
        values: dict[str, Any] = {}
        for name, wish in wishes.items():
            if name not in kinds:
                raise unknown_parameter(name=name)
            values[name] = _read(name, str(kinds[name]), wish)
        return replace(self, **values)

    def as_json(self) -> Json:
        """Every field by name."""
        return asdict(self)


def happens(rate: float) -> bool:
    """Throw the dice: true with this probability."""
    return rate > 0 and (rate >= 1 or _chance.random() < rate)


def copies(count: float) -> int:
    """How many extra copies an event gets: the whole part surely, the rest by chance."""
    return int(count) + int(happens(count - int(count)))


def spread_ms(behaviour: Behaviour) -> int:
    """How long a delivery is put off so that its neighbours overtake it."""
    return _chance.randrange(400) if behaviour.shuffle_webhooks else 0


def misbehave(behaviour: Behaviour) -> None:
    """Refuse the call before anything has happened, when that is the behaviour."""
    if behaviour.down:
        raise ApiError(503, "The simulator was told to be down.", kind="api_error")
    if happens(behaviour.rate_limit_rate):
        again = "true" if behaviour.rate_limit_should_retry else "false"
        raise ApiError(
            429,
            "Request rate limit exceeded.",
            code="rate_limit",
            headers={"Stripe-Should-Retry": again},
        )
    if happens(behaviour.error_rate):
        raise ApiError(500, "The simulator was told to fail.", kind="api_error")


def linger(behaviour: Behaviour) -> None:
    """Be slow, holding nothing."""
    if behaviour.latency_ms:
        time.sleep(behaviour.latency_ms / 1000)


def _read(name: str, kind: str, wish: object) -> object:
    value = wish
    if isinstance(wish, str) and _NUMBER_OR_FLAG.fullmatch(wish.lower()):
        value = json.loads(wish.lower())
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, int | float) or value < 0:
        raise bad_parameter(name=name, message=f"{name} takes a number or true or false")
    if kind == "bool":
        return bool(value)
    if kind == "int":
        return int(value)
    if value > 1 and name != "duplicate_webhooks":
        raise bad_parameter(name=name, message=f"{name} is a rate from 0 to 1")
    return value
