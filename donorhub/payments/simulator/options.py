"""What the simulator is started with; fixed for the life of the process."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "STRIPE_SIMULATOR_"

#: The events a DonorHub endpoint subscribes to at Stripe; `*` subscribes to every one.
SUBSCRIBED_EVENTS = (
    "checkout.session.completed checkout.session.async_payment_succeeded "
    "checkout.session.async_payment_failed checkout.session.expired "
    "payment_intent.succeeded payment_intent.payment_failed payment_intent.processing "
    "payment_intent.canceled charge.succeeded charge.updated charge.failed charge.refunded "
    "refund.created refund.updated refund.failed charge.dispute.created charge.dispute.updated "
    "charge.dispute.closed charge.dispute.funds_withdrawn charge.dispute.funds_reinstated"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where the simulator listens, keeps its state and sends its events, and what it charges."""

    state: str = ":memory:"
    public_url: str = "http://127.0.0.1:8001"
    site_url: str = "http://127.0.0.1:8000"
    webhook_url: str = ""
    webhook_secrets: tuple[str, ...] = ()
    webhook_events: frozenset[str] = frozenset(SUBSCRIBED_EVENTS.split())
    webhook_workers: int = 4
    fee_percent: Decimal = Decimal("2.9")
    fee_fixed: int = 30
    fee_delay_ms: int = 1000
    dispute_fee: int = 1500

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Options:
        """Read what `to_env` wrote; a name that is missing keeps its default."""
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX)
        }
        default = cls()
        return cls(
            state=given.get("state", default.state),
            public_url=given.get("public_url", default.public_url),
            site_url=given.get("site_url", default.site_url),
            webhook_url=given.get("webhook_url", default.webhook_url),
            webhook_secrets=tuple(given.get("webhook_secrets", "").split()),
            webhook_events=frozenset(given.get("webhook_events", SUBSCRIBED_EVENTS).split()),
            webhook_workers=int(given.get("webhook_workers", default.webhook_workers)),
            fee_percent=Decimal(given.get("fee_percent", default.fee_percent)),
            fee_fixed=int(given.get("fee_fixed", default.fee_fixed)),
            fee_delay_ms=int(given.get("fee_delay_ms", default.fee_delay_ms)),
            dispute_fee=int(given.get("dispute_fee", default.dispute_fee)),
        )

    def to_env(self) -> dict[str, str]:
        """The same options as environment variables, for the process that serves."""
        return {
            PREFIX + "STATE": self.state,
            PREFIX + "PUBLIC_URL": self.public_url,
            PREFIX + "SITE_URL": self.site_url,
            PREFIX + "WEBHOOK_URL": self.webhook_url,
            PREFIX + "WEBHOOK_SECRETS": " ".join(self.webhook_secrets),
            PREFIX + "WEBHOOK_EVENTS": " ".join(sorted(self.webhook_events)),
            PREFIX + "WEBHOOK_WORKERS": str(self.webhook_workers),
            PREFIX + "FEE_PERCENT": str(self.fee_percent),
            PREFIX + "FEE_FIXED": str(self.fee_fixed),
            PREFIX + "FEE_DELAY_MS": str(self.fee_delay_ms),
            PREFIX + "DISPUTE_FEE": str(self.dispute_fee),
        }

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are sent to the webhook address."""
        if not self.webhook_url:
            return False
        return "*" in self.webhook_events or event_type in self.webhook_events
