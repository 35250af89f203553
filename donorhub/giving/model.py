"""The gift and how it moves; every move is made on a locked row, forward only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, select
from sqlalchemy.orm import Mapped, mapped_column

from donorhub.giving.rules import (
    DISPUTED,
    ENDED_UNPAID,
    PENDING,
    RECEIVED,
    REFUNDED,
    left_to_match,
)
from donorhub.kit import Base, Money, db, now, session

TALLY_SLOTS = 8


class Gift(Base):
    """What a donor makes."""

    __tablename__ = "gifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str]
    form_key: Mapped[str]
    form_content: Mapped[str]
    campaign_id: Mapped[int]
    story_id: Mapped[int | None]
    donor_id: Mapped[int | None]
    frequency: Mapped[str]
    state: Mapped[str]
    intended_minor: Mapped[int]
    fee_cover_minor: Mapped[int]
    amount_minor: Mapped[int]
    refunded_minor: Mapped[int]
    currency: Mapped[str]
    match_offer_id: Mapped[int | None]
    match_wished_minor: Mapped[int]
    match_promised_minor: Mapped[int]
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    is_anonymous: Mapped[bool]
    locale: Mapped[str]
    sender: Mapped[str]
    hold_until: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def amount(self) -> Money:
        """What the card was charged."""
        return Money(self.amount_minor, self.currency)

    @property
    def intended(self) -> Money:
        """What is meant to reach the work, and what match is counted on."""
        return Money(self.intended_minor, self.currency)

    @property
    def refunded(self) -> Money:
        """What went back to the donor."""
        return Money(self.refunded_minor, self.currency)

    @property
    def matchable(self) -> Money:
        """What match is counted on now."""
        return left_to_match(intended=self.intended, amount=self.amount, refunded=self.refunded)

    @property
    def subject(self) -> str:
        """The name under which payments and the ledger know this gift."""
        return f"gift:{self.public_id}"

    @property
    def is_settled(self) -> bool:
        """Whether money arrived at some time."""
        return self.received_at is not None

    def receive(self, *, donor_id: int, matched: Money) -> None:
        """The money is here: pending, or ended a moment too early, becomes received."""
        if self.state not in (PENDING, *ENDED_UNPAID):
            message = f"a {self.state} gift cannot be received"
            raise ValueError(message)
        if self.state != PENDING:
            self._leave_the_form()
        self.state = RECEIVED
        self.donor_id = donor_id
        self.received_at = now()
        self.ended_at = None
        self.match_promised_minor = min(matched.minor, self.match_wished_minor)

    def give_back(self, refunded: Money, *, by_bank: bool) -> bool:
        """Note what has gone back in all; tell whether the whole gift is gone."""
        self.refunded_minor = refunded.minor
        if refunded < self.amount:
            return False
        self.state = DISPUTED if by_bank else REFUNDED
        self.ended_at = now()
        return True

    def take_back(self, refunded: Money) -> None:
        """Less has gone back than was noted: a refund failed, and the gift counts again."""
        if self.state != RECEIVED:
            self._leave_the_form()
        self.refunded_minor = refunded.minor
        self.state = RECEIVED
        self.ended_at = None

    def _leave_the_form(self) -> None:
        """The form that made this gift may have made another since, which keeps its place."""
        self.form_key = f"{self.form_key}:{self.public_id}"

    def end(self, state: str) -> None:
        """Nothing was paid and nothing can be any more."""
        self.state = state
        self.ended_at = now()

    @property
    def counted(self) -> tuple[int, int]:
        """What the campaign's figures take from this gift: minor units, and gifts."""
        raised = self.amount_minor - self.refunded_minor if self.is_settled else 0
        return raised, int(self.state == RECEIVED)

    def count_since(self, before: tuple[int, int]) -> None:
        """Move the campaign's figures by what changed; last, for everybody waits for that row."""
        minor, gifts = self.counted[0] - before[0], self.counted[1] - before[1]
        if not minor and not gifts:
            return
        db.run(
            "INSERT INTO gift_tallies (campaign_id, slot, currency, raised_minor, gifts) "
            "VALUES (:campaign, :slot, :currency, :minor, :gifts) "
            "ON CONFLICT (campaign_id, slot, currency) DO UPDATE SET "
            "raised_minor = gift_tallies.raised_minor + excluded.raised_minor, "
            "gifts = gift_tallies.gifts + excluded.gifts",
            campaign=self.campaign_id,
            slot=self.id % TALLY_SLOTS,
            currency=self.currency,
            minor=minor,
            gifts=gifts,
        )


def locked(public_id: str) -> Gift | None:
    """Return a gift with its row locked until the unit of work ends."""
    return session.scalars(
        select(Gift)
        .where(Gift.public_id == public_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
