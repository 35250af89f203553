"""Reserving, confirming and releasing as the tests of match do it: one unit of work each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from donorhub import matching
from donorhub.kit import Money, db, session, unit_of_work
from donorhub.matching.queries import invariants


def cad(minor: int) -> Money:
    return Money(minor, "CAD")


def reserve(gift: int, minor: int, campaign: int, *, sender="s", donor=None) -> matching.Grant:
    with unit_of_work():
        return matching.reserve(
            gift, campaign_id=campaign, gift=cad(minor), sender=sender, donor=donor or f"d{gift}"
        )


def granted(gift: int, minor: int, campaign: int, **who: str) -> int:
    return reserve(gift, minor, campaign, **who).granted.minor


def confirm(gift: int, minor: int, campaign: int, *, sender="s", donor=None) -> int:
    with unit_of_work():
        return matching.confirm(
            gift, campaign_id=campaign, gift=cad(minor), sender=sender, donor=donor or f"d{gift}"
        ).minor


def release(gift: int, reason: str = "test") -> int:
    with unit_of_work():
        return matching.release(gift, reason=reason)


def keep_at_most(gift: int, most: int) -> int:
    with unit_of_work():
        return matching.keep_at_most(gift, cad(most), reason="test").minor


def pools() -> tuple[int, int, int]:
    """Return cap, reserved and confirmed of all slots together."""
    session.rollback()
    row = db.one(
        "SELECT sum(cap_minor)::bigint, sum(reserved_minor)::bigint, sum(confirmed_minor)::bigint "
        "FROM match_pools"
    )
    return row[0], row[1], row[2]


def broken() -> list[str]:
    """Return what breaks the promises about match (gifts have no rows here)."""
    found = [f"{i.code} {i.promise}: {row}" for i in invariants() for row in i.find()]
    session.rollback()
    return found


def at_once(app: Any, acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of this at the same moment, each on a connection of its own; return the answers."""
    start = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def do(place: int, act: Callable[[], Any]) -> None:
        with app.app_context():
            start.wait()
            try:
                answers[place] = act()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                answers[place] = error

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
