"""The hosted Checkout page: plain forms, no scripts, English and French."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request

from .cards import read_card
from .checkout import answer_challenge, expire_when_due, pay, success_address
from .currencies import amount_text
from .texts import TEXTS

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from .errors import Json
    from .simulator import Simulator

bp = Blueprint("pages", __name__)


@bp.get("/c/pay/<session_id>")
def checkout_form(session_id: str) -> ResponseReturnValue:
    """Where a donor types the card."""
    session = _session(session_id)
    if session is None or session["status"] != "open":
        return _closed(session)
    return _form(session)


@bp.post("/c/pay/<session_id>")
def checkout_submit(session_id: str) -> ResponseReturnValue:
    """Pay; a session that is already paid leads on without a second charge."""
    sim = _sim()
    session = _session(session_id)
    if session is None or session["status"] == "expired":
        return _closed(session)
    if session["status"] == "complete":
        return redirect(success_address(session), code=303)
    card, wrong = read_card(request.form)
    if card is None:
        return _form(session, wrong=wrong), 422
    email, name = request.form["email"].strip(), request.form["billingName"].strip()
    with sim.work() as work:
        session = expire_when_due(sim, work, session_id) or session
        error = None
        if session["status"] == "open":
            error = pay(sim, work, session, card=card, email=email, name=name)
    if error:
        return _form(session, refusal=_refusal(error, session)), 402
    return _onward(session)


@bp.get("/c/pay/<session_id>/challenge")
def challenge_form(session_id: str) -> ResponseReturnValue:
    """Where the bank asks whether it is really the cardholder."""
    session = _session(session_id)
    if session is None or session["status"] != "open":
        return _closed(session)
    intent = _sim().store.find(session["payment_intent"] or "")
    if intent is None or intent["status"] != "requires_action":
        return redirect(f"/c/pay/{session_id}", code=303)
    return _page("challenge.html", session)


@bp.post("/c/pay/<session_id>/challenge")
def challenge_submit(session_id: str) -> ResponseReturnValue:
    """The donor's answer to the bank: `outcome` is `complete` or `fail`."""
    sim = _sim()
    with sim.work() as work:
        session = expire_when_due(sim, work, session_id)
        error = None
        intent = work.find(session["payment_intent"] or "") if session else None
        waits = intent is not None and intent["status"] == "requires_action"
        if session and session["status"] == "open" and waits:
            passed = request.form.get("outcome") == "complete"
            error = answer_challenge(sim, work, session, passed=passed)
    if session is None:
        return _closed(session)
    if error:
        return _form(session, refusal=_refusal(error, session)), 402
    if session["status"] == "open" and not waits:
        return redirect(f"/c/pay/{session_id}", code=303)
    return _onward(session)


def _onward(session: Json) -> ResponseReturnValue:
    """To the site when paid, to the bank's question when it asks, nowhere when too late."""
    if session["status"] == "expired":
        return _closed(session)
    if session["status"] == "open":
        return redirect(f"/c/pay/{session['id']}/challenge", code=303)
    return redirect(success_address(session), code=303)


def content_policy(*addresses: str) -> str:
    """Own styles only; forms may lead to these addresses as well."""
    origins = {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in addresses if url}
    targets = " ".join(["'self'", *sorted(origins)])
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {targets}"
    )


def _form(session: Json, *, wrong: dict[str, str] | None = None, refusal: str = "") -> Response:
    typed = {
        "email": request.form.get("email", session["customer_email"] or ""),
        "billingName": request.form.get("billingName", ""),
        "cardExpiry": request.form.get("cardExpiry", ""),
    }
    return _page("checkout.html", session, wrong=wrong or {}, refusal=refusal, typed=typed)


def _closed(session: Json | None) -> ResponseReturnValue:
    if session is None:
        return _page("closed.html", None, state="unknown"), 404
    status = 410 if session["status"] == "expired" else 200
    return _page("closed.html", session, state=session["status"]), status


def _page(template: str, session: Json | None, **context: object) -> Response:
    language = _language(session)
    text = TEXTS[language]
    onward = success_address(session) if session else ""
    back = (session["cancel_url"] if session else "") or _sim().options.site_url
    french = language == "fr"
    amount = ""
    if session:
        amount = amount_text(session["amount_total"], session["currency"], french=french)
    body = render_template(
        template,
        t=text,
        lang=session["locale"] if session and session["locale"] == "fr-CA" else language,
        session=session,
        amount=amount,
        back=back,
        onward=onward,
        line_amount=lambda line: amount_text(line["amount_total"], line["currency"], french=french),
        **context,
    )
    response = current_app.make_response(body)
    response.headers["Content-Security-Policy"] = content_policy(onward, back)
    response.headers["Content-Language"] = language
    return response


def _refusal(error: Json, session: Json) -> str:
    code = str(error.get("decline_code") or error["code"])
    words = TEXTS[_language(session)]
    return words.get(f"refused_{code}", words["refused"])


def _language(session: Json | None) -> str:
    wanted = (session or {}).get("locale") or "auto"
    if wanted == "auto":
        best = request.accept_languages.best_match(["en", "en-CA", "fr", "fr-CA"]) or "en"
        return best[:2]
    return "fr" if wanted.startswith("fr") else "en"


def _session(session_id: str) -> Json | None:
    sim = _sim()
    with sim.work() as work:
        return expire_when_due(sim, work, session_id)


def _sim() -> Simulator:
    simulator: Simulator = current_app.extensions["simulator"]
    return simulator
