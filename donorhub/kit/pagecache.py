"""Public pages kept ready: served before Flask, dropped when what they show has changed.

The truth is one small query, the fingerprint of everything public (match, figures, texts,
hour of the day). Each process asks for it at most every half second; pages made under
another fingerprint are thrown away. Nothing is written when a gift arrives, so no row
becomes hot, and no process can miss a change.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from donorhub.kit import locales, tokens

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()

LARGEST_CACHE = 2_000
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
_PER_RESPONSE = {"X-Request-Id", "Set-Cookie", "Content-Length", "Date"}


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A finished answer: headers, plain body and compressed body."""

    headers: tuple[tuple[str, str], ...]
    plain: bytes
    packed: bytes
    etag: str


class PageCache:
    """WSGI middleware that answers from memory while the fingerprint holds."""

    def __init__(self, app: Flask, fingerprint: Callable[[], str], *, milliseconds: int) -> None:
        self.app = app
        self.inner: WSGIApplication = app.wsgi_app
        self.fingerprint = fingerprint
        self.nanoseconds = milliseconds * 1_000_000
        self.default_locale = app.extensions["settings"].default_locale
        with app.app_context():
            self.cookie = locales.cookie_name() + "="
        self.hosts = frozenset(app.extensions["settings"].hosts)
        self.pages: dict[tuple[str, str], KeptPage] = {}
        self.known = ""
        self.checked = -self.nanoseconds
        self.asking = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory, or let Flask make the page and remember it."""
        if environ["REQUEST_METHOD"] in ("GET", "HEAD") and not environ.get("QUERY_STRING"):
            page = self._kept(environ)
            if page:
                return self._answer(page, environ, start_response)
        return self.inner(environ, start_response)

    def _kept(self, environ: WSGIEnvironment) -> KeptPage | None:
        host = environ.get("HTTP_HOST", "").rsplit(":", 1)[0]
        page = self.pages.get((environ["PATH_INFO"], self._locale(environ)))
        if page is None or host not in self.hosts:
            return None
        return page if self.is_fresh() else None

    def _locale(self, environ: WSGIEnvironment) -> str:
        parts = [part.strip() for part in environ.get("HTTP_COOKIE", "").split(";")]
        chosen = next((part for part in parts if part.startswith(self.cookie)), "")
        header = environ.get("HTTP_ACCEPT_LANGUAGE", "")
        remembered = chosen.removeprefix(self.cookie)
        return locales.preferred("", remembered, header, self.default_locale)

    def is_fresh(self) -> bool:
        """Ask, at most every so often, whether anything public changed; forget if so."""
        if time.monotonic_ns() - self.checked < self.nanoseconds:
            return True
        if not self.asking.acquire(blocking=False):
            return True
        try:
            with self.app.app_context():
                found = self.fingerprint()
            fresh = found == self.known
            if not fresh:
                self.pages = {}
                self.known = found
        except SQLAlchemyError as error:
            log.warning("page_cache.database_unreachable", error=type(error).__name__)
            fresh = True
        finally:
            self.checked = time.monotonic_ns()
            self.asking.release()
        return fresh

    def keep(self, path: str, locale: str, response: Response) -> KeptPage:
        """Remember a finished page under the fingerprint it was asked for with."""
        if len(self.pages) >= LARGEST_CACHE:
            self.pages = {}
        body = response.get_data()
        etag = 'W/"' + hashlib.sha256(body).hexdigest()[:20] + '"'
        headers = tuple((k, v) for k, v in response.headers.items() if k not in _PER_RESPONSE)
        packed = gzip.compress(body, 6, mtime=0)
        page = self.pages[path, locale] = KeptPage(headers, body, packed, etag)
        return page

    def _answer(
        self, page: KeptPage, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        headers = [*page.headers, ("ETag", page.etag), ("X-Request-Id", tokens.public_id())]
        if page.etag.removeprefix("W/") in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", headers)
            return ()
        body = page.plain
        if _GZIP.search(environ.get("HTTP_ACCEPT_ENCODING", "")):
            body = page.packed
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        start_response("200 OK", headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (body,)


def init_app(app: Flask, fingerprint: Callable[[], str]) -> None:
    """Put the cache before the app and let views mark their pages with ``keep_ready``."""
    milliseconds = app.extensions["settings"].page_cache_ms
    cache = PageCache(app, fingerprint, milliseconds=milliseconds)
    app.extensions["page_cache"] = cache
    app.wsgi_app = cache  # type: ignore[method-assign]

    @app.after_request
    def remember(response: Response) -> Response:
        wanted = g.get("keep_page") is not None and request.method == "GET"
        plain = not request.query_string and "Set-Cookie" not in response.headers
        if wanted and plain and response.status_code == HTTPStatus.OK and milliseconds > 0:
            response.headers["Cache-Control"] = "no-cache"
            response.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
            if g.keep_page == cache.known:
                page = cache.keep(request.path, locales.current(), response)
                if _GZIP.search(request.headers.get("Accept-Encoding", "")):
                    response.set_data(page.packed)
                    response.headers["Content-Encoding"] = "gzip"
        return response


def keep_ready() -> None:
    """Mark the page being made as one that may be kept until something public changes."""
    cache: PageCache | None = current_app.extensions.get("page_cache")
    if cache:
        cache.is_fresh()
        g.keep_page = cache.known
