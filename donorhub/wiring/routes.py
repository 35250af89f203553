"""Every address of the site and what guards it; a route without a row stops the start."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

# public: for everyone · token: the address itself carries a secret nobody can guess
# signed: the sender proves who it is.
GUARDS = {
    "giving.campaign_figures": "public",
    "giving.gift_cancelled": "token",
    "giving.gift_page": "token",
    "giving.gift_state": "token",
    "giving.give_form": "public",
    "giving.give_submit": "public",
    "giving.review_page": "token",
    "giving.review_submit": "token",
    "payments.stripe_webhook": "signed",
    "site.campaign_page": "public",
    "site.csp_report": "public",
    "site.fundraise": "public",
    "site.healthz": "public",
    "site.home": "public",
    "site.metrics": "public",
    "site.openapi": "public",
    "site.press": "public",
    "site.readyz": "public",
    "site.robots": "public",
    "site.sitemap": "public",
    "site.story_page": "public",
    "stories.feed": "public",
    "stories.story_list": "public",
}
KINDS = frozenset({"public", "token", "signed"})
_BY_ITSELF = {"HEAD", "OPTIONS"}


class UnguardedRoute(RuntimeError):
    """A route has no guard, or a guard no route; the message names each."""


def check(app: Flask) -> None:
    """Refuse to start unless the table and the routes are the same; raises UnguardedRoute."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    problems = [f"{name} has no guard" for name in sorted(endpoints - GUARDS.keys())]
    problems += [f"{name} is no route" for name in sorted(GUARDS.keys() - endpoints)]
    problems += [f"{name}: no such guard" for name, kind in GUARDS.items() if kind not in KINDS]
    if problems:
        message = "wiring/routes.py: " + "; ".join(problems)
        raise UnguardedRoute(message)


def listing(app: Flask) -> str:
    """Return docs/routes.txt: method, address, endpoint and guard of every route."""
    rows = sorted(row for rule in app.url_map.iter_rules() for row in _rows(rule))
    lines = [
        f"{method:<7} {address:<34} {name:<24} {GUARDS[name]}" for address, method, name in rows
    ]
    return "\n".join(lines) + "\n"


def _rows(rule: Rule) -> Iterator[tuple[str, str, str]]:
    for method in (rule.methods or set()) - _BY_ITSELF:
        yield rule.rule, method, rule.endpoint
