"""Lists: newest first, filtered, one page at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .errors import no_such
from .params import Many, Span, Text, Whole

if TYPE_CHECKING:
    from .archive import Row
    from .errors import Json
    from .simulator import Simulator

_PAGE = 10
_LONGEST_PAGE = 100
_BOUNDS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}

#: what every list takes
PAGED = {
    "limit": Whole(),
    "starting_after": Text(),
    "ending_before": Text(),
    "expand": Many(Text()),
}
CREATED = {"created": Span()}

_UNDELIVERED = "id IN (SELECT source FROM rows WHERE kind = 'delivery')"
_DELIVERED = _UNDELIVERED.replace("IN", "NOT IN", 1)

#: parameter -> column, for filters that compare for equality
_COLUMNS = {
    "charge": "source",
    "payment_intent": "parent",
    "source": "source",
    "status": "type",
    "type": "type",
}


def rows_of(sim: Simulator, kind: str, params: Json) -> tuple[list[Row], bool]:
    """One page of rows, newest first, and whether there are more in that direction."""
    limit = max(1, min(params.get("limit", _PAGE), _LONGEST_PAGE))
    filters = [("kind = ?", kind), *_filters(params)]
    backwards = "ending_before" in params
    for name, comparison in (("starting_after", "<"), ("ending_before", ">")):
        if name in params:
            filters.append((f"seq {comparison} ?", _seq(sim, kind, params[name], name)))
    where = [condition for condition, _value in filters]
    types = params.get("types", [])
    if types:
        where.append(f"type IN ({', '.join('?' * len(types))})")
    if "delivery_success" in params:
        where.append(_DELIVERED if params["delivery_success"] else _UNDELIVERED)
    condition = f"{' AND '.join(where)} ORDER BY seq {'ASC' if backwards else 'DESC'}"
    values = [value for _condition, value in filters] + types
    rows = sim.store.select(condition, tuple(values), limit=limit + 1)
    page = rows[:limit]
    return (page[::-1] if backwards else page), len(rows) > limit


def _filters(params: Json) -> list[tuple[str, object]]:
    filters: list[tuple[str, object]] = [
        (f"{column} = ?", params[name]) for name, column in _COLUMNS.items() if name in params
    ]
    if "currency" in params:
        filters.append(("json_extract(body, '$.currency') = ?", params["currency"].lower()))
    for bound, at in params.get("created", {}).items():
        filters.append((f"created {_BOUNDS[bound]} ?", at))
    return filters


def page_of(sim: Simulator, kind: str, params: Json, *, url: str) -> Json:
    """One page as Stripe's list object; the members still carry the simulator's own keys."""
    rows, has_more = rows_of(sim, kind, params)
    members = [json.loads(row.body) for row in rows]
    return {"object": "list", "data": members, "has_more": has_more, "url": url}


def _seq(sim: Simulator, kind: str, object_id: str, param: str) -> int:
    rows = sim.store.select("id = ? AND kind = ?", (object_id, kind), limit=1)
    if not rows:
        raise no_such(kind=kind, object_id=object_id, param=param, status=400)
    return rows[0].seq
