"""What every reply carries whatever the route: request id, CORS, security headers, compression, a body limit."""

import re
import uuid

from flask import Flask, Response, g, request
from flask_compress import Compress
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from voxanne.config import Settings

MAX_BODY_BYTES = 1_000_000
PREFLIGHT_SECONDS = 86_400
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_EXPOSED = [
    "Retry-After", "X-Request-ID", "X-CSRF-Token", "Content-Disposition", "RateLimit-Limit", "RateLimit-Remaining",
    "RateLimit-Reset", "Server-Timing", "ETag",
]  # fmt: skip
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def init_app(app: Flask) -> None:
    """Register the request id first, so that every later step and error can name it."""
    settings: Settings = app.config["SETTINGS"]
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["COMPRESS_ALGORITHM"] = ["gzip"]
    app.config["COMPRESS_MIN_SIZE"] = 1024
    # Half the time of the default level for a page of calls, which becomes 7 % longer.
    app.config["COMPRESS_LEVEL"] = 3
    # conditional.py answers 304, and before it has asked for the reply.
    app.config["COMPRESS_EVALUATE_CONDITIONAL_REQUEST"] = False
    app.before_request(_name_request)
    app.after_request(_secure)
    CORS(
        app,
        # The page for operators goes by a cookie, and no other page may read it.
        resources=r"/(?!ops(?:/|$)).*",
        origins=list(settings.cors_origin),
        supports_credentials=True,
        methods=["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"],
        allow_headers=["Content-Type", "Authorization", "X-Request-ID", "X-CSRF-Token", "CSRF-Token", "If-None-Match"],
        expose_headers=_EXPOSED,
        max_age=PREFLIGHT_SECONDS,
        always_send=False,
    )
    app.before_request(_answer_preflight)
    Compress(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]


def _name_request() -> None:
    offered = request.headers.get("X-Request-ID", "")
    g.client_request_id = offered if _REQUEST_ID.fullmatch(offered) else None
    g.request_id = g.client_request_id or str(uuid.uuid4())


def _answer_preflight() -> Response | None:
    """Answer for unknown paths, too: else the browser hides their 404 behind a CORS error."""
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return Response(status=204)
    return None


def _secure(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    # Also without CORS headers: else a shared cache could hand such a reply to the dashboard.
    response.vary.add("Origin")
    given = {name.lower() for name, _ in response.headers}
    response.headers.extend([(name, value) for name, value in _SECURITY_HEADERS.items() if name.lower() not in given])
    return response
