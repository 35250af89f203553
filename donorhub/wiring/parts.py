"""Who is built in, who listens to which event, and who may say no: the tables of the house."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, has_request_context, request

from donorhub import campaigns, giving, ledger, mail, matching, payments, site, stories
from donorhub.kit import Invariant, Settings, locales, web
from donorhub.wiring import commands

ROOT = Path(__file__).parent.parent.parent

SUBSCRIBERS: dict[type, tuple[str, ...]] = {
    giving.GiftReceived: (),
    giving.GiftRestored: (),
    giving.GiftReversed: (),
    stories.StoryPublished: (),
    stories.StoryWithdrawn: (),
}
BLUEPRINTS = (site.blueprint, stories.bp, giving.blueprint, payments.blueprint)
CSRF_EXEMPT = ("payments.stripe_webhook", "site.csp_report")


def init_app(app: Flask, settings: Settings) -> None:
    """Assemble the house."""
    app.extensions["gateway"] = payments.Gateway(settings)
    payments.register_verb("gift", giving.settle_gift)
    mail.init_app(
        app,
        settings,
        styles=ROOT / "static" / "css" / "letters.css",
        reply_to=site.charity(settings, settings.default_locale).email,
    )
    mail.register_template(app, giving.letters.GIFT_THANKS, giving.letters.gift_thanks_content)
    mail.register_gate(app, giving.letters.still_true)
    stories.register_public_texts(_campaign_texts)
    stories.register_campaign_link(
        exists=campaigns.exists, link=lambda story, campaign: campaigns.link_story(campaign, story)
    )
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for endpoint in CSRF_EXEMPT:
        web.csrf.exempt(app.view_functions[endpoint])
    web.form_again(app, "giving.give_submit", giving.give_submit_again)
    web.form_again(app, "giving.review_submit", giving.review_submit_again)

    @app.context_processor
    def everywhere() -> dict[str, object]:
        page = settings.public_url + request.path if has_request_context() else None
        return {
            "charity": site.charity(settings),
            "locale": locales.current(),
            "site_url": settings.public_url,
            "canonical": page,
        }

    commands.init_app(app)


def _campaign_texts() -> list[stories.PublicText]:
    return [stories.PublicText(place, text) for place, text in campaigns.public_texts()]


def fingerprint() -> str:
    """Return the mark of everything that public pages show."""
    return "|".join(
        (
            stories.text_version(),
            campaigns.text_version(),
            matching.fingerprint(),
            giving.fingerprint(),
        )
    )


def invariants() -> list[Invariant]:
    """Return every promise of the house, lowest package first."""
    return [
        *ledger.invariants(),
        *payments.invariants(),
        *mail.invariants(),
        *stories.invariants(),
        *matching.invariants(),
        *giving.invariants(),
    ]
