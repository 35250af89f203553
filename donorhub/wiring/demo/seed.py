"""Writing the demo into an empty database, through the same verbs as everything else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from donorhub import campaigns, giving, matching, payments, stories
from donorhub.kit import Money, clock, current_settings, db, now, tokens, unit_of_work
from donorhub.wiring.demo.reading import documents, first_day, gifts


def seed(*, dry_run: bool = False) -> str:
    """Write what is not there yet and say what there is."""
    if current_settings().is_production:
        return "The demo is not written in production."
    told, appeals, given = documents("stories"), documents("campaigns"), gifts()
    if not dry_run:
        for slug, texts in told.items():
            _story(slug, texts)
        for position, (slug, texts) in enumerate(appeals.items()):
            _campaign(slug, texts, position)
        if not db.rows("SELECT 1 FROM gifts LIMIT 1"):
            for number, gift in enumerate(given):
                _gift(number, gift)
    return f"The demo has {len(told)} stories, {len(appeals)} campaigns and {len(given)} gifts."


def _story(slug: str, texts: dict[str, dict[str, Any]]) -> None:
    english = texts["en"]
    if stories.any_story_id(slug) is not None:
        return
    stories.save_story(
        slug,
        texts={
            locale: stories.StoryWords(
                title=words["title"],
                summary=words["summary"],
                body=words["body"],
                place=words["place"],
                pseudonym_note=words["pseudonym_note"].removeprefix("*"),
            )
            for locale, words in texts.items()
        },
        pictures=[
            stories.StoryImage(
                path="pictures/" + picture["file"],
                width=picture["width"],
                height=picture["height"],
                credits={
                    locale: words["pictures"][at]["credit"] for locale, words in texts.items()
                },
                alts={locale: words["pictures"][at]["alt"] for locale, words in texts.items()},
            )
            for at, picture in enumerate(english["pictures"])
        ],
        happened_on=first_day(english["happened_on"]),
        date_precision=stories.DatePrecision(english["date_precision"]),
        topics=english["topics"],
    )
    stories.publish(slug)


def _campaign(slug: str, texts: dict[str, dict[str, Any]], position: int) -> None:
    if campaigns.exists(slug):
        return
    english = texts["en"]
    currency = english["currency"]
    picture = english["picture"]
    begun = now().replace(minute=0, second=0, microsecond=0)
    campaign_id = campaigns.save_campaign(
        slug,
        texts={
            locale: campaigns.CampaignText(
                words["title"], words["summary"], words["body"], words["picture"]["alt"]
            )
            for locale, words in texts.items()
        },
        goal=Money(english["goal_minor"], currency),
        suggested=[Money(minor, currency) for minor in english["suggested_minor"]],
        starts_at=begun - timedelta(days=english["starts_days_ago"]),
        ends_at=_evening(english["ends_in_days"]),
        picture={
            "src": "pictures/" + picture["file"],
            "width": picture["width"],
            "height": picture["height"],
            "credit": picture.get("credit"),
        },
        position=position,
    )
    for place, story in enumerate(english["stories"]):
        campaigns.link_story(slug, story, position=place)
    if "match" in english:
        _offer(campaign_id, english["match"], currency)


def _evening(days: int) -> datetime:
    """Return the last minute of a day that many days ahead, where the charity is."""
    day = now().astimezone(current_settings().zone) + timedelta(days=days)
    return day.replace(hour=23, minute=59, second=0, microsecond=0)


def _offer(campaign_id: int, terms: dict[str, Any], currency: str) -> None:
    ratio_num, _, ratio_den = terms["ratio"].partition(":")
    matching.open_offer(
        matching.OfferWish(
            campaign_id=campaign_id,
            sponsor_names={"en": terms["sponsor"], "fr": terms["sponsor_fr"]},
            agreement_reference=terms["agreement_reference"],
            terms={"en": terms["terms"], "fr": terms["terms_fr"]},
            cap=Money(terms["cap_minor"], currency),
            per_gift_cap=Money(terms["per_gift_cap_minor"], currency),
            ratio_num=int(ratio_num),
            ratio_den=int(ratio_den),
            starts_at=now() - timedelta(days=terms["starts_days_ago"]),
            ends_at=_evening(terms["ends_in_days"]),
        )
    )


def _gift(number: int, given: dict[str, Any]) -> None:
    """Let one earlier gift go through the house as if Stripe had told of it then."""
    with clock.stopped(now() - timedelta(minutes=int(given["days_ago"] * 1440))):
        campaign = campaigns.campaign_page(given["campaign"], "en")
        if campaign is None:
            return
        wish = giving.GiftWish(
            form_key=f"demo-{number}",
            campaign_id=campaign.id,
            campaign_title=campaign.title,
            story_id=stories.story_id(given["story"]),
            intended=Money(given["amount_minor"], campaign.currency),
            fee_cover=Money.zero(campaign.currency),
            first_name=given["first_name"],
            last_name=given["last_name"],
            email=given["email"],
            message=given["message"],
            is_anonymous=given["anonymous"],
            locale="en",
            sender=tokens.fingerprint("sender", f"demo-{number}"),
            wants_review=False,
        )
        public_id, checkout = giving.write_gift(wish)
        if checkout:
            _thanked(public_id)
            giving.settle_gift(_facts(checkout, wish, public_id))


def _facts(
    checkout: payments.Checkout, wish: giving.GiftWish, public_id: str
) -> payments.PaymentFacts:
    settings = current_settings()
    rule = payments.FeeRule(settings.stripe_fee_percent, settings.stripe_fee_fixed_minor)
    return payments.PaymentFacts(
        checkout_id=checkout.id,
        subject=f"gift:{public_id}",
        session_reference=f"cs_demo_{public_id}",
        session_state="complete",
        is_paid=True,
        amount=wish.total,
        livemode=False,
        intent_reference=f"pi_demo_{public_id}",
        charge_reference=f"ch_demo_{public_id}",
        fee=rule.fee(wish.total),
    )


def _thanked(public_id: str) -> None:
    """Invented donors were thanked long ago: their letters are noted, and never sent."""
    with unit_of_work():
        db.run(
            "INSERT INTO letters (key, template, locale, to_address, to_name, context, state, "
            "attempts, due_at, message_id, suppressed_reason, created_at) "
            "SELECT 'gift-thanks:' || id, :template, locale, email, '', "
            "jsonb_build_object('gift', public_id), 'suppressed', 0, :now, "
            "'<demo-' || id || '@donorhub.example>', 'demo', :now "
            "FROM gifts WHERE public_id = :public_id ON CONFLICT (key) DO NOTHING",
            template=giving.letters.GIFT_THANKS,
            public_id=public_id,
            now=now(),
        )
