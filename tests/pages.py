"""What no page may have: every page that any test is given is checked against these rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from donorhub.kit.locales import LOCALES
from tests.reading import Page

UNLABELLED = frozenset({"hidden", "submit", "button"})
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list")
LOADED = {"img": "src", "script": "src", "source": "src", "iframe": "src", "embed": "src"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Frame-Options": "DENY",
}


def check_page(html: str) -> Page:
    """Return the page as read; AssertionError names everything that is wrong with it."""
    page = Page(html)
    wrong = [fault for rule in RULES for fault in rule(page)]
    assert not wrong, "\n".join(wrong)
    return page


def _frame(page: Page) -> list[str]:
    """A document type, a language, a title, one heading of the first rank, one main part."""
    wrong = [] if page.html.lstrip().lower().startswith("<!doctype html>") else ["no doctype"]
    if [each.get("lang") in LOCALES for each in page.all("html")] != [True]:
        wrong.append("<html lang> is missing or unknown")
    titles = [text for text in page.texts.get("title", []) if text.strip()]
    for what, count in (("title", len(titles)), *((t, len(page.all(t))) for t in ("h1", "main"))):
        if count != 1:
            wrong.append(f"{count} {what} instead of one")
    leaks = [sign for sign in ("%(", "{{", "{%", "&amp;lt;", "Undefined") if sign in page.words]
    return wrong + [f"{sign!r} in the text" for sign in leaks]


def _ids(page: Page) -> list[str]:
    """Every id once, and nothing that refers to one that is missing."""
    counts = Counter(found["id"] for _, found, _ in page.elements if "id" in found)
    wrong = [f"id {name!r} stands {count} times" for name, count in counts.items() if count > 1]
    for tag, found, _ in page.elements:
        names = [name for key in REFERENCES for name in found.get(key, "").split()]
        names += [found["href"][1:]] if found.get("href", "").startswith("#") else []
        wrong += [f"<{tag}> refers to #{name}" for name in names if name not in counts]
    return wrong


def _fields(page: Page) -> list[str]:
    """Every field a label; every form a method, an address and, to change things, a token."""
    labelled = {label.get("for") for label in page.all("label")}
    wrong = []
    for tag, found, around in page.elements:
        if tag not in ("input", "select", "textarea") or found.get("type") in UNLABELLED:
            continue
        own = found.get("aria-label") or found.get("aria-labelledby")
        if not (own or "label" in around or found.get("id") in labelled):
            wrong.append(f"{tag} {found.get('name')!r} has no label")
    forms = page.all("form")
    if any(not form.get("action") or not form.get("method") for form in forms):
        wrong.append("a form without method or action")
    tokens = [each for each in page.all("input") if each.get("name") == "csrf_token"]
    sending = [form for form in forms if form.get("method", "").lower() == "post"]
    if len([token for token in tokens if token.get("value")]) != len(sending):
        wrong.append("a form without a token, or a token without a form")
    return wrong


def _inline(page: Page) -> list[str]:
    """No style, script or event handler in the page; nothing fetched from anybody else."""
    wrong = [f"<{tag}> in the page" for tag in ("style", "base", "iframe") if page.all(tag)]
    for tag, found, _ in page.elements:
        wrong += [f"<{tag} {n}>" for n in found if n == "style" or n.startswith("on")]
        if tag == "script" and not found.get("src"):
            wrong.append("an inline script")
        address = found.get(LOADED.get(tag, ""), "")
        if tag == "link" and found.get("rel") in ("stylesheet", "preload", "icon", "modulepreload"):
            address = found["href"]
        if address and not address.startswith("/static/"):
            wrong.append(f"<{tag}> loads {address}")
        if urlsplit(found.get("href", "")).scheme not in ("", "http", "https", "mailto", "tel"):
            wrong.append(f"a link to {found['href']}")
    return wrong


def _pictures_and_headings(page: Page) -> list[str]:
    """Pictures say what they show and keep their place; headings go down one step at a time."""
    wrong = [
        f"picture {found.get('src')} lacks {name}"
        for found in page.all("img")
        for name in ("alt", "width", "height")
        if name not in found
    ]
    ranks = [
        int(t[1]) for t, _, _ in page.elements if len(t) == 2 and t[0] == "h" and t[1:].isdigit()
    ]
    steps = zip([0, *ranks], ranks, strict=False)
    return wrong + [f"h{low} follows h{high}" for high, low in steps if low > high + 1]


RULES = (_frame, _ids, _fields, _inline, _pictures_and_headings)


def check_answer(answer: TestResponse) -> Page:
    """Check a page's headers and the page itself."""
    assert answer.content_type == "text/html; charset=utf-8"
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert len(answer.headers["X-Request-Id"]) == 22
    page = check_page(answer.text)
    assert answer.headers["Content-Language"] == page.all("html")[0]["lang"]
    return page


class CheckingClient(FlaskClient):
    """A test client that checks every page any test is given."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        if answer.mimetype == "text/html" and answer.data and not answer.location:
            answer.page = check_answer(answer)
        return answer


def browsing(client: FlaskClient) -> Callable[..., Page]:
    """Return `browse(address, status=200, …)`: a GET that gives the page as it was read."""

    def browse(address: str, *, status: int = 200, **options: Any) -> Page:
        answer = client.get(address, **options)
        assert answer.status_code == status, answer.text[:500]
        return answer.page

    return browse
