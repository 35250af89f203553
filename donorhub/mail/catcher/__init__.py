"""The mail catcher: an SMTP server that keeps every letter and shows it, for development.

It is its own process (``python -m donorhub.mail.catcher``) and no part of the site.
"""

from __future__ import annotations

import os

if os.environ.get("DONORHUB_ENV") == "production":
    message = "the mail catcher is for development: it cannot be used in production"
    raise ImportError(message)
