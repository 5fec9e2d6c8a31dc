"""CSRF tokens: a time stamp with its HMAC, checked on every change outside development.

The dashboard fetches one per page load and never renews it, so a token lives for a week. Requests of the voice and SMS
providers carry signatures of their own instead.
"""

import hashlib
import hmac
import time
from datetime import UTC, datetime

from flask import Flask, Response, current_app, request

from voxanne.config import Settings
from voxanne.errors import Forbidden

LIFE_SECONDS = 7 * 24 * 3600
_CLOCK_SKEW_SECONDS = 60
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_EXEMPT = ("/api/webhooks/", "/api/webhook/", "/api/vapi/")
_FORMS = "/ops/"


def issue() -> tuple[str, datetime]:
    """Return a new token and when it expires."""
    now = time.time()
    stamp = str(int(now * 1000))
    return f"{stamp}:{_mac(stamp)}", datetime.fromtimestamp(now + LIFE_SECONDS, UTC)


def valid(token: str) -> bool:
    """Return whether this program issued the token and it has not expired."""
    stamp, _, mac = token.partition(":")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):  # noqa: PLR2004
        return False
    if not hmac.compare_digest(mac.encode(), _mac(stamp).encode()):
        return False
    age = time.time() - int(stamp) / 1000
    return -_CLOCK_SKEW_SECONDS <= age <= LIFE_SECONDS


def check() -> None:
    """Refuse a changing request without a valid token, except where there is no such route: a 404 or 405 says more."""
    if request.url_rule is None or request.method not in _CHANGING or request.path.startswith(_EXEMPT):
        return
    if request.path.startswith(_FORMS) and _from_own_page():
        return
    token = request.headers.get("X-CSRF-Token") or request.headers.get("CSRF-Token")
    if not token:
        raise Forbidden("Missing CSRF token: fetch /api/csrf-token and send X-CSRF-Token.", code="CSRF_TOKEN_MISSING")
    if not valid(token):
        raise Forbidden("Invalid or expired CSRF token: reload the page.", code="CSRF_TOKEN_INVALID")


def _from_own_page() -> bool:
    """Return whether the browser says that a page of this server sent the form.

    A form can't send a header, and a token in one of its fields would prove nothing: anybody can fetch a token and put
    it into a form on another site.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    # Browsers leave it out where there is no TLS.
    return request.headers.get("Origin") == request.host_url.rstrip("/")


def init_app(app: Flask) -> None:
    """Check changes (outside development) and hand out a fresh token with every reply."""
    settings: Settings = app.config["SETTINGS"]
    if settings.app_env != "development":
        app.before_request(check)
    app.after_request(_attach)


def _attach(response: Response) -> Response:
    response.headers["X-CSRF-Token"] = issue()[0]
    return response


def _mac(stamp: str) -> str:
    settings: Settings = current_app.config["SETTINGS"]
    return hmac.new(settings.signing_key.encode(), b"csrf:" + stamp.encode(), hashlib.sha256).hexdigest()
