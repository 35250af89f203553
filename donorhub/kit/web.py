"""What every answer of the site has in common: headers, request ids, errors, limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden, HTTPException, NotFound, SecurityError

from donorhub.kit import locales, tokens
from donorhub.kit.settings import Settings
from donorhub.kit.settings import settings as current_settings

log = structlog.get_logger()

LARGEST_BODY = 256 * 1024
LARGEST_FORM_PART = 64 * 1024
MOST_FORM_PARTS = 100
TWO_YEARS = 63_072_000
A_YEAR = 31_536_000
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# research: Content-Security-Policy Level 3; Mozilla HTTP Observatory scoring.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'{forms}; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'; {upgrade}report-uri /csp-report; report-to csp"
)
SWITCHED_OFF = (  # noqa: SIM905 - a line each would be a page
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation "
    "gyroscope magnetometer microphone midi payment picture-in-picture "
    "publickey-credentials-get screen-wake-lock sync-xhr usb xr-spatial-tracking"
).split()
PERMISSIONS = ", ".join(f"{feature}=()" for feature in SWITCHED_OFF)

csrf = CSRFProtect()
FormAgain = Callable[..., str]


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app its limits, cookies, headers, request ids and error pages."""
    _configure(app, settings)
    app.before_request(_begin)
    csrf.init_app(app)
    app.extensions["form_again"] = {}
    app.after_request(lambda response: _finish(response, settings))
    app.register_error_handler(CSRFError, _token_refused)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _failed)


def _configure(app: Flask, settings: Settings) -> None:
    production = settings.is_production
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=list(settings.hosts),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM_PART,
        MAX_FORM_PARTS=MOST_FORM_PARTS,
        SESSION_COOKIE_NAME="__Host-dh" if production else "dh",
        SESSION_COOKIE_SECURE=production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=12 * 3600,
        WTF_CSRF_TIME_LIMIT=4 * 3600,
        WTF_CSRF_SSL_STRICT=production,
        WTF_I18N_ENABLED=False,  # every message of our forms is our own
        PREFERRED_URL_SCHEME="https" if production else "http",
    )


def form_again(app: Flask, endpoint: str, view: FormAgain) -> None:
    """Register what shows a form again, with what was typed, when a request is refused unread."""
    app.extensions["form_again"][endpoint] = view


def allow_form_action(origin: str) -> None:
    """Let forms on the page being made lead on to another origin (Stripe's)."""
    g.form_action = f" {origin}"


def client_address() -> str:
    """Return who sent this request; forwarded addresses count only from trusted proxies."""
    trusted = current_settings().trusted_proxies
    address = request.remote_addr or "unknown"
    if address not in trusted:
        return address
    chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    return next((part for part in reversed(chain) if part and part not in trusted), address)


def _begin() -> None:
    g.request_id = tokens.public_id()
    g.began = time.monotonic_ns()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if any("\0" in text for text in (request.path, *request.args.values())):
        raise NotFound
    cross_site = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if request.method in UNSAFE and cross_site and not _is_exempt():
        raise Forbidden(
            _("This form was sent from another site. Open the page here and try again.")
        )


def _is_exempt() -> bool:
    view = (request.endpoint or "").rsplit(".", 1)[-1]
    names = {name.rsplit(".", 1)[-1] for name in csrf._exempt_views}  # noqa: SLF001
    return view in names


def _finish(response: Response, settings: Settings) -> Response:
    secure = settings.public_url.startswith("https://")
    headers = response.headers
    policy = POLICY.format(
        forms=g.get("form_action", ""), upgrade="upgrade-insecure-requests; " if secure else ""
    )
    headers.setdefault("Content-Security-Policy", policy)
    headers["Reporting-Endpoints"] = 'csp="/csp-report"'
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS}; includeSubDomains"
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    headers["X-Frame-Options"] = "DENY"
    headers["Permissions-Policy"] = PERMISSIONS
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Request-Id"] = g.get("request_id", "")
    headers["Content-Language"] = locales.current()
    _remember_language(response, settings)
    _note(response)
    return response


def _remember_language(response: Response, settings: Settings) -> None:
    wish = request.args.get("lang", "")
    if wish in locales.LOCALES and request.cookies.get(locales.cookie_name()) != wish:
        response.set_cookie(
            locales.cookie_name(),
            wish,
            max_age=A_YEAR,
            secure=settings.is_production,
            httponly=True,
            samesite="Lax",
        )


def _note(response: Response) -> None:
    rule = request.url_rule.rule if request.url_rule else "unknown"
    spent = (time.monotonic_ns() - g.get("began", time.monotonic_ns())) // 1_000_000
    if response.status_code >= HTTPStatus.BAD_REQUEST or spent > 1000:  # noqa: PLR2004 - ms
        log.info("request", method=request.method, rule=rule, status=response.status_code, ms=spent)


def _token_refused(_error: CSRFError) -> ResponseReturnValue:
    notice = _(
        "This page was open for a long time. Everything you typed is still here: send it once more."
    )
    again = _form_again(notice)
    if again is not None:
        return again, HTTPStatus.UNPROCESSABLE_ENTITY
    message = _("This page was open for a long time. Go back, open it again and send it once more.")
    return error_page(HTTPStatus.BAD_REQUEST, message)


def _form_again(notice: str) -> str | None:
    """Show the form of this request with a notice, if it has registered how."""
    view: FormAgain | None = current_app.extensions["form_again"].get(request.endpoint)
    return view(notice, **(request.view_args or {})) if view else None


def _refused(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    if isinstance(error, SecurityError):  # a foreign host name: no link could be made for it
        return Response("This is not the address of this site.\n", 400, mimetype="text/plain")
    code = error.code or 500
    answer: tuple[str, int] = error_page(code)
    if code == HTTPStatus.TOO_MANY_REQUESTS and (again := _form_again(_advice(code)[1])):
        answer = again, code
    headers: list[tuple[str, Any]] = [
        (key, value) for key, value in error.get_headers() if key in ("Allow", "Retry-After")
    ]
    return (*answer, headers)


def _failed(error: Exception) -> ResponseReturnValue:
    log.error("request.failed", error=type(error).__name__, where=_where(error))
    return error_page(500)


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"


def error_page(code: int, message: str = "") -> tuple[str, int]:
    """Return a page that says what happened and what to do next."""
    title, advice = _advice(code)
    page = render_template(
        "error.html",
        code=code,
        title=title,
        message=message or advice,
        request_id=g.get("request_id", ""),
    )
    return page, code


def _advice(code: int) -> tuple[str, str]:
    known = {
        404: (
            _("We could not find this page"),
            _("The address may be mistyped, or the page may have moved. The stories are all here."),
        ),
        405: (_("This page cannot be used that way"), _("Open it from a link instead.")),
        410: (_("This page has been taken down"), _("It is no longer published.")),
        413: (_("That was too much at once"), _("Shorten what you typed and send it again.")),
        429: (
            _("Too many tries"),
            _("Wait a few minutes, then try again. You have not been charged."),
        ),
        503: (_("We are not reachable right now"), _("Try again in a minute. Nothing was lost.")),
    }
    if code not in known and code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _("Something went wrong on our side"), _(
            "It has been noted. Try again in a minute; if you were giving, you will not be "
            "charged twice."
        )
    return known.get(code, (_("This did not work"), _("Go back and try again.")))
