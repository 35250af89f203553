"""Stripe's endpoints, as far as DonorHub calls them: what each takes and what it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .checkout import create_session, expire_session, expire_when_due
from .disputes import answer_dispute, close_dispute
from .errors import no_such
from .events import KEPT_SECONDS
from .listing import CREATED, PAGED, page_of
from .params import Flag, Many, Nested, Pairs, Text, Whole
from .refunds import create_refund

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .errors import Json
    from .simulator import Simulator
    from .store import Work

_EXPAND = {"expand": Many(Text())}
_INTENT_DATA = {
    "description": Text(longest=1000),
    "metadata": Pairs(),
    "receipt_email": Text(longest=512),
    "statement_descriptor": Text(longest=22),
    "statement_descriptor_suffix": Text(longest=22),
    "transfer_group": Text(),
}
_LINE = {
    "quantity": Whole(),
    "metadata": Pairs(),
    "price_data": Nested(
        {
            "currency": Text(longest=3, required=True),
            "unit_amount": Whole(required=True),
            "product_data": Nested(
                {
                    "name": Text(required=True),
                    "description": Text(),
                    "images": Many(Text(), most=8),
                    "metadata": Pairs(),
                }
            ),
        }
    ),
}
_CREATE_SESSION = {
    "mode": Text(one_of=("payment", "setup", "subscription"), required=True),
    "ui_mode": Text(one_of=("elements", "embedded_page", "hosted_page")),
    "submit_type": Text(one_of=("auto", "book", "donate", "pay", "subscribe")),
    "line_items": Many(_LINE),
    "success_url": Text(),
    "cancel_url": Text(),
    "client_reference_id": Text(longest=200),
    "customer_creation": Text(one_of=("always", "if_required")),
    "customer_email": Text(longest=800),
    "locale": Text(longest=10),
    "expires_at": Whole(),
    "metadata": Pairs(),
    "payment_intent_data": _INTENT_DATA,
    "custom_text": {"submit": {"message": Text(longest=1200, required=True)}},
    "adaptive_pricing": {"enabled": Flag()},
    "allowed_payment_method_types": Many(Text()),
    "billing_address_collection": Text(one_of=("auto", "required")),
    "integration_identifier": Text(longest=200),
    **_EXPAND,
}
_REFUND = {
    "charge": Text(),
    "payment_intent": Text(),
    "amount": Whole(),
    "reason": Text(one_of=("duplicate", "fraudulent", "requested_by_customer")),
    "metadata": Pairs(),
    **_EXPAND,
}


@dataclass(slots=True, kw_only=True)
class Call:
    """One call to the API; `work` is there when the endpoint changes something."""

    sim: Simulator
    params: Json
    object_id: str
    arrived: int
    work: Work | None = None

    def writing(self) -> Work:
        """The piece of work of a call that changes something."""
        if self.work is None:
            message = "this endpoint was registered as one that only reads"
            raise RuntimeError(message)
        return self.work

    def one(self, kind: str) -> Json:
        """The object that the address names."""
        find = self.work.find if self.work else self.sim.store.find
        obj = find(self.object_id)
        if obj is None or obj.get("object") != kind:
            raise no_such(kind=kind, object_id=self.object_id)
        return obj


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method on one address."""

    path: str
    act: Callable[[Call], Json]
    method: str = "GET"
    takes: Mapping[str, Any] = field(default_factory=lambda: _EXPAND)


def _create_session(call: Call) -> Json:
    return create_session(call.sim, call.writing(), call.params, arrived=call.arrived)


def _session(call: Call) -> Json:
    session = call.one("checkout.session")
    if session["status"] == "open" and session["_due"] <= call.sim.clock.now():
        with call.sim.work() as work:
            session = expire_when_due(call.sim, work, call.object_id) or session
    return session


def _expire_session(call: Call) -> Json:
    session = call.one("checkout.session")
    expire_session(call.sim, call.writing(), session)
    return session


def _line_items(call: Call) -> Json:
    session = call.one("checkout.session")
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": session["_lines"], "has_more": False, "url": url}


def _create_refund(call: Call) -> Json:
    return create_refund(call.sim, call.writing(), call.params)


def _answer_dispute(call: Call) -> Json:
    return answer_dispute(call.sim, call.writing(), call.one("dispute"), call.params)


def _close_dispute(call: Call) -> Json:
    return close_dispute(call.sim, call.writing(), call.one("dispute"), status="lost")


def _event(call: Call) -> Json:
    event = call.one("event")
    if event["created"] < call.sim.clock.now() - KEPT_SECONDS:
        raise no_such(kind="event", object_id=call.object_id)
    return event


def _events(call: Call) -> Json:
    oldest = call.sim.clock.now() - KEPT_SECONDS
    created = call.params.setdefault("created", {})
    created["gte"] = max(created.get("gte", oldest), oldest)
    return page_of(call.sim, "event", call.params, url="/v1/events")


def _balance(call: Call) -> Json:
    call.sim.store.flush()
    sums: dict[int, list[Json]] = {0: [], 1: []}
    for currency, is_available, net in call.sim.store.archive.totals(call.sim.clock.now()):
        sums[is_available].append(
            {"amount": net, "currency": currency, "source_types": {"card": net}}
        )
    return {"object": "balance", "available": sums[1], "livemode": False, "pending": sums[0]}


def _read(kind: str) -> Callable[[Call], Json]:
    return lambda call: call.one(kind)


def _list(kind: str, url: str) -> Callable[[Call], Json]:
    return lambda call: page_of(call.sim, kind, call.params, url=url)


def _listed(path: str, kind: str, **filters: object) -> Endpoint:
    takes = {**PAGED, **CREATED, **filters}
    return Endpoint(path=path, act=_list(kind, f"/v1{path}"), takes=takes)


_SESSIONS = "/checkout/sessions"
_ONE_SESSION = f"{_SESSIONS}/<object_id>"
_ANSWER = {"evidence": Pairs(), "submit": Flag(), "metadata": Pairs(), **_EXPAND}
_LIST_EVENTS = {
    **PAGED,
    **CREATED,
    "type": Text(),
    "types": Many(Text(), most=20),
    "delivery_success": Flag(),
}

ENDPOINTS = (
    Endpoint(path=_SESSIONS, method="POST", act=_create_session, takes=_CREATE_SESSION),
    _listed(_SESSIONS, "checkout.session", payment_intent=Text(), status=Text()),
    Endpoint(path=_ONE_SESSION, act=_session),
    Endpoint(path=f"{_ONE_SESSION}/expire", method="POST", act=_expire_session),
    Endpoint(path=f"{_ONE_SESSION}/line_items", act=_line_items, takes=PAGED),
    _listed("/payment_intents", "payment_intent"),
    Endpoint(path="/payment_intents/<object_id>", act=_read("payment_intent")),
    _listed("/charges", "charge", payment_intent=Text()),
    Endpoint(path="/charges/<object_id>", act=_read("charge")),
    _listed(
        "/balance_transactions",
        "balance_transaction",
        type=Text(),
        source=Text(),
        currency=Text(longest=3),
    ),
    Endpoint(path="/balance_transactions/<object_id>", act=_read("balance_transaction")),
    Endpoint(path="/refunds", method="POST", act=_create_refund, takes=_REFUND),
    _listed("/refunds", "refund", charge=Text(), payment_intent=Text()),
    Endpoint(path="/refunds/<object_id>", act=_read("refund")),
    _listed("/disputes", "dispute", charge=Text(), payment_intent=Text()),
    Endpoint(path="/disputes/<object_id>", act=_read("dispute")),
    Endpoint(path="/disputes/<object_id>", method="POST", act=_answer_dispute, takes=_ANSWER),
    Endpoint(path="/disputes/<object_id>/close", method="POST", act=_close_dispute),
    Endpoint(path="/events", act=_events, takes=_LIST_EVENTS),
    Endpoint(path="/events/<object_id>", act=_event),
    Endpoint(path="/balance", act=_balance),
)
