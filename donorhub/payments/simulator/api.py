"""The `/v1` surface: keys, faults, idempotency, errors and the shape of every answer."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request

from .endpoints import ENDPOINTS, Call, Endpoint
from .errors import ApiError, Json
from .events import public
from .expand import expanded
from .faults import happens, linger, misbehave
from .idempotency import fingerprint_of
from .objects import API_VERSION, new_id
from .params import decode, read_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from .simulator import Simulator
    from .store import Work

bp = Blueprint("api", __name__, url_prefix="/v1")


class Exchange:
    """One call and its answer on their way through the simulator."""

    def __init__(self, sim: Simulator, endpoint: Endpoint, object_id: str) -> None:
        self.sim = sim
        self.endpoint = endpoint
        self.object_id = object_id
        self.request_id = new_id("req", length=14)
        self.arrived = sim.clock.now()
        self.method = request.method
        self.path = request.path
        query = request.query_string.decode()
        self.encoded = request.get_data(as_text=True) if self.method == "POST" else query
        self.key = request.headers.get("Idempotency-Key") if self.method == "POST" else None
        self.fingerprint = fingerprint_of(self.path, self.encoded) if self.key else ""
        self.replayed = False

    def answer(self) -> Response:
        """What the caller gets; the call is noted in the log."""
        headers: dict[str, str] = {}
        try:
            status, body = self._answered()
            if happens(self.sim.behaviour.lose_answers):
                raise ApiError(500, "The simulator acted and lost the answer.", kind="api_error")  # noqa: TRY301
        except ApiError as error:
            status, body, headers = error.status, json.dumps(error.envelope()), error.headers
        self.sim.log.add(
            method=self.method,
            path=self.path,
            encoded=self.encoded,
            key=self.key,
            status=status,
            replayed=self.replayed,
            request_id=self.request_id,
        )
        response = Response(body, status=status, content_type="application/json")
        response.headers["Request-Id"] = self.request_id
        response.headers["Stripe-Version"] = API_VERSION
        if self.key:
            response.headers["Idempotency-Key"] = self.key
        if self.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        response.headers.update(headers)
        return response

    def _answered(self) -> tuple[int, str]:
        refuse_bad_key()
        misbehave(self.sim.behaviour)
        with ExitStack() as held:
            if self.key:
                held.enter_context(self.sim.idempotency.claimed(self.key))
                known = self.sim.idempotency.answer(
                    self.key, self.fingerprint, now_ms=self.sim.clock.now_ms()
                )
                if known:
                    linger(self.sim.behaviour)
                    self.replayed = True
                    return known
            params = read_shape(self.endpoint.takes, decode(self.encoded))
            linger(self.sim.behaviour)
            if self.method == "GET":
                return 200, self._read(params)
            return self._written(params)

    def _read(self, params: Json) -> str:
        call = Call(sim=self.sim, params=params, object_id=self.object_id, arrived=self.arrived)
        return self._rendered(self.endpoint.act(call), params, self.sim.store.find)

    def _written(self, params: Json) -> tuple[int, str]:
        cause = {"id": self.request_id, "idempotency_key": self.key}
        try:
            with self.sim.work(request=cause) as work:
                call = Call(
                    sim=self.sim,
                    params=params,
                    object_id=self.object_id,
                    arrived=self.arrived,
                    work=work,
                )
                body = self._rendered(self.endpoint.act(call), params, work.find)
                self._keep(work, 200, body)
        except ApiError as error:
            if self.key:
                with self.sim.work() as work:
                    self._keep(work, error.status, json.dumps(error.envelope()))
            raise
        return 200, body

    def _keep(self, work: Work, status: int, body: str) -> None:
        if self.key:
            self.sim.idempotency.keep(
                work,
                self.key,
                fingerprint=self.fingerprint,
                status=status,
                body=body,
                now_ms=self.sim.clock.now_ms(),
            )

    def _rendered(self, obj: Json, params: Json, find: Callable[[str], Json | None]) -> str:
        shown = _shown(obj)
        paths = params.get("expand", [])
        expanded(shown, paths, find)
        if self.method == "GET" or paths:
            _mature(shown, self.sim.clock.now())
        if shown["object"] == "list" and shown["url"] == "/v1/events":
            _count_pending(self.sim, shown["data"])
        elif shown["object"] == "event":
            _count_pending(self.sim, [shown])
        return json.dumps(shown, indent=2 if self.method == "GET" else None)


def refuse_bad_key() -> None:
    """Any test secret key will do; everything else is 401."""
    given = request.authorization
    key = ""
    if given is not None:
        key = given.token or given.username or ""
    if key.startswith(("sk_live_", "rk_live_", "pk_live_")):
        message = "The simulator takes no live keys."
        raise ApiError(401, message, code="livemode_mismatch")
    if not key.startswith(("sk_test_", "rk_test_")):
        message = "You did not provide an API key." if not key else "Invalid API Key provided."
        raise ApiError(401, message)


def _shown(obj: Json) -> Json:
    if obj.get("object") == "list":
        return {**obj, "data": [public(member) for member in obj["data"]]}
    return public(obj)


def _mature(node: object, now: int) -> None:
    """Money becomes available when its day has come."""
    if isinstance(node, list):
        for member in node:
            _mature(member, now)
    elif isinstance(node, dict):
        if node.get("object") == "balance_transaction":
            node["status"] = "available" if node["available_on"] <= now else "pending"
        for value in node.values():
            if isinstance(value, dict | list):
                _mature(value, now)


def _count_pending(sim: Simulator, events: list[Json]) -> None:
    """Tell how many deliveries of each event have not succeeded."""
    marks = ", ".join("?" * len(events))
    where = f"kind = 'delivery' AND source IN ({marks})"
    ids = tuple(event["id"] for event in events)
    unsent = {row.source for row in sim.store.select(where, ids, limit=1_000_000)}
    for event in events:
        event["pending_webhooks"] = int(event["id"] in unsent)


def _view(endpoint: Endpoint) -> Callable[..., Response]:
    def view(object_id: str = "") -> Response:
        sim: Simulator = current_app.extensions["simulator"]
        return Exchange(sim, endpoint, object_id).answer()

    return view


for _number, _endpoint in enumerate(ENDPOINTS):
    bp.add_url_rule(
        _endpoint.path,
        endpoint=f"call_{_number}",
        view_func=_view(_endpoint),
        methods=[_endpoint.method],
    )


@bp.route("/", defaults={"rest": ""}, methods=["GET", "POST", "DELETE"])
@bp.route("/<path:rest>", methods=["GET", "POST", "DELETE"])
def unknown_address(rest: str) -> Response:
    """Anything the simulator does not know, in Stripe's words."""
    message = f"Unrecognized request URL ({request.method}: /v1/{rest})."
    error = ApiError(404, message)
    return Response(json.dumps(error.envelope()), status=404, content_type="application/json")
