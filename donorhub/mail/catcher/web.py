"""The pages of the catcher: every letter as text and as HTML, and faults on demand."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Flask, abort, current_app, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from donorhub.mail.catcher.behaviour import BadBehaviour, Behaviour, Conduct
from donorhub.mail.catcher.reading import as_json, read
from donorhub.mail.catcher.store import Caught, Store

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
LETTER_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
LOOPBACK = ("127.0.0.1", "localhost")

pages = Blueprint("catcher", __name__)


def create_app(store: Store, conduct: Conduct, *, host: str = "127.0.0.1") -> Flask:
    """Build the catcher's own small site; on loopback it answers to local names only."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024)
    if host in LOOPBACK:
        app.config["TRUSTED_HOSTS"] = list(LOOPBACK)
    app.extensions["caught"] = store
    app.extensions["conduct"] = conduct
    app.register_blueprint(pages)
    app.after_request(_protect)
    return app


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _store() -> Store:
    store: Store = current_app.extensions["caught"]
    return store


def _conduct() -> Conduct:
    conduct: Conduct = current_app.extensions["conduct"]
    return conduct


def _found(number: int) -> Caught:
    return _store().message(number) or abort(404)


@pages.get("/")
def message_list() -> str:
    """List what came, newest first."""
    listed = [(one, read(one.raw)) for one in _store().messages()]
    says = [(one.name, one.metadata["says"]) for one in fields(Behaviour)]
    return render_template("list.html", listed=listed, now=_conduct().now, says=says)


@pages.get("/messages/<int:number>")
def message_page(number: int) -> str:
    """Show one letter: headers, text, HTML."""
    caught = _found(number)
    return render_template("message.html", caught=caught, reading=read(caught.raw))


@pages.get("/messages/<int:number>/html")
def message_html(number: int) -> ResponseReturnValue:
    """Serve the HTML part alone: no scripts, no forms, nothing from elsewhere."""
    html = read(_found(number).raw).html
    return html, {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": LETTER_POLICY,
    }


@pages.get("/messages.json")
def message_json() -> ResponseReturnValue:
    """List every letter for scripts; ``?to=address`` narrows to one recipient."""
    return jsonify([as_json(one) for one in _store().messages(to=request.args.get("to", ""))])


@pages.get("/behaviour")
def behaviour_json() -> ResponseReturnValue:
    """Tell which faults are in force."""
    return jsonify(_conduct().as_json())


@pages.post("/behaviour")
def behaviour_submit() -> ResponseReturnValue:
    """Rehearse faults: JSON with any of the names that GET shows."""
    wishes = request.get_json(silent=True)
    if not isinstance(wishes, dict):
        return jsonify(error="send a JSON object"), 422
    try:
        _conduct().change(wishes)
    except BadBehaviour as refusal:
        return jsonify(error=str(refusal)), 422
    return jsonify(_conduct().as_json())


@pages.post("/clear")
def clear_submit() -> ResponseReturnValue:
    """Throw every letter away."""
    _store().clear()
    return redirect("/", code=303)
