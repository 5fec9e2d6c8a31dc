"""Rate limits: per organisation on the API, shared by all processes where Redis is configured (Flask-Limiter)."""

from flask import Flask, g, request
from flask_limiter import Limiter

from voxanne.config import Settings

REDIS_TIMEOUT_SECONDS = 0.25


def caller() -> str:
    """Whom a request counts against: the caller's organisation, or the source address where there is none."""
    principal = g.get("principal")
    return f"org:{principal.org_id}" if principal else f"address:{request.remote_addr}"


def unlimited() -> bool:
    """Whether the request is outside the limited API."""
    return not request.path.startswith("/api/") or request.path.startswith("/api/health")


def init_app(app: Flask) -> None:
    """Count the API's requests; without Redis, or while it is away, each process counts for itself."""
    settings: Settings = app.config["SETTINGS"]
    app.config.update(
        RATELIMIT_HEADER_LIMIT="RateLimit-Limit",
        RATELIMIT_HEADER_REMAINING="RateLimit-Remaining",
        RATELIMIT_HEADER_RESET="RateLimit-Reset",
    )
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    timeouts = {"socket_timeout": REDIS_TIMEOUT_SECONDS, "socket_connect_timeout": REDIS_TIMEOUT_SECONDS}
    limiter = Limiter(
        caller,
        storage_uri=redis_url or "memory://",
        storage_options=timeouts if redis_url else {},  # type: ignore[arg-type]
        application_limits=[f"{settings.rate_limit_per_org_hour} per hour"],
        headers_enabled=True,
        in_memory_fallback_enabled=redis_url is not None,
        swallow_errors=True,
        key_prefix=settings.cache_key_prefix,
    )
    limiter.request_filter(unlimited)
    limiter.init_app(app)
