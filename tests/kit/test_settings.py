"""Settings: read once, and everything that is wrong is named at once."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal

import pytest

from donorhub.kit import Settings, SettingsError

STRONG = "0123456789abcdef" * 3
GOOD = {
    "DATABASE_URL": "postgresql://db/donorhub",
    "SECRET_KEY": STRONG,
    "STRIPE_SECRET_KEY": "sk_live_1",
    "STRIPE_WEBHOOK_SECRET": STRONG,
    "MAIL_SERVER": "mail.example.org",
    "MAIL_DEFAULT_SENDER": "letters@example.org",
    "SAFEGUARDING_KEY": STRONG,
    "DONORHUB_ENV": "production",
    "PUBLIC_URL": "https://give.example.org/",
    "TRUSTED_HOSTS": "give.example.org, www.example.org",
}
SECRETS = ["SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SAFEGUARDING_KEY"]


def refused(**changes) -> str:
    env = {name: value for name, value in (GOOD | changes).items() if value is not None}
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env(env)
    return str(refusal.value)


def test_a_good_environment_is_read():
    found = Settings.from_env(GOOD)
    assert found.is_production
    assert found.livemode
    assert found.public_url == "https://give.example.org"
    assert found.hosts == ("give.example.org", "www.example.org")
    assert found.checkout_origin == "https://checkout.stripe.com"


def test_all_that_is_missing_is_named_at_once():
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env({})
    for name in set(GOOD) - {"DONORHUB_ENV", "PUBLIC_URL", "TRUSTED_HOSTS"}:
        assert f"{name} is missing" in str(refusal.value)


def test_all_that_production_refuses_is_named_at_once():
    message = refused(
        SECRET_KEY="secret", PUBLIC_URL="http://give.example.org", TRUSTED_HOSTS=None,
        STRIPE_API_BASE="http://127.0.0.1:8001", ABUSE_LIMITS="off",
    )  # fmt: skip
    for name in ("SECRET_KEY", "PUBLIC_URL", "TRUSTED_HOSTS", "STRIPE_API_BASE", "ABUSE_LIMITS"):
        assert name in message


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("weak", ["secret", "changeme", "x" * 31, " " * 40])
def test_production_refuses_a_weak_secret_and_never_repeats_it(name, weak):
    message = refused(**{name: weak})
    assert name in message
    assert weak.strip() == "" or f"{weak}'" not in message


@pytest.mark.parametrize("name", SECRETS)
def test_development_takes_a_short_secret(name):
    assert Settings.from_env(GOOD | {name: "short", "DONORHUB_ENV": "development"})


@pytest.mark.parametrize("typed", ["prod", "Production", "PRODUCTION", "staging"])
def test_a_mistyped_environment_does_not_pass_for_development(typed):
    assert "DONORHUB_ENV" in refused(DONORHUB_ENV=typed)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("MAIL_PORT", "smtp"), ("MAIL_PORT", "-1"), ("MAIL_PORT", "٢٥"), ("DATABASE_POOL", "1.5"),
        ("STRIPE_FEE_PERCENT", "NaN"), ("STRIPE_FEE_PERCENT", "-1"), ("STRIPE_FEE_PERCENT", "100"),
        ("MATCH_HOLD_SHARE", "1.01"), ("MATCH_HOLD_SHARE", "a quarter"), ("TIMEZONE", "Toronto"),
        ("TIMEZONE", "../etc/passwd"), ("MAIL_USE_TLS", "maybe"), ("DEFAULT_LOCALE", "de"),
        ("DEFAULT_CURRENCY", "dollars"), ("DEFAULT_CURRENCY", "cad"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_by_name(name, wrong):
    assert name in refused(**{name: wrong})


def test_blank_means_not_set():
    found = Settings.from_env(GOOD | {"TIMEZONE": " ", "STRIPE_FEE_PERCENT": ""})
    assert (found.timezone, found.stripe_fee_percent) == ("America/Toronto", Decimal("2.9"))


def test_secrets_never_stand_in_the_representation():
    env = GOOD | {
        "STRIPE_SECRET_KEY": "sk_live_seen",
        "MAIL_PASSWORD": "seen",
        "SECRET_KEY": STRONG,
    }
    shown = repr(Settings.from_env(env))
    assert "seen" not in shown
    assert STRONG not in shown


def test_local_names_are_hosts_in_development_only():
    assert "localhost" in Settings.from_env(GOOD | {"DONORHUB_ENV": "development"}).hosts
    assert "localhost" not in Settings.from_env(GOOD).hosts


def test_forms_may_lead_to_the_simulator_where_there_is_one():
    env = GOOD | {"DONORHUB_ENV": "development", "STRIPE_API_BASE": "http://127.0.0.1:8001/"}
    assert Settings.from_env(env).checkout_origin == "http://127.0.0.1:8001"


@pytest.mark.parametrize("module", ["donorhub.payments.simulator", "donorhub.mail.catcher"])
def test_what_stands_in_for_the_world_cannot_be_imported_in_production(module):
    ran = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env=os.environ | {"DONORHUB_ENV": "production"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "production" in ran.stderr.splitlines()[-1]
