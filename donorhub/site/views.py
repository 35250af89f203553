"""Home, stories, campaigns, and what machines ask for."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from donorhub import campaigns, giving, matching, stories
from donorhub.kit import cli, current_settings, db, locales, pagecache, web
from donorhub.site.openapi import specification

log = structlog.get_logger()

blueprint = Blueprint("site", __name__)

STORIES_ON_HOME = 3
GONE = 410
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Address:
    """A page in the site map."""

    loc: str
    changed: str | None = None


@blueprint.get("/")
def home() -> str:
    """Show what the charity is for, the live campaign and the latest stories."""
    pagecache.keep_ready()
    locale = locales.current()
    cards = campaigns.campaign_cards(locale)
    campaign = campaigns.campaign_page(cards[0].slug, locale) if cards else None
    return render_template(
        "site/home.html",
        campaign=campaign,
        figures=giving.figures(campaign.id, campaign.goal) if campaign else None,
        match=_shown(matching.match_of(campaign.id, locale)) if campaign else None,
        stories=stories.story_cards(locale, limit=STORIES_ON_HOME),
        other_campaigns=tuple(cards[1:]),
    )


def _shown(match: matching.Match | None) -> matching.Match | None:
    """A match that is not yet, or no longer, promised is not advertised."""
    return match if match and match.state in {"active", "exhausted"} else None


@blueprint.get("/stories/<slug>/")
def story_page(slug: str) -> ResponseReturnValue:
    """Show one story, with the match of the campaign it belongs to."""
    pagecache.keep_ready()
    locale = locales.current()
    story = stories.story_page(slug, locale)
    if story is None:
        return abort(GONE if stories.story_state(slug) == "withdrawn" else 404)
    card = campaigns.campaign_of_story(slug, locale)
    campaign = campaigns.campaign_page(card.slug, locale) if card else None
    is_open = campaign is not None and campaign.is_open
    url = f"{current_settings().public_url}/stories/{slug}/"
    return render_template(
        "site/story.html",
        story=story,
        campaign=campaign if is_open else None,
        figures=giving.figures(campaign.id, campaign.goal) if campaign else None,
        match=_shown(matching.match_of(campaign.id, locale)) if campaign and is_open else None,
        related=stories.related(slug, locale),
        canonical=url,
        share_url=url,
        share_links=giving.share_links(url, story.title),
    )


@blueprint.get("/campaigns/<slug>/")
def campaign_page(slug: str) -> ResponseReturnValue:
    """Show one campaign: goal, given, matched, left, stories and givers."""
    pagecache.keep_ready()
    locale = locales.current()
    campaign = campaigns.campaign_page(slug, locale) or abort(404)
    url = f"{current_settings().public_url}/campaigns/{slug}/"
    names = campaigns.story_slugs(campaign.id)
    return render_template(
        "site/campaign.html",
        campaign=campaign,
        figures=giving.figures(campaign.id, campaign.goal),
        match=matching.match_of(campaign.id, locale),
        stories=stories.story_cards(locale, limit=len(names), slugs=names) if names else (),
        givers=giving.latest_givers(campaign.id),
        canonical=url,
        share_url=url,
        share_links=giving.share_links(url, campaign.title),
    )


@blueprint.get("/fundraise/")
def fundraise() -> str:
    """Say what personal pages will be, and whom to write to until then."""
    pagecache.keep_ready()
    return render_template("site/fundraise.html")


@blueprint.get("/press/")
def press() -> str:
    """Say who answers the media."""
    pagecache.keep_ready()
    return render_template("site/press.html")


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """List the public pages for search engines."""
    pagecache.keep_ready()
    site = current_settings().public_url
    found = [Address(f"{site}/"), Address(f"{site}/stories/")]
    for slug, changed in stories.published_slugs():
        found.append(Address(f"{site}/stories/{slug}/", changed.date().isoformat()))
    found += [
        Address(f"{site}/campaigns/{card.slug}/")
        for card in campaigns.campaign_cards(locales.current())
    ]
    page = render_template("site/sitemap.xml", addresses=found)
    return Response(page, content_type="application/xml; charset=utf-8")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Ask search engines to leave gifts and forms alone."""
    lines = (
        "User-agent: *",
        "Disallow: /gifts/",
        "Disallow: /letters/",
        "Disallow: /staff/",
        f"Sitemap: {current_settings().public_url}/sitemap.xml",
    )
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/api/openapi.json")
def openapi() -> ResponseReturnValue:
    """Describe the public JSON."""
    return specification(current_settings().public_url), {"Access-Control-Allow-Origin": "*"}


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process is alive."""
    return {"status": "alive"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether the database is reachable and migrated."""
    try:
        row = db.one("SELECT version_num FROM alembic_version")
    except SQLAlchemyError as error:
        log.warning("not_ready", error=type(error).__name__)
        return {"status": "the database is not reachable"}, 503
    schema, wanted = row.version_num if row else None, cli.newest_revision()
    if schema is None or schema < wanted:
        return {"status": "the database is not migrated", "schema": schema}, 503
    return {"status": "ready", "schema": schema}


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Give figures about this process to Prometheus; in production only to this machine."""
    if current_settings().is_production and web.client_address() not in LOOPBACK:
        abort(404)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


@blueprint.post("/csp-report")
def csp_report() -> ResponseReturnValue:
    """Note that a browser refused something; nothing of the report is kept."""
    log.warning("csp_violation", bytes=request.content_length or 0)
    return "", 204
