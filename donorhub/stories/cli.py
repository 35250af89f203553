"""``flask stories``: import, publish, withdraw, protect and list stories."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from flask.cli import AppGroup

from donorhub.kit import locales, settings
from donorhub.stories import queries, service
from donorhub.stories.model import StoryIsWithdrawn
from donorhub.stories.rules import CannotRead, Draft, NotAName, name_words

REFUSALS = (
    CannotRead,
    NotAName,
    StoryIsWithdrawn,
    service.NoSuchStory,
    service.NotPublishable,
    service.ProtectedNameFound,
    service.SlugNeeded,
    service.SlugTaken,
)
LONGEST_EXCERPT = 70

group = AppGroup("stories", help="Impact stories: import reports, publish, withdraw, protect.")


@dataclass(frozen=True, slots=True)
class CampaignLink:
    """What the package of campaigns offers: does one exist, and show a story in it."""

    exists: Callable[[str], bool]
    link: Callable[[str, str], object]


_campaigns: list[CampaignLink] = []


def register_campaign_link(
    *, exists: Callable[[str], bool], link: Callable[[str, str], object]
) -> None:
    """Let ``import --campaign`` ask for a campaign and link to it: ``link(story, campaign)``.

    Both take slugs; ``link`` opens its own unit of work and may be called twice.
    """
    _campaigns[:] = [CampaignLink(exists, link)]


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--campaign", metavar="SLUG", help="Show the story in this campaign.")
@click.option("--publish", "publishes", is_flag=True, help="Let everyone read it at once.")
@click.option("--title", metavar="TEXT", help="Use this title instead of the report's own.")
@click.option("--slug", metavar="SLUG", help="Use this address instead of one made of the title.")
@click.option(
    "--locale", type=click.Choice(locales.LOCALES), help="The report's language (the site's own)."
)
@click.option("--dry-run", is_flag=True, help="Show what would come of it, and change nothing.")
def import_command(  # noqa: PLR0913 - one parameter an option
    *,
    file: Path,
    campaign: str | None,
    publishes: bool,
    title: str | None,
    slug: str | None,
    locale: str | None,
    dry_run: bool,
) -> None:
    """Read a partner's report from FILE (plain text or Markdown) into the draft of a story.

    Menus, icon names, forms and promises of a match are left out; each such line is listed
    with the reason. The same report twice makes one story.
    """
    link = _campaign_link(campaign)
    try:
        if dry_run:
            draft = service.read_source(file, title=title)
            _tell(draft)
            click.echo(f"\n{draft.body_markdown}")
            click.echo(f"Nothing was changed. It would stand at {_address(_slug(draft, slug))}")
            return
        imported = service.import_report(file, title=title, slug=slug, locale=locale)
        _tell(imported.draft)
        for place in imported.protected_places:
            click.echo(f"  ! A protected name stands in: {place}.")
        click.echo("Imported." if imported.is_new else "It was there already.")
        if campaign and link:
            link.link(imported.slug, campaign)
            click.echo(f"Linked to the campaign {campaign}.")
        if publishes:
            service.publish(imported.slug)
    except REFUSALS as refusal:
        raise click.ClickException(str(refusal)) from refusal
    state = queries.story_state(imported.slug)
    click.echo(f"{str(state).capitalize()}: {_address(imported.slug)}")


def _campaign_link(campaign: str | None) -> CampaignLink | None:
    """Return how to link to a campaign; refuse one that does not exist before anything is done."""
    if campaign is None:
        return None
    if not _campaigns:
        message = "Stories cannot be linked to campaigns here: nothing is wired."
        raise click.ClickException(message)
    if not _campaigns[0].exists(campaign):
        message = f"There is no campaign “{campaign}”. Nothing was imported."
        raise click.ClickException(message)
    return _campaigns[0]


def _slug(draft: Draft, slug: str | None) -> str:
    return service.chosen_slug(draft, slug)


def _tell(draft: Draft) -> None:
    """Print what was kept, what was left out and why, and what an editor should look at."""
    body = draft.body_markdown
    click.echo(f"Title: {draft.title}\nSummary: {draft.summary}")
    sections = len(re.findall(r"^#+ ", body, re.MULTILINE))
    blocks = len(re.split(r"\n\n+", body.strip()))
    click.echo(
        f"Kept: {blocks - sections} paragraphs, {sections} headings, {draft.quotes} quotations."
    )
    seen = f"{draft.happened_on} (readers see: {draft.date_precision})"
    facts = {
        "Happened": seen if draft.happened_on else None,
        "Place": draft.place,
        "Pseudonym note": draft.pseudonym_note,
    }
    for name, fact in facts.items():
        if fact:
            click.echo(f"{name}: {fact}")
    click.echo(f"Not in the text ({len(draft.dropped)} lines):")
    for gone in draft.dropped:
        excerpt = gone.text.strip()
        if len(excerpt) > LONGEST_EXCERPT:
            excerpt = excerpt[: LONGEST_EXCERPT - 1] + "…"
        click.echo(f"  line {gone.line}: {excerpt} — {gone.reason}")
    if draft.warnings:
        click.echo("Look at:")
    for warning in draft.warnings:
        click.echo(f"  ! {warning}")


def _address(slug: str) -> str:
    return f"{settings.settings().public_url}/stories/{slug}/"


@group.command("publish")
@click.argument("slug")
@click.option("--again", is_flag=True, help="Publish a story that was withdrawn.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def publish_command(*, slug: str, again: bool, dry_run: bool) -> None:
    """Let everyone read the story SLUG."""
    try:
        changed = service.publish(slug, again=again, rehearsal=dry_run)
    except REFUSALS as refusal:
        raise click.ClickException(str(refusal)) from refusal
    _say(changed, "published", dry_run=dry_run)
    click.echo(_address(slug))


@group.command("withdraw")
@click.argument("slug")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def withdraw_command(*, slug: str, dry_run: bool) -> None:
    """Take the story SLUG back: its page, its cards and its feed entry disappear."""
    try:
        changed = service.withdraw(slug, rehearsal=dry_run)
    except REFUSALS as refusal:
        raise click.ClickException(str(refusal)) from refusal
    _say(changed, "withdrawn", dry_run=dry_run)


def _say(changed: bool, done: str, *, dry_run: bool) -> None:
    if not changed:
        click.echo(f"It was {done} already.")
    elif dry_run:
        click.echo(f"It would be {done}. Nothing was changed.")
    else:
        click.echo(done.capitalize() + ".")


@group.command("protect")
@click.option("--story", metavar="SLUG", help="The story whose person bears the name.")
@click.option("--dry-run", is_flag=True, help="Check what is typed, and change nothing.")
def protect_command(*, story: str | None, dry_run: bool) -> None:
    """Keep a name out of everything public.

    The name is asked for, unseen, or read from standard input, one a line: it must not
    stand in the shell's history. Only a keyed digest of it is kept.
    """
    places: tuple[str, ...] = ()
    names = _names()
    try:
        for name in names:
            if dry_run:
                name_words(name)
                continue
            places = service.protect_name(name, story=story)
    except REFUSALS as refusal:
        raise click.ClickException(str(refusal)) from refusal
    count = f"{len(names)} name{'' if len(names) == 1 else 's'}"
    click.echo(f"{count} would be protected." if dry_run else f"{count} protected.")
    for place in places:
        click.echo(f"  ! A protected name is public now: {place}. Withdraw or change it.")


def _names() -> list[str]:
    if sys.stdin.isatty():
        return [click.prompt("Name", hide_input=True)]
    names = [line.strip() for line in sys.stdin if line.strip()]
    if not names:
        message = "No name came in on standard input."
        raise click.ClickException(message)
    return names


@group.command("list")
def list_command() -> None:
    """List every story, last changed first."""
    found = queries.all_stories()
    for story in found:
        languages = ",".join(story.languages)
        click.echo(f"{story.state:<10} {languages:<6} {story.slug}  {story.title}")
    click.echo(f"{len(found)} stories.")
