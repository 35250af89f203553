"""Rate limits by name. Counting comes with its storage; see ``init_app``."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def limited(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a view as one whose use is limited under a name."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        view.limit_name = name  # type: ignore[attr-defined]
        return view

    return mark
