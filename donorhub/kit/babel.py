"""The languages of the site: Flask-Babel with our own choice of locale."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_babel import Babel

from donorhub.kit import locales
from donorhub.kit.settings import Settings

CATALOGUES = Path(__file__).parent.parent / "translations"


def init_app(app: Flask, settings: Settings) -> None:
    """Let every string, date and amount be written in the reader's language."""
    Babel(
        app,
        default_locale=settings.default_locale,
        default_timezone=settings.timezone,
        default_translation_directories=str(CATALOGUES),
        locale_selector=lambda: locales.select_locale(settings.default_locale),
    )
