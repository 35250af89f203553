"""Settings: read once from the environment, and every missing one named at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app

from donorhub.kit.locales import LOCALES

ENVIRONMENTS = ("development", "production")
WEAK_SECRETS = frozenset({"", "secret", "changeme", "development", "dev", "test"})
LEAST_SECRET_LENGTH = 32
MOST_FEE_PERCENT = 20
STRIPE_API = "https://api.stripe.com"
STRIPE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"


class SettingsError(RuntimeError):
    """Settings are missing, weak or contradictory; the message names every one."""


@dataclass(frozen=True)
class Settings:
    """Everything the environment decides. Durations in seconds, amounts in minor units."""

    database_url: str
    secret_key: str = field(repr=False)
    environment: str = "development"
    public_url: str = "http://127.0.0.1:8000"
    trusted_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    organisation_name: str = ""
    charity_file: str = ""
    default_currency: str = "CAD"
    default_locale: str = "en"
    timezone: str = "America/Toronto"
    stripe_secret_key: str = field(default="", repr=False)
    stripe_webhook_secret: str = field(default="", repr=False)
    stripe_webhook_secret_previous: str = field(default="", repr=False)
    stripe_api_base: str = STRIPE_API
    stripe_fee_percent: Decimal = Decimal("2.9")
    stripe_fee_fixed_minor: int = 30
    mail_server: str = ""
    mail_port: int = 25
    mail_username: str = ""
    mail_password: str = field(default="", repr=False)
    mail_use_tls: bool = False
    mail_default_sender: str = ""
    safeguarding_key: str = field(default="", repr=False)
    abuse_limits: bool = True
    minimum_gift_minor: int = 100
    maximum_gift_minor: int = 99_999_999
    match_hold_share: Decimal = Decimal("0.25")
    database_pool: int = 10
    page_cache_ms: int = 500

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the environment; raise SettingsError naming all that is wrong, at once."""
        reader = _Reader(env)
        environment = reader.choice("DONORHUB_ENV", cls.environment, ENVIRONMENTS)
        production = environment == "production"
        settings = cls(
            database_url=reader.required("DATABASE_URL"),
            secret_key=reader.secret("SECRET_KEY", production=production),
            environment=environment,
            public_url=reader.text("PUBLIC_URL", cls.public_url).rstrip("/"),
            trusted_hosts=reader.words("TRUSTED_HOSTS"),
            trusted_proxies=reader.words("TRUSTED_PROXIES"),
            organisation_name=reader.text("ORGANISATION_NAME", ""),
            charity_file=reader.text("CHARITY_FILE", ""),
            default_currency=reader.currency("DEFAULT_CURRENCY", cls.default_currency),
            default_locale=reader.choice("DEFAULT_LOCALE", cls.default_locale, LOCALES),
            timezone=reader.zone("TIMEZONE", cls.timezone),
            stripe_secret_key=reader.required("STRIPE_SECRET_KEY"),
            stripe_webhook_secret=reader.secret("STRIPE_WEBHOOK_SECRET", production=production),
            stripe_webhook_secret_previous=reader.text("STRIPE_WEBHOOK_SECRET_PREVIOUS", ""),
            stripe_api_base=reader.text("STRIPE_API_BASE", STRIPE_API).rstrip("/"),
            stripe_fee_percent=reader.number(
                "STRIPE_FEE_PERCENT", cls.stripe_fee_percent, most=MOST_FEE_PERCENT
            ),
            stripe_fee_fixed_minor=reader.whole("STRIPE_FEE_FIXED_MINOR", 30),
            mail_server=reader.required("MAIL_SERVER"),
            mail_port=reader.whole("MAIL_PORT", 25),
            mail_username=reader.text("MAIL_USERNAME", ""),
            mail_password=reader.text("MAIL_PASSWORD", ""),
            mail_use_tls=reader.yes("MAIL_USE_TLS", default=False),
            mail_default_sender=reader.required("MAIL_DEFAULT_SENDER"),
            safeguarding_key=reader.secret("SAFEGUARDING_KEY", production=production),
            abuse_limits=reader.yes("ABUSE_LIMITS", default=True),
            minimum_gift_minor=reader.whole("MINIMUM_GIFT_MINOR", 100),
            match_hold_share=reader.number("MATCH_HOLD_SHARE", cls.match_hold_share, most=1),
            database_pool=reader.whole("DATABASE_POOL", 10),
            page_cache_ms=reader.whole("PAGE_CACHE_MS", 500),
        )
        if production:
            settings.check_production(reader)
        reader.finish()
        return settings

    def check_production(self, reader: _Reader) -> None:
        """Note everything that belongs to development only."""
        if not self.public_url.startswith("https://"):
            reader.wrong("PUBLIC_URL", "must begin with https:// in production")
        if self.stripe_api_base != STRIPE_API:
            reader.wrong("STRIPE_API_BASE", "must not be set in production")
        if not self.trusted_hosts:
            reader.wrong("TRUSTED_HOSTS", "must list the site's host names in production")
        if not self.abuse_limits:
            reader.wrong("ABUSE_LIMITS", "cannot be off in production")

    @property
    def is_production(self) -> bool:
        """Whether real people and real money are at stake."""
        return self.environment == "production"

    @property
    def livemode(self) -> bool:
        """Whether the Stripe key moves real money."""
        return "_live_" in self.stripe_secret_key

    @property
    def checkout_origin(self) -> str:
        """The origin of the page on which donors pay."""
        if self.stripe_api_base == STRIPE_API:
            return STRIPE_CHECKOUT_ORIGIN
        parts = urlsplit(self.stripe_api_base)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the charity tells the time."""
        return ZoneInfo(self.timezone)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that requests may carry."""
        own = urlsplit(self.public_url).hostname or "127.0.0.1"
        local = () if self.is_production else ("127.0.0.1", "localhost")
        return tuple(dict.fromkeys((*self.trusted_hosts, own, *local)))


class _Reader:
    """Reads variables one by one and remembers what was wrong."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def wrong(self, name: str, why: str) -> None:
        self.problems.append(f"{name} {why}")

    def text(self, name: str, default: str) -> str:
        return self.env.get(name, "").strip() or default

    def required(self, name: str) -> str:
        value = self.text(name, "")
        if not value:
            self.wrong(name, "is missing")
        return value

    def secret(self, name: str, *, production: bool) -> str:
        value = self.required(name)
        weak = value.lower() in WEAK_SECRETS or len(value) < LEAST_SECRET_LENGTH
        if value and production and weak:
            self.wrong(name, f"is weak: use at least {LEAST_SECRET_LENGTH} random characters")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(self.env.get(name, "").replace(",", " ").split())

    def whole(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit():
            return int(value)
        self.wrong(name, "must be a whole number")
        return default

    def number(self, name: str, default: Decimal, *, most: int) -> Decimal:
        try:
            value = Decimal(self.text(name, str(default)))
        except InvalidOperation:
            value = Decimal("NaN")
        if value.is_finite() and 0 <= value <= most:
            return value
        self.wrong(name, f"must be a number from 0 to {most}")
        return default

    def choice(self, name: str, default: str, known: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value in known:
            return value
        self.wrong(name, f"must be {' or '.join(known)}")
        return default

    def currency(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if len(value) == 3 and value.isascii() and value.isalpha() and value.isupper():  # noqa: PLR2004 - ISO 4217
            return value
        self.wrong(name, "must be an ISO 4217 code such as CAD")
        return default

    def yes(self, name: str, *, default: bool) -> bool:
        value = self.text(name, "on" if default else "off").lower()
        if value in {"on", "yes", "true", "1"}:
            return True
        if value not in {"off", "no", "false", "0"}:
            self.wrong(name, "must be on or off")
        return False

    def zone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            self.wrong(name, "must be a time zone such as America/Toronto")
            return default
        return value

    def finish(self) -> None:
        if self.problems:
            message = "These settings need attention:\n  " + "\n  ".join(self.problems)
            raise SettingsError(message)


def settings() -> Settings:
    """Return the settings of the running app."""
    found: Settings = current_app.extensions["settings"]
    return found


def read_charity(path: str) -> dict[str, Any]:
    """Read the charity's own words (name, purpose, contacts), by language."""
    if not path:
        return {}
    return tomllib.loads(Path(path).read_text(encoding="utf-8"))
