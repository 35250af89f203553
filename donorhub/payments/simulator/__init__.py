"""A stand-in for Stripe, for development and tests: no network, no real money.

It runs as its own process and knows nothing about the rest of DonorHub. In production mode it
refuses to be imported at all.
"""

from __future__ import annotations

import os

if os.environ.get("DONORHUB_ENV") == "production":
    _REFUSAL = "the Stripe simulator cannot be used when DONORHUB_ENV=production"
    raise RuntimeError(_REFUSAL)
