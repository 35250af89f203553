"""Starting a gift: write and reserve, ask Stripe with nothing held, write the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from donorhub import matching, payments
from donorhub.giving.model import Gift, locked
from donorhub.giving.rules import (
    HOLD,
    PENDING,
    RECEIVED,
    REOPEN_MARGIN,
    GiftWish,
    needs_review,
    part_matched_in_full,
)
from donorhub.giving.service.end import cancel_gift
from donorhub.kit import Money, current_settings, db, locales, now, present, tokens, unit_of_work

log = structlog.get_logger()

STRIPE_LOCALES = {"en": "en", "fr": "fr-CA"}


@dataclass(frozen=True, slots=True)
class Started:
    """Where the donor goes next: to pay, to look once more, or to a gift already made."""

    public_id: str
    checkout_url: str | None = None
    is_received: bool = False


class AlreadyStarted(Exception):
    """The same form is being sent at this moment; the other request won."""


def start_gift(wish: GiftWish) -> Started:
    """Take a gift as far as Stripe's page; the same form sent twice is one gift.

    The gift and its match are written first, then Stripe is asked with no connection held.
    Raises StripeUnreachable (send the form again: the key is the same) or StripeRefused.
    """
    if known := _known(wish):
        return known
    try:
        public_id, checkout = write_gift(wish)
    except (AlreadyStarted, IntegrityError):
        return _known(wish) or _once_more(wish)
    if checkout is None:
        return Started(public_id)
    return Started(public_id, _open(public_id, checkout))


def _once_more(wish: GiftWish) -> Started:
    """The gift that got in the way has just ended; begin afresh, once."""
    try:
        public_id, checkout = write_gift(wish)
    except (AlreadyStarted, IntegrityError) as error:
        message = "an earlier gift of this form cannot be ended while Stripe is silent"
        raise payments.StripeUnreachable(message) from error
    return Started(public_id, _open(public_id, checkout) if checkout else None)


def _known(wish: GiftWish) -> Started | None:
    """Find the gift this very form started, and end others it started with other words."""
    found = db.rows(
        "SELECT public_id, form_content, state, hold_until FROM gifts "
        "WHERE form_key = :key AND state IN ('pending', 'received')",
        key=wish.form_key,
    )
    same = None
    for row in found:
        usable = row.state == RECEIVED or row.hold_until - now() > REOPEN_MARGIN
        if row.form_content == wish.content and usable:
            same = row
        elif row.state == PENDING:
            _give_up(row.public_id)
    if same is None:
        return None
    if same.state == RECEIVED:
        return Started(same.public_id, is_received=True)
    checkout = payments.latest(f"gift:{same.public_id}")
    try:
        return Started(same.public_id, _open(same.public_id, checkout) if checkout else None)
    except payments.StripeRefused:  # it never came to Stripe, and its half hour has begun to run
        return None


def _give_up(public_id: str) -> None:
    try:
        cancel_gift(public_id)
    except payments.StripeUnreachable:
        log.warning("gift.left_to_the_sweep")


def write_gift(wish: GiftWish) -> tuple[str, payments.Checkout | None]:
    """Unit 1: the gift, its match, and the exact call to make; all of it or nothing."""
    public_id = tokens.public_id()
    hold_until = now().replace(microsecond=0) + HOLD
    with unit_of_work():
        gift_id = db.one("SELECT nextval(pg_get_serial_sequence('gifts', 'id')) AS id").id
        donor = tokens.fingerprint("donor", wish.email.lower())
        grant = matching.reserve(
            gift_id,
            campaign_id=wish.campaign_id,
            gift=wish.intended,
            sender=wish.sender,
            donor=donor,
        )
        _insert(wish, grant, gift_id=gift_id, public_id=public_id, hold_until=hold_until)
        if needs_review(wish, wished=grant.wished, granted=grant.granted):
            return public_id, None
        checkout = payments.prepare_checkout(
            _checkout_wish(wish, grant, public_id=public_id, hold_until=hold_until)
        )
    return public_id, checkout


def _insert(
    wish: GiftWish, grant: matching.Grant, *, gift_id: int, public_id: str, hold_until: datetime
) -> None:
    row = db.one(
        "INSERT INTO gifts (id, public_id, form_key, form_content, campaign_id, story_id, "
        "frequency, state, intended_minor, fee_cover_minor, amount_minor, currency, "
        "match_offer_id, match_wished_minor, first_name, last_name, email, message, "
        "is_anonymous, locale, sender, hold_until, created_at) OVERRIDING SYSTEM VALUE VALUES "
        "(:id, :public_id, :form_key, :content, :campaign_id, :story_id, 'once', 'pending', "
        ":intended, :cover, :total, :currency, :offer, :wished, :first_name, :last_name, :email, "
        ":message, :anonymous, :locale, :sender, :hold_until, :now) "
        "ON CONFLICT (form_key, form_content) WHERE state IN ('pending', 'received') "
        "DO NOTHING RETURNING id",
        id=gift_id,
        public_id=public_id,
        form_key=wish.form_key,
        content=wish.content,
        campaign_id=wish.campaign_id,
        story_id=wish.story_id,
        intended=wish.intended.minor,
        cover=wish.fee_cover.minor,
        total=wish.total.minor,
        currency=wish.intended.currency,
        offer=grant.offer.id if grant.offer else None,
        wished=grant.wished.minor,
        first_name=wish.first_name,
        last_name=wish.last_name,
        email=wish.email,
        message=wish.message,
        anonymous=wish.is_anonymous,
        locale=wish.locale,
        sender=wish.sender,
        hold_until=hold_until,
        now=now(),
    )
    if row is None:
        raise AlreadyStarted


def _open(public_id: str, checkout: payments.Checkout) -> str:
    """Beats 2 and 3; a gift that Stripe refuses is ended at once and frees its match."""
    try:
        return payments.open_checkout(checkout)
    except payments.StripeRefused:
        cancel_gift(public_id)
        raise


def _checkout_wish(
    wish: GiftWish, grant: matching.Grant, *, public_id: str, hold_until: datetime
) -> payments.CheckoutWish:
    subject = f"gift:{public_id}"
    site = current_settings().public_url
    cancel = tokens.sign("cancel-gift", {"gift": public_id})
    with force_locale(wish.locale):
        lines = [_line(_("Gift: %(campaign)s", campaign=wish.campaign_title), wish.intended)]
        if wish.fee_cover:
            lines.append(_line(_("Covers the card fee"), wish.fee_cover))
        note = _promise(wish.intended, grant, hold_until)
    params: dict[str, Any] = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "submit_type": "donate",
        "line_items": lines,
        "success_url": f"{site}/gifts/{public_id}/?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{site}/gifts/{public_id}/cancelled?key={cancel}",
        "client_reference_id": subject,
        "customer_email": wish.email,
        "locale": STRIPE_LOCALES[wish.locale],
        "expires_at": int(hold_until.timestamp()),
        "metadata": {"subject": subject},
        "payment_intent_data": {"metadata": {"subject": subject}},
        "custom_text": {"submit": {"message": note}},
    }
    return payments.CheckoutWish(subject, wish.total, hold_until, params)


def _line(name: str, amount: Money) -> dict[str, Any]:
    return {
        "quantity": 1,
        "price_data": {
            "currency": amount.currency.lower(),
            "unit_amount": amount.minor,
            "product_data": {"name": name[:250]},
        },
    }


def _promise(gift: Money, grant: matching.Grant, hold_until: datetime) -> str:
    """Say on Stripe's page, before the card is typed, exactly what is held and until when."""
    until = present.hold_time(hold_until)
    if not grant.granted or grant.offer is None:
        return _(
            "Nothing is added to this gift by a sponsor. This page is open until %(time)s.",
            time=until,
        )
    return _(
        "%(sponsor)s adds %(match)s to your %(gift)s. We hold this match for you until %(time)s.",
        sponsor=grant.offer.sponsor(locales.current()),
        match=present.money_text(grant.granted),
        gift=present.money_text(gift),
        time=until,
    )


def continue_gift(public_id: str, *, campaign_title: str) -> str:
    """The donor has seen what is matched and goes on: return the address of Stripe's page.

    Raises GiftOver if the hold ran out meanwhile, StripeUnreachable or StripeRefused.
    """
    with unit_of_work():
        gift = _waiting(public_id)
        checkout = payments.latest(gift.subject) or payments.prepare_checkout(
            _checkout_wish(
                _wish_of(gift, campaign_title),
                _grant_of(gift),
                public_id=public_id,
                hold_until=gift.hold_until,
            )
        )
    return _open(public_id, checkout)


def reduce_gift(public_id: str, *, campaign_title: str, cover: payments.FeeRule | None) -> str:
    """The donor gives only what is matched; whatever was added for the fee shrinks with it."""
    with unit_of_work():
        gift = _waiting(public_id)
        grant = _grant_of(gift)
        if not grant.granted or grant.offer is None or payments.latest(gift.subject):
            raise GiftOver
        part = part_matched_in_full(
            gift.intended,
            grant.granted,
            ratio_num=grant.offer.ratio_num,
            ratio_den=grant.offer.ratio_den,
        )
        gift.intended_minor = part.minor
        if gift.fee_cover_minor and cover:
            gift.fee_cover_minor = cover.cover(gift.intended).minor
        gift.amount_minor = gift.intended_minor + gift.fee_cover_minor
        gift.match_wished_minor = grant.granted.minor
    return continue_gift(public_id, campaign_title=campaign_title)


class GiftOver(RuntimeError):
    """The gift's hold has ended; it must be started afresh."""


def _waiting(public_id: str) -> Gift:
    """Lock a gift that can still be paid, with a fresh half hour if no page is open yet."""
    gift = locked(public_id)
    if gift is None or gift.state != PENDING or gift.hold_until <= now():
        raise GiftOver
    if payments.latest(gift.subject) is None:
        gift.hold_until = now().replace(microsecond=0) + HOLD
    return gift


def _wish_of(gift: Gift, campaign_title: str) -> GiftWish:
    return GiftWish(
        form_key=gift.form_key,
        campaign_id=gift.campaign_id,
        campaign_title=campaign_title,
        story_id=gift.story_id,
        intended=gift.intended,
        fee_cover=Money(gift.fee_cover_minor, gift.currency),
        first_name=gift.first_name,
        last_name=gift.last_name,
        email=gift.email,
        message=gift.message,
        is_anonymous=gift.is_anonymous,
        locale=gift.locale,
        sender=gift.sender,
        wants_review=False,
    )


def _grant_of(gift: Gift) -> matching.Grant:
    held = Money(matching.standing(gift.id)["reserved"], gift.currency)
    offer = matching.offer_by_id(gift.match_offer_id) if gift.match_offer_id else None
    return matching.Grant(offer, Money(gift.match_wished_minor, gift.currency), held)
