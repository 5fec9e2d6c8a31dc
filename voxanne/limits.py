"""Rate limits, shared by all processes where Redis is configured (Flask-Limiter).

The API is limited per organisation; what comes without a valid token, per source address, and only that: a caller of
the same address who has one is not refused.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from flask import Blueprint, Flask, Response, current_app, g, request
from flask_limiter import ExemptionScope, Limiter, RateLimitExceeded
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from redis import ConnectionPool
from redis.exceptions import RedisError

from voxanne.cache import cache
from voxanne.config import Settings
from voxanne.errors import RateLimited, reply

_FAILED_AUTHENTICATION = "voxanne.failed-authentication"

_SENDER_KNOWN_SECONDS = 3600.0
_MOST_SENDERS = 10_000
_FORGET_SECONDS = 10.0

SIGN_IN = "ops.sign_in"


def caller() -> str:
    """Whom a request counts against: the caller's organisation, or the source address where there is none."""
    principal = g.get("principal")
    return f"org:{principal.org_id}" if principal else address()


def address() -> str:
    """Where a request comes from; events that are refused count by that alone."""
    return f"address:{request.remote_addr}"


def unlimited() -> bool:
    """Whether the request is neither one of the limited API nor a sign-in."""
    return request.endpoint != SIGN_IN and (
        not request.path.startswith("/api/") or request.path.startswith("/api/health")
    )


def sign_in_address() -> str:
    """Where a sign-in comes from."""
    return f"sign-in:address:{request.remote_addr}"


def sign_in_account() -> str:
    """Whom a sign-in is for, without storing the address."""
    email = request.form.get("email", "").strip().lower()
    return f"sign-in:account:{hashlib.sha256(email.encode()).hexdigest()}"


SIGN_INS = ((sign_in_address, "10 per 15 minutes"), (sign_in_account, "30 per 15 minutes"))


def count_failed_authentication() -> None:
    """Count the request at hand as one without a valid token; raises `RateLimitExceeded` beyond the limit."""
    current_app.extensions[_FAILED_AUTHENTICATION]()


def init_app(app: Flask, *, webhooks: Iterable[Blueprint]) -> None:
    """Limit the API per organisation and `webhooks` per source address; needs the routes, which must be registered.

    Without Redis, or while it is away, each process counts for itself.
    """
    settings: Settings = app.config["SETTINGS"]
    with app.app_context():
        pool = cache.guarded_pool()
    requests = _limiter(app, pool, application_limits=[f"{settings.rate_limit_per_org_hour} per hour"])
    _limit_events(requests, webhooks, settings)
    requests.init_app(app)
    _limit_sign_ins(app, requests)
    # A limiter of its own, since counting within a request makes Flask-Limiter pass over limits of blueprints later on.
    # On an application of its own, since it only counts when it is told to, and else would look at each request.
    failures = _limiter(app, pool)
    failures.init_app(Flask(__name__))
    allowed = f"{settings.rate_limit_failed_auth_minute} per minute"
    counted = failures.shared_limit(allowed, scope="failed-authentication", key_func=address)
    app.extensions[_FAILED_AUTHENTICATION] = counted(_fail)
    limiters = (failures, requests)
    app.register_error_handler(RateLimitExceeded, lambda _: reply(RateLimited(_state(limiters).seconds_left)))
    app.after_request(lambda response: _tell(limiters, response))


def _fail() -> None:
    """Do nothing: Flask-Limiter counts calls."""


class CountsInProcess(MemoryStorage):
    """Counts in this process, one thread at a time.

    MemoryStorage's timer, which forgets old counts, is started without a lock: where two threads start it at once, one
    of them raises instead of counting. And it runs out after 10 ms, so that almost every request starts a thread: here
    it takes its time, as an old count does no harm.
    """

    STORAGE_SCHEME = ["in-process"]  # noqa: RUF012 - no ClassVar in limits

    def __init__(self, uri: str | None = None, **options: Any) -> None:
        self._counting = threading.Lock()
        super().__init__(uri, **options)

    @property
    def timer(self) -> threading.Timer:
        """What forgets old counts, once."""
        return self._timer

    @timer.setter
    def timer(self, timer: threading.Timer) -> None:
        timer.interval, timer.daemon = _FORGET_SECONDS, True
        self._timer = timer

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return the count."""
        with self._counting:
            return super().incr(key, expiry, amount)


class _Limiter(Limiter):
    """Counts as CountsInProcess does while Redis is away, too: Flask-Limiter lets nobody choose that storage."""

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        if self._in_memory_fallback_enabled:
            self._fallback_storage = CountsInProcess()
            self._fallback_limiter = FixedWindowRateLimiter(self._fallback_storage)


def _limiter(app: Flask, pool: ConnectionPool | None, **limits: Any) -> Limiter:
    settings: Settings = app.config["SETTINGS"]
    limiter = _Limiter(
        caller,
        storage_uri="redis://" if pool else "in-process://",
        storage_options={"connection_pool": pool} if pool else {},  # type: ignore[dict-item]
        in_memory_fallback_enabled=pool is not None,
        swallow_errors=True,
        key_prefix=settings.cache_key_prefix,
        **limits,
    )
    limiter.request_filter(unlimited)
    return limiter


class _Senders:
    """The addresses that genuine events came from of late, as this process knows."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def is_known(self) -> bool:
        """Whether the request at hand comes from one of them."""
        return time.monotonic() < self._until.get(address(), 0.0)

    def refused(self, response: Response) -> bool:
        """Whether the request at hand was not taken, and so counts; if it was, its address is known from now on.

        What we could not take for reasons of our own says nothing about the sender.
        """
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            return response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        if len(self._until) >= _MOST_SENDERS:
            self._until.clear()
        self._until[address()] = time.monotonic() + _SENDER_KNOWN_SECONDS
        return False


def _limit_events(limiter: Limiter, webhooks: Iterable[Blueprint], settings: Settings) -> None:
    # The provider sends everybody's events from a few addresses and repeats none: neither their number nor one clinic's
    # wrong secret may cost the others theirs.
    allowed, senders = f"{settings.webhook_rate_limit_per_minute} per minute", _Senders()
    events = limiter.shared_limit(
        allowed,
        scope="webhooks",
        key_func=address,
        methods=["POST"],
        deduct_when=senders.refused,
        exempt_when=senders.is_known,
    )
    for blueprint in webhooks:
        events(blueprint)
        limiter.exempt(blueprint, flags=ExemptionScope.APPLICATION)


def _limit_sign_ins(app: Flask, limiter: Limiter) -> None:
    # All sign-ins reach Auth from this server's address, so Auth can't tell who tries too often.
    for whom, allowed in SIGN_INS:
        limited = limiter.limit(allowed, key_func=whom)(app.view_functions[SIGN_IN])
        app.view_functions[SIGN_IN] = cast(Callable[..., Response], limited)


class State(NamedTuple):
    """Where a caller stands: requests allowed, requests left, seconds until all are back; zeros if unknown."""

    allowed: int = 0
    left: int = 0
    seconds_left: int = 0


def _state(limiters: Iterable[Limiter]) -> State:
    current = next(filter(None, (limiter.current_limit for limiter in limiters)), None)
    if current is None:
        return State()
    try:
        left, reset_at = current.remaining, current.reset_at
    except (RedisError, StorageError):
        return State(current.limit.amount, 0, current.limit.get_expiry())
    return State(current.limit.amount, max(0, left), max(1, round(reset_at - time.time())))


def _tell(limiters: Iterable[Limiter], response: Response) -> Response:
    # Flask-Limiter's own headers would put a Retry-After of an hour on every reply, a 503 included.
    state = _state(limiters)
    if state.allowed:
        response.headers["RateLimit-Limit"] = str(state.allowed)
        response.headers["RateLimit-Remaining"] = str(state.left)
        response.headers["RateLimit-Reset"] = str(state.seconds_left)
    return response
