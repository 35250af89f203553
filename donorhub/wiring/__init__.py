"""The one place that sees all: blueprints, commands, and who listens to which event."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from donorhub.kit import (
    Settings,
    assets,
    babel,
    cli,
    db,
    events,
    limits,
    logs,
    pagecache,
    present,
    web,
)
from donorhub.wiring import parts, routes

ROOT = Path(__file__).parent.parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application; raises SettingsError or UnguardedRoute naming all that is wrong."""
    settings = settings or Settings.from_env(os.environ)
    logs.configure(production=settings.is_production)
    app = Flask(
        "donorhub",
        root_path=str(ROOT / "donorhub"),
        template_folder=str(ROOT / "templates"),
        static_folder=None,
    )
    app.extensions["settings"] = settings
    db.init_app(app, settings.database_url, pool_size=settings.database_pool)
    babel.init_app(app, settings)
    present.init_app(app)
    pagecache.init_app(app, parts.fingerprint)  # before web: it keeps finished answers, headers on
    web.init_app(app, settings)
    limits.init_app(app)
    parts.init_app(app, settings)
    events.init_app(app, settings.database_url, parts.SUBSCRIBERS)
    cli.init_app(app)
    assets.init_app(app, ROOT / "static")
    routes.check(app)
    return app
