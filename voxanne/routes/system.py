"""Public routes about the program itself: name, health, CSRF tokens, the description of the API."""

from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, jsonify
from offapi import OpenAPITemplate

from voxanne import csrf
from voxanne.openapi import api, describe, document
from voxanne.schemas.system import CsrfToken, Descriptor, Health
from voxanne.services import health, monitoring

bp = Blueprint("system", __name__)

_ENDPOINTS = {"health": "/health", "docs": "/docs", "openapi": "/openapi.json", "calls": "/api/calls-dashboard"}
_PAGE_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; connect-src 'self'"  # noqa: E501


@bp.get("/")
@describe("System", Descriptor, public=True)
def root() -> Response:
    """Return the program's name, version and main addresses."""
    return jsonify(name="Voxanne", version=api.config.version, endpoints=_ENDPOINTS)


@bp.get("/health")
@describe("System", Health, public=True, replies={503: Health})
def get_health() -> tuple[Response, int]:
    """Return whether the program can do its work.

    503 if the database does not answer. `backgroundJobs` is the thread that applies kept events and sends texts,
    `webhookQueue` the store on this machine where events are kept while the database is away.
    """
    size_mb = health.database_size_mb()
    supabase = health.supabase_answers()
    waiting = health.waiting_events()
    limit_mb = current_app.config["SETTINGS"].database_size_limit_mb
    body = jsonify(
        status=health.judge(size_mb, supabase=supabase, limit_mb=limit_mb),
        services={
            "database": size_mb is not None,
            "supabase": supabase,
            "backgroundJobs": health.background_jobs_run(),
            "webhookQueue": waiting is not None,
        },
        timestamp=datetime.now(UTC),
        uptime=monitoring.uptime_seconds(),
        database_size_mb=size_mb,
        queueMetrics={"waiting": waiting.events, "failed": waiting.failed} if waiting else None,
    )
    return body, 503 if size_mb is None else 200


@bp.get("/api/csrf-token")
@describe("System", CsrfToken, public=True)
def get_csrf_token() -> Response:
    """Return a token to send as X-CSRF-Token with every request that changes something."""
    token, expires_at = csrf.issue()
    return jsonify(csrfToken=token, expiresAt=expires_at)


@bp.get("/openapi.json")
@describe("System", public=True)
def get_openapi() -> Response:
    """Return the description of all routes as OpenAPI."""
    return jsonify(document())


@bp.get("/docs")
@describe("System", public=True)
def get_docs() -> Response:
    """Return a page (Swagger UI) to browse and try the routes; it loads nothing from other hosts."""
    page = OpenAPITemplate.SWAGGER.value.format(spec_url="/openapi.json").replace("SwaggerUI<", "Voxanne API<", 1)
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": _PAGE_POLICY})
