"""What the tests of giving share with those of pages and of Stripe."""

from __future__ import annotations

from tests.payments.conftest import impatient, quick, stripe_side
from tests.site.conftest import form, made

__all__ = ["form", "impatient", "made", "quick", "stripe_side"]
