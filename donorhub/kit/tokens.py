"""Names nobody can guess, and values nobody can change on the way."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

PUBLIC_ID_BYTES = 16


def public_id() -> str:
    """Return 128 random bits as 22 signs that are safe in an address."""
    return secrets.token_urlsafe(PUBLIC_ID_BYTES)


def fingerprint(purpose: str, value: str) -> str:
    """Return a keyed digest of a value: the same for the same value, and not reversible."""
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()[:40]


def sign(purpose: str, value: Mapping[str, Any]) -> str:
    """Return a token that carries ``value`` for one purpose."""
    return _serializer(purpose).dumps(dict(value))


def read(purpose: str, token: str, *, max_age: int) -> dict[str, Any] | None:
    """Return what a token carries, or None if it is forged, foreign or older than seconds."""
    try:
        value = _serializer(purpose).loads(token, max_age=max_age)
    except BadData:
        return None
    return value if isinstance(value, dict) else None


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"donorhub.{purpose}")
