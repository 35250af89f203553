"""The simulator as a Flask application."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING

from flask import Flask, jsonify

from . import api, control, overview, pages
from .errors import ApiError
from .options import Options
from .parent import follow_parent
from .simulator import Simulator

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue


def create_app(options: Options) -> Flask:
    """A simulator with its own state; start the one in `app.extensions` to set it going."""
    app = Flask(__name__, static_folder="static", static_url_path="/assets")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["simulator"] = Simulator(options)
    app.register_blueprint(api.bp)
    app.register_blueprint(control.bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(overview.bp)
    app.register_error_handler(ApiError, _refused)
    app.after_request(_protect)
    return app


def serve() -> Flask:
    """What the web server calls: options from the environment, everything started."""
    app = create_app(Options.from_env(os.environ))
    simulator: Simulator = app.extensions["simulator"]
    simulator.start()
    atexit.register(simulator.close)
    follow_parent(simulator)
    return app


def _refused(error: ApiError) -> ResponseReturnValue:
    return jsonify(error.envelope()), error.status


def _protect(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", pages.content_policy())
    return response
