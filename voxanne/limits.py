"""Rate limits: per organisation on the API, shared by all processes where Redis is configured (Flask-Limiter)."""

import hashlib
import time
from collections.abc import Callable
from typing import NamedTuple, cast

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RateLimitExceeded
from limits.errors import StorageError
from redis.exceptions import RedisError

from voxanne.cache import cache
from voxanne.config import Settings
from voxanne.errors import RateLimited, reply

SIGN_IN = "ops.sign_in"
SIGN_INS = {"address": "10 per 15 minutes", "account": "30 per 15 minutes"}


def caller() -> str:
    """Whom a request counts against: the caller's organisation, or the source address where there is none."""
    principal = g.get("principal")
    return f"org:{principal.org_id}" if principal else f"address:{request.remote_addr}"


def unlimited() -> bool:
    """Whether the request is neither one of the limited API nor a sign-in."""
    return request.endpoint != SIGN_IN and (
        not request.path.startswith("/api/") or request.path.startswith("/api/health")
    )


def address() -> str:
    """Where a sign-in comes from."""
    return f"sign-in:address:{request.remote_addr}"


def account() -> str:
    """Whom a sign-in is for, without storing the address."""
    email = request.form.get("email", "").strip().lower()
    return f"sign-in:account:{hashlib.sha256(email.encode()).hexdigest()}"


def init_app(app: Flask) -> None:
    """Count the API's requests; without Redis, or while it is away, each process counts for itself."""
    settings: Settings = app.config["SETTINGS"]
    with app.app_context():
        pool = cache.guarded_pool()
    limiter = Limiter(
        caller,
        storage_uri="redis://" if pool else "memory://",
        storage_options={"connection_pool": pool} if pool else {},  # type: ignore[dict-item]
        application_limits=[f"{settings.rate_limit_per_org_hour} per hour"],
        in_memory_fallback_enabled=pool is not None,
        swallow_errors=True,
        key_prefix=settings.cache_key_prefix,
    )
    limiter.request_filter(unlimited)
    limiter.init_app(app)
    # All sign-ins reach Auth from this server's address, so Auth can't tell who tries too often.
    for whom in (address, account):
        most = SIGN_INS[whom.__name__]
        limited = limiter.limit(most, key_func=whom)(app.view_functions[SIGN_IN])
        app.view_functions[SIGN_IN] = cast(Callable[..., Response], limited)
    app.register_error_handler(RateLimitExceeded, lambda _: reply(RateLimited(_state(limiter).seconds_left)))
    app.after_request(lambda response: _tell(limiter, response))


class State(NamedTuple):
    """Where a caller stands: requests allowed, requests left, seconds until all are back; zeros if unknown."""

    allowed: int = 0
    left: int = 0
    seconds_left: int = 0


def _state(limiter: Limiter) -> State:
    current = limiter.current_limit
    if current is None:
        return State()
    try:
        left, reset_at = current.remaining, current.reset_at
    except (RedisError, StorageError):
        return State(current.limit.amount, 0, current.limit.get_expiry())
    return State(current.limit.amount, max(0, left), max(1, round(reset_at - time.time())))


def _tell(limiter: Limiter, response: Response) -> Response:
    # Flask-Limiter's own headers would put a Retry-After of an hour on every reply, a 503 included.
    state = _state(limiter)
    if state.allowed:
        response.headers["RateLimit-Limit"] = str(state.allowed)
        response.headers["RateLimit-Remaining"] = str(state.left)
        response.headers["RateLimit-Reset"] = str(state.seconds_left)
    return response
