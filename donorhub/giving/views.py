"""The giving form, the look before paying, and the page where a donor returns."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import structlog
from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from donorhub import campaigns, matching, payments, stories
from donorhub.giving import queries, service
from donorhub.giving.forms import GiveForm, ReviewForm, fee_rule, percent_text
from donorhub.giving.rules import GiftWish, sender_of
from donorhub.kit import Money, NotAnAmount, current_settings, limits, locales, now, tokens, web

log = structlog.get_logger()

blueprint = Blueprint("giving", __name__)

AGAIN_SECONDS = 3600
CANCEL_SECONDS = int(timedelta(days=2).total_seconds())
LONGEST_PREFILL = 32


@dataclass(frozen=True, slots=True)
class Tile:
    """An amount to choose, and what it becomes if it is matched."""

    amount: Money
    becomes: Money | None
    value: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Fee:
    """The card fee as the form explains it."""

    percent_text: str
    fixed: Money


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the most that can be given."""

    minimum: Money
    maximum: Money


@blueprint.after_request
def keep_address(answer: Response) -> Response:
    """Addresses of gifts open their pages: no other site is told one."""
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@blueprint.get("/campaigns/<slug>/give")
def give_form(slug: str) -> ResponseReturnValue:
    """Show the form, prefilled from the address."""
    campaign = _campaign(slug)
    if not campaign.is_open:
        return redirect(url_for("site.campaign_page", slug=slug), code=303)
    form = GiveForm(campaign.currency, formdata=None, data=_prefill(campaign))
    return _page(campaign, form)


@blueprint.post("/campaigns/<slug>/give")
@limits.limited("give")
def give_submit(slug: str) -> ResponseReturnValue:
    """Take a gift as far as Stripe's page, or show the form again with what is missing."""
    campaign = _campaign(slug)
    form = GiveForm(campaign.currency)
    if not campaign.is_open:
        notice = _("This campaign has just ended. You have not been charged.")
        return _page(campaign, form, notice=notice), 422
    if not form.accepted():
        return _page(campaign, form, notice=form.hidden_refusal), 422
    try:
        started = service.start_gift(_wish(campaign, form))
    except payments.StripeUnreachable:
        return _page(campaign, form, notice=_bank_silent()), 503
    except payments.StripeRefused:
        notice = _("The bank did not accept this gift. You have not been charged. Try again.")
        return _page(campaign, form, notice=notice), 422
    return redirect(_next_step(started), code=303)


def give_submit_again(notice: str, *, slug: str) -> str:
    """Show what was typed once more when the request itself was refused."""
    campaign = _campaign(slug)
    return _page(campaign, GiveForm(campaign.currency), notice=notice)


def _next_step(started: service.Started) -> str:
    if started.is_received:
        return url_for("giving.gift_page", public_id=started.public_id)
    return started.checkout_url or url_for("giving.review_page", public_id=started.public_id)


def _bank_silent() -> str:
    return _(
        "We could not reach the bank. You have not been charged. Try again, or come back later: "
        "this page keeps what you typed."
    )


def _campaign(slug: str) -> campaigns.CampaignPage:
    return campaigns.campaign_page(slug, locales.current()) or abort(404)


def _prefill(campaign: campaigns.CampaignPage) -> MultiDict[str, str | bool]:
    """Take amount and story from the address, and what was typed before from a signed token."""
    values: MultiDict[str, str | bool] = MultiDict()
    again = tokens.read("again", request.args.get("again", ""), max_age=AGAIN_SECONDS)
    if again:
        values.update(queries.typed_before(str(again.get("gift"))) or {})
    asked = request.args.get("amount", "")[:LONGEST_PREFILL]
    with suppress(NotAnAmount):
        values["amount"] = Money.parse(asked, campaign.currency, locales.current()).typed
    story = request.args.get("story", "")
    if stories.story_id(story) is not None:
        values["story"] = story
    return values


def _page(campaign: campaigns.CampaignPage, form: GiveForm, *, notice: str | None = None) -> str:
    settings = current_settings()
    web.allow_form_action(settings.checkout_origin)
    locale = locales.current()
    match = matching.match_of(campaign.id, locale)
    active = match if match and match.state in {"active", "exhausted"} else None
    currency = campaign.currency
    rule = fee_rule()
    story = stories.story_page(form.story.data, locale) if form.story.data else None
    return render_template(
        "giving/give.html",
        form=form,
        campaign=campaign,
        match=active,
        story=story,
        tiles=_tiles(campaign, active, form),
        fee=Fee(percent_text(rule), Money(rule.fixed_minor, currency)),
        limits=Limits(
            Money(settings.minimum_gift_minor, currency),
            Money(settings.maximum_gift_minor, currency),
        ),
        notice=notice,
    )


def _tiles(
    campaign: campaigns.CampaignPage, match: matching.Match | None, form: GiveForm
) -> tuple[Tile, ...]:
    try:
        chosen = Money.parse(form.typed_amount, campaign.currency, locales.current())
    except NotAnAmount:
        chosen = None
    left = match.remaining if match and match.state == "active" else None
    return tuple(
        Tile(
            amount=amount,
            becomes=match.becomes(amount)
            if match and left and match.match_for(amount) <= left
            else None,
            value=amount.typed,
            chosen=amount == chosen,
        )
        for amount in campaign.suggested
    )


def _wish(campaign: campaigns.CampaignPage, form: GiveForm) -> GiftWish:
    return GiftWish(
        form_key=tokens.fingerprint("form", (form.form_key.data or "")[:400]),
        campaign_id=campaign.id,
        campaign_title=campaign.title,
        story_id=stories.story_id(form.story.data or ""),
        intended=form.money or Money.zero(campaign.currency),
        fee_cover=form.fee_cover,
        first_name=form.first_name.data or "",
        last_name=form.last_name.data or "",
        email=form.email.data or "",
        message=form.message.data or "",
        is_anonymous=bool(form.anonymous.data),
        locale=locales.current(),
        sender=tokens.fingerprint("sender", sender_of(web.client_address())),
        wants_review=request.form.get("review") == "1",
    )


@blueprint.get("/gifts/<public_id>/review")
def review_page(public_id: str) -> ResponseReturnValue:
    """Show, before paying, exactly what will be charged, what is matched, and until when."""
    gift = _gift(public_id)
    if gift.state != "pending":
        return redirect(url_for("giving.gift_page", public_id=public_id), code=303)
    return _review(gift)


@blueprint.post("/gifts/<public_id>/review")
@limits.limited("give")
def review_submit(public_id: str) -> ResponseReturnValue:
    """Go on with the whole gift, with the matched part only, or not at all."""
    gift = _gift(public_id)
    choice = request.form.get("choice", "")
    if not ReviewForm().validate_on_submit() or choice not in _choices(gift):
        return _review(gift), 422
    title = campaigns.campaign_by_id(gift.campaign_id, locales.current()).title
    try:
        if choice == "cancel":
            return _cancel(public_id)
        if choice == "reduce":
            url = service.reduce_gift(public_id, campaign_title=title, cover=fee_rule())
        else:
            url = service.continue_gift(public_id, campaign_title=title)
    except service.GiftOver:
        return redirect(url_for("giving.gift_page", public_id=public_id), code=303)
    except payments.StripeUnreachable:
        return _review(gift, notice=_bank_silent()), 503
    except payments.StripeRefused:
        return redirect(url_for("giving.gift_page", public_id=public_id), code=303)
    return redirect(url, code=303)


def _choices(gift: queries.GiftView) -> tuple[str, ...]:
    """Return the buttons that the page shows."""
    return ("pay", "reduce", "cancel") if gift.reduced else ("pay", "cancel")


def review_submit_again(notice: str, *, public_id: str) -> str:
    """Show the choice once more when the request itself was refused."""
    return _review(_gift(public_id), notice=notice)


def _review(gift: queries.GiftView, *, notice: str | None = None) -> str:
    web.allow_form_action(current_settings().checkout_origin)
    locale = locales.current()
    return render_template(
        "giving/review.html",
        gift=gift,
        campaign=campaigns.campaign_by_id(gift.campaign_id, locale),
        match=matching.match_of(gift.campaign_id, locale),
        form=ReviewForm(),
        notice_text=notice,
    )


@blueprint.get("/gifts/<public_id>/")
def gift_page(public_id: str) -> ResponseReturnValue:
    """Tell the truth about a gift, whichever of webhook and redirect came first."""
    gift = _gift(public_id)
    if gift.state == "pending":
        gift = _asked(public_id) or gift
    locale = locales.current()
    campaign = campaigns.campaign_by_id(gift.campaign_id, locale)
    story = stories.card_by_id(gift.story_id, locale) if gift.story_id else None
    site = current_settings().public_url
    path = (
        url_for("site.story_page", slug=story.slug)
        if story
        else url_for("site.campaign_page", slug=campaign.slug)
    )
    return render_template(
        "giving/gift.html",
        gift=gift,
        campaign=campaign,
        story=story,
        figures=queries.figures(campaign.id, campaign.goal),
        again=tokens.sign("again", {"gift": public_id}) if gift.can_pay_again else None,
        cancel_key=tokens.sign("cancel-gift", {"gift": public_id}),
        share_url=site + path,
        share_links=share_links(site + path, story.title if story else campaign.title),
    )


def _asked(public_id: str) -> queries.GiftView | None:
    """Ask Stripe about a waiting gift; if it does not answer, the page says we wait."""
    try:
        service.refresh_gift(public_id)
    except (payments.StripeUnreachable, payments.StripeRefused):
        log.warning("gift.still_waiting")
    except payments.FactsDisagree as error:
        log.error("gift.needs_a_person", reason=str(error))
    return queries.gift_view(public_id)


@blueprint.get("/gifts/<public_id>/state")
def gift_state(public_id: str) -> ResponseReturnValue:
    """Say where a gift stands, for the page that waits for it."""
    gift = _gift(public_id)
    if gift.state == "pending":
        gift = _asked(public_id) or gift
    return {"state": gift.state}


@blueprint.get("/gifts/<public_id>/cancelled")
def gift_cancelled(public_id: str) -> ResponseReturnValue:
    """The way back from Stripe's page: free the match at once and keep what was typed.

    A GET that acts, because Stripe can only link; the signed key makes sure that nothing
    but the donor's own payment page leads here.
    """
    _gift(public_id)
    key = tokens.read("cancel-gift", request.args.get("key", ""), max_age=CANCEL_SECONDS)
    if not key or key.get("gift") != public_id:
        return redirect(url_for("giving.gift_page", public_id=public_id), code=303)
    return _cancel(public_id)


def _cancel(public_id: str) -> ResponseReturnValue:
    try:
        state = service.cancel_gift(public_id)
    except payments.StripeUnreachable:
        state = "pending"
    if state != "cancelled":
        return redirect(url_for("giving.gift_page", public_id=public_id), code=303)
    gift = _gift(public_id)
    campaign = campaigns.campaign_by_id(gift.campaign_id, locales.current())
    story = stories.card_by_id(gift.story_id, locales.current()) if gift.story_id else None
    again = tokens.sign("again", {"gift": public_id})
    address = url_for(
        "giving.give_form",
        slug=campaign.slug,
        again=again,
        story=story.slug if story else None,
    )
    return redirect(address, code=303)


def _gift(public_id: str) -> queries.GiftView:
    return queries.gift_view(public_id) or abort(404)


def share_links(url: str, title: str) -> tuple[tuple[str, str, str], ...]:
    """Return plain links that pass an address on; no script of anybody else's."""
    address, words = quote(url, safe=""), quote(title, safe="")
    return (
        (_("E-mail"), f"mailto:?subject={words}&body={address}", "mail"),
        ("Facebook", f"https://www.facebook.com/sharer/sharer.php?u={address}", "out"),
        ("WhatsApp", f"https://wa.me/?text={words}%20{address}", "out"),
        ("LinkedIn", f"https://www.linkedin.com/sharing/share-offsite/?url={address}", "out"),
    )


@blueprint.get("/api/campaigns/<slug>")
def campaign_figures(slug: str) -> ResponseReturnValue:
    """Give a campaign's public figures to anybody who asks."""
    campaign = _campaign(slug)
    figures = queries.figures(campaign.id, campaign.goal)
    answer = jsonify(
        slug=campaign.slug,
        currency=campaign.currency,
        goal_minor=campaign.goal.minor,
        raised_minor=figures.raised.minor,
        matched_minor=figures.matched.minor,
        gifts=figures.gifts,
        match=_match_json(matching.match_of(campaign.id, locales.current())),
        as_of=now().isoformat(),
    )
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.headers["Cache-Control"] = "public, max-age=1"
    return answer


def _match_json(match: matching.Match | None) -> dict[str, object] | None:
    if match is None:
        return None
    return {
        "state": match.state,
        "ratio": match.ratio_text,
        "cap_minor": match.cap.minor,
        "reserved_minor": match.reserved.minor,
        "confirmed_minor": match.confirmed.minor,
        "remaining_minor": match.remaining.minor,
        "ends_at": match.ends_at.isoformat(),
    }
