"""What happened, as Stripe tells it: Event objects, each planned for delivery when recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .objects import API_VERSION, new_id

if TYPE_CHECKING:
    from .errors import Json
    from .simulator import Simulator
    from .store import Work

KEPT_SECONDS = 30 * 86400


def record(
    sim: Simulator, work: Work, event_type: str, obj: Json, *, previous: Json | None = None
) -> Json:
    """Note that something happened to the object; `previous` holds the values it had before."""
    data: Json = {"object": public(obj)}
    if previous is not None:
        data["previous_attributes"] = previous
    wanted = sim.options.wants(event_type)
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": sim.clock.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": int(wanted),
        "request": work.request,
        "type": event_type,
    }
    work.put("event", event, type=event_type, source=obj.get("id", ""))
    if wanted:
        sim.outbox.plan(work, event["id"])
    return event


def public(obj: Json) -> Json:
    """The object without the simulator's own keys."""
    return {key: value for key, value in obj.items() if not key.startswith("_")}
