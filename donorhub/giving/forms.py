"""The giving form: decides, explains, and returns domain values."""

from __future__ import annotations

import secrets
from decimal import Decimal

from email_validator import EmailNotValidError, validate_email
from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import ValidationError

from donorhub import mail
from donorhub.giving.rules import LONGEST_EMAIL, LONGEST_MESSAGE, LONGEST_NAME
from donorhub.kit import Money, NotAnAmount, current_settings, locales, one_line, present, tokens
from donorhub.payments import FeeRule

FASTEST_SECONDS = 2
LONGEST_OPEN_SECONDS = 14 * 24 * 3600


def fee_rule() -> FeeRule:
    """Return the charity's card fee as its settings give it."""
    settings = current_settings()
    return FeeRule(settings.stripe_fee_percent, settings.stripe_fee_fixed_minor)


class GiveForm(FlaskForm):  # type: ignore[misc]
    """What a donor types. After ``accepted()`` the properties hold values, not text."""

    amount = StringField(_l("Amount"))
    frequency = HiddenField(default="once")
    first_name = StringField(_l("First name"))
    last_name = StringField(_l("Last name"))
    email = StringField(_l("E-mail"))
    cover_fee = BooleanField(_l("Cover the fee"))
    anonymous = BooleanField(_l("Give without my name"))
    message = TextAreaField(_l("A message"))
    story = HiddenField(filters=[lambda slug: one_line(slug or "", LONGEST_NAME)])
    page = HiddenField(filters=[lambda slug: one_line(slug or "", LONGEST_NAME)])
    form_key = HiddenField()
    website = StringField()

    class Meta:
        """The token is checked for every unsafe request before the form sees it."""

        csrf_time_limit = None

    def __init__(self, currency: str, **values: object) -> None:
        self.currency = currency
        self.money: Money | None = None
        super().__init__(**values)
        if not self.form_key.data:
            self.form_key.data = tokens.sign("give-form", {"key": secrets.token_hex(8)})
        self.tile = request.form.get("amount_tile", "")

    @property
    def typed_amount(self) -> str:
        """The own amount if one was typed, else the tile that was chosen."""
        return (self.amount.data or "").strip() or self.tile.strip()

    @property
    def fee_cover(self) -> Money:
        """What the donor adds so that the whole gift reaches the work; nothing if not asked."""
        gift = self.money or Money.zero(self.currency)
        return fee_rule().cover(gift) if self.cover_fee.data else Money.zero(self.currency)

    @property
    def hidden_refusal(self) -> str | None:
        """What is wrong with a field that nobody sees, to be said at the top of the form."""
        errors = [*self.form_key.errors, *self.website.errors, *self.frequency.errors]
        return str(errors[0]) if errors else None

    def validate_form_key(self, field: HiddenField) -> None:
        """Refuse what no person could have typed so fast; sending it again is enough."""
        if not current_settings().abuse_limits:
            return
        known = tokens.read("give-form", field.data or "", max_age=LONGEST_OPEN_SECONDS)
        too_fast = tokens.read("give-form", field.data or "", max_age=FASTEST_SECONDS - 1)
        if known is None:
            field.data = tokens.sign("give-form", {"key": secrets.token_hex(8)})
        if known is None or too_fast:
            raise ValidationError(_("That was faster than people type. Send it once more."))

    def accepted(self) -> bool:
        """Check everything; each refusal stands beside its field and says what to type."""
        accepted: bool = self.validate_on_submit()
        return accepted

    def validate_amount(self, field: StringField) -> None:
        """Accept an amount within the limits, in the reader's way of writing."""
        if not self.typed_amount:
            raise ValidationError(_("Choose an amount, or enter one like 25 or 25.50."))
        try:
            money = Money.parse(self.typed_amount, self.currency, locales.current())
        except NotAnAmount:
            raise ValidationError(_("Enter an amount like 25 or 25.50.")) from None
        settings = current_settings()
        least = Money(settings.minimum_gift_minor, self.currency)
        most = Money(settings.maximum_gift_minor, self.currency)
        if money < least:
            text = _(
                "The least that can be given here is %(least)s.", least=present.money_text(least)
            )
            raise ValidationError(text)
        if most < money + fee_rule().cover(money):
            text = _(
                "The most that can be given here at once is %(most)s. For more, write to us.",
                most=present.money_text(_round(most)),
            )
            raise ValidationError(text)
        self.money = money
        del field

    def validate_frequency(self, field: HiddenField) -> None:
        """Only gifts made once exist so far."""
        if field.data != "once":
            raise ValidationError(_("Gifts can be made once for now."))

    def validate_first_name(self, field: StringField) -> None:
        """Ask for a first name."""
        field.data = self._name(field.data, _("Enter your first name."))

    def validate_last_name(self, field: StringField) -> None:
        """Ask for a last name."""
        field.data = self._name(field.data, _("Enter your last name."))

    def _name(self, typed: str | None, missing: str) -> str:
        name = one_line(typed or "", LONGEST_NAME + 1)
        if not name:
            raise ValidationError(missing)
        if len(name) > LONGEST_NAME:
            raise ValidationError(_("Enter a name of at most 80 characters."))
        return name

    def validate_email(self, field: StringField) -> None:
        """Ask for an address that a letter can be sent to."""
        typed = (field.data or "").strip()
        if not typed:
            raise ValidationError(_("Enter your e-mail address, for your thank-you letter."))
        wrong = _("Enter an e-mail address like name@example.org.")
        try:
            found = validate_email(
                typed[: LONGEST_EMAIL + 1], check_deliverability=False, test_environment=True
            )
        except EmailNotValidError:
            raise ValidationError(wrong) from None
        if mail.address_fault(found.normalized):
            raise ValidationError(wrong)
        field.data = found.normalized

    def validate_message(self, field: TextAreaField) -> None:
        """Accept a short message."""
        lines = (field.data or "").replace("\r\n", "\n").split("\n")
        text = "\n".join(one_line(line, LONGEST_MESSAGE * 2) for line in lines).strip()
        if len(text) > LONGEST_MESSAGE:
            raise ValidationError(_("Shorten your message to 500 characters."))
        field.data = text

    def validate_website(self, field: StringField) -> None:
        """People do not see this field; only programs fill it."""
        if field.data:
            raise ValidationError(_("Leave this field empty."))


def _round(most: Money) -> Money:
    """Round the limit down, so that the page never names an amount it would refuse."""
    step = 10 ** max(len(str(most.minor)) - 2, 0)
    return Money(most.minor // step * step, most.currency)


class ReviewForm(FlaskForm):  # type: ignore[misc]
    """Only a token: the choice is the button that was pressed."""


def percent_text(rule: FeeRule) -> str:
    """Return the fee's percentage without needless zeros."""
    return f"{rule.percent.normalize():f}" if rule.percent else str(Decimal(0))
