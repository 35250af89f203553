"""Replace ids in an answer by the objects they name, as `expand[]` asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ApiError
from .events import public

if TYPE_CHECKING:
    from collections.abc import Callable

    from .errors import Json

_DEEPEST = 4
_EXPANDABLE = frozenset(
    [
        "balance_transaction",
        "charge",
        "failure_balance_transaction",
        "latest_charge",
        "payment_intent",
        "source",
    ]
)


def expanded(obj: Json, paths: list[str], find: Callable[[str], Json | None]) -> Json:
    """The object with every path followed; raises ApiError for one that leads nowhere."""
    for path in paths:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > _DEEPEST:
            message = f"You cannot expand more than {_DEEPEST} levels of a property: {path}"
            raise ApiError(400, message, param="expand")
        _follow(obj, steps, path, find)
    return obj


def _follow(node: Any, steps: list[str], path: str, find: Callable[[str], Json | None]) -> None:
    if isinstance(node, list):
        for member in node:
            _follow(member, steps, path, find)
        return
    step, rest = steps[0], steps[1:]
    if not isinstance(node, dict) or (step not in node and step != "line_items"):
        raise _unexpandable(path)
    if step == "line_items" and node.get("object") == "checkout.session":
        own = find(node["id"]) or {"_lines": []}
        address = f"/v1/checkout/sessions/{node['id']}/line_items"
        node[step] = {"object": "list", "data": own["_lines"], "has_more": False, "url": address}
    value = node[step]
    if isinstance(value, str):
        found = find(value) if step in _EXPANDABLE else None
        if found is None:
            raise _unexpandable(path)
        node[step] = value = public(found)
    if rest and value is not None:
        _follow(value, rest, path, find)


def _unexpandable(path: str) -> ApiError:
    return ApiError(
        400,
        f"This property cannot be expanded ({path}).",
        code="property_cannot_be_expanded",
        param="expand",
    )
