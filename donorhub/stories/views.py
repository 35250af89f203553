"""The list of stories, and the feed."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_babel import gettext as _

from donorhub.kit import locales, now, one_line, pagecache, settings
from donorhub.stories import queries

STORIES_A_PAGE = 24
LARGEST_PAGE = 10_000
LONGEST_TEXT = 2_000
ATOM = "http://www.w3.org/2005/Atom"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"

bp = Blueprint("stories", __name__, url_prefix="/stories")


@bp.get("/")
def story_list() -> str:
    """Show the published stories, newest first."""
    pagecache.keep_ready()
    asked = request.args.get("page", "1")
    page = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0  # noqa: PLR2004
    if not 1 <= page <= LARGEST_PAGE:
        abort(404)
    found = queries.story_cards(
        locales.current(), limit=STORIES_A_PAGE + 1, offset=(page - 1) * STORIES_A_PAGE
    )
    if page > 1 and not found:
        abort(404)
    more = len(found) > STORIES_A_PAGE
    return render_template(
        "stories/list.html",
        stories=found[:STORIES_A_PAGE],
        newer=url_for("stories.story_list", page=page - 1) if page > 1 else None,
        older=url_for("stories.story_list", page=page + 1) if more else None,
    )


@bp.get("/feed.atom")
def feed() -> Response:
    """Give feed readers the latest stories, and tell them which were withdrawn (RFC 6721)."""
    pagecache.keep_ready()
    locale = locales.current()
    answer = Response(
        _feed(queries.feed_entries(locale), locale),
        content_type="application/atom+xml; charset=utf-8",
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _feed(entries: tuple[queries.FeedEntry, ...], locale: str) -> bytes:
    ET.register_namespace("", ATOM)
    ET.register_namespace("at", TOMBSTONES)
    base = settings.settings().public_url
    name = settings.settings().organisation_name or "DonorHub"
    here = base + url_for("stories.feed")
    root = ET.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": locale})
    _add(root, "id", here)
    _add(root, "title", _("Stories from %(organisation)s", organisation=name))
    moments = [entry.withdrawn_at or entry.updated_at for entry in entries]
    _add(root, "updated", _time(max(moments, default=None) or now()))
    ET.SubElement(root, f"{{{ATOM}}}link", rel="self", href=here, type="application/atom+xml")
    ET.SubElement(
        root, f"{{{ATOM}}}link", rel="alternate", href=base + url_for("stories.story_list")
    )
    _add(ET.SubElement(root, f"{{{ATOM}}}author"), "name", name)
    for entry in entries:
        if entry.card:
            _entry(root, entry, entry.card, base)
        else:
            when = _time(entry.withdrawn_at or entry.updated_at)
            ET.SubElement(root, f"{{{TOMBSTONES}}}deleted-entry", ref=_id(entry, base), when=when)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entry(root: ET.Element, entry: queries.FeedEntry, card: queries.StoryCard, base: str) -> None:
    element = ET.SubElement(
        root, f"{{{ATOM}}}entry", {"{http://www.w3.org/XML/1998/namespace}lang": card.lang}
    )
    _add(element, "id", _id(entry, base))
    _add(element, "title", card.title)
    _add(element, "updated", _time(entry.updated_at))
    _add(element, "published", _time(entry.published_at))
    href = base + url_for("site.story_page", slug=card.slug)
    ET.SubElement(element, f"{{{ATOM}}}link", rel="alternate", href=href, type="text/html")
    _add(element, "summary", card.summary)


def _id(entry: queries.FeedEntry, base: str) -> str:
    """Name an entry for ever (RFC 4151): it outlives a change of title or address."""
    host = urlsplit(base).hostname or "localhost"
    return f"tag:{host},{entry.published_at:%Y-%m-%d}:story-{entry.story_id}"


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = one_line(text, LONGEST_TEXT)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
