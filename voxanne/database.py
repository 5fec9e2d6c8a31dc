"""The way to Supabase: one shared connection pool, a client per request, every request counted and timed.

A client of the `supabase` package keeps its token in headers that all its users share, so under load one tenant gets
another's rows (tests/test_tenancy_under_load.py). Therefore each request builds a small client of its own, which takes
microseconds. Only the connection pool is shared, and it holds no token.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from flask import Flask, current_app, g
from postgrest import SyncPostgrestClient
from storage3 import SyncStorageClient
from supabase_auth import SyncGoTrueClient

from voxanne import deadline, signals
from voxanne.config import Settings

CONNECT_TIMEOUT_SECONDS = 2.0
PROBE_SECONDS = 2.0
KEEPALIVE_SECONDS = 30.0
CALLER_WAITS_SECONDS = 1.5
# A little more than the functions of maintenance have in the database.
MAINTENANCE_SECONDS = 310.0
_REPEATABLE = {"GET", "HEAD"}
_SERVICE_SEGMENTS = len(("", "storage", "v1", "object", "sign"))
# Postgres undid the whole request for somebody else's sake (deadlock, serialization): a write can be sent again, too.
_UNDONE = {"40P01", "40001"}
_FAILED = 500
# What a gateway says, in words of its own, of a server behind it that is away (from 520 on: Cloudflare).
_AWAY = {502, 503, 504, *range(520, 531)}

Row = dict[str, Any]


@dataclass
class RequestLog:
    """The requests to Supabase that one reply took."""

    entries: list[tuple[str, float]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many requests were sent."""
        return len(self.entries)

    @property
    def seconds(self) -> float:
        """Their time, added up."""
        return sum((seconds for _, seconds in self.entries), 0.0)


class ObservedTransport(httpx.HTTPTransport):
    """Sends requests and notes each one's name and time.

    Repeats, once, a read if an idle connection had gone, and anything that met another writer in a deadlock.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises httpx errors, at once if nobody waits any longer."""
        _hurry(request)
        started, status = time.perf_counter(), None
        signals.database_request_begun.send(self)
        try:
            response = self._send(request)
            if _undone(response):
                _hurry(request)
                response = super().handle_request(request)
            response.read()  # here, as the time noted is that of the whole answer
            status = response.status_code
            return response
        finally:
            name, seconds = _name(request), time.perf_counter() - started
            request_log().entries.append((name, seconds))
            signals.database_request.send(self, name=name, status=status, seconds=seconds)

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except httpx.RemoteProtocolError:
            if request.method not in _REPEATABLE:
                raise
            _hurry(request)
            return super().handle_request(request)


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        pass


class Pool(httpx.Client):
    """Keeps no cookies: it is everybody's, and one that came with a tenant's answer would go out with all others."""

    @property
    def cookies(self) -> httpx.Cookies:
        """Return none."""
        return _NoCookies()

    @cookies.setter
    def cookies(self, _: object) -> None:
        raise AttributeError("the pool keeps no cookies")


def _hurry(request: httpx.Request) -> None:
    """Let a request take no longer than somebody waits for it."""
    if deadline.is_set():
        limits = request.extensions["timeout"]
        limits = {name: deadline.left(math.inf if limit is None else limit) for name, limit in limits.items()}
        if not min(limits.values()):
            raise httpx.ConnectTimeout("nobody waits any longer", request=request)
        request.extensions = {**request.extensions, "timeout": limits}


def _name(request: httpx.Request) -> str:
    """Say which table, function or service is asked; what follows in a path of Storage or Auth are ids."""
    path = request.url.path.removeprefix("/rest/v1/")
    return f"{request.method} {'/'.join(path.split('/')[:_SERVICE_SEGMENTS])}"


def _undone(response: httpx.Response) -> bool:
    if response.status_code != _FAILED:
        return False
    response.read()
    try:
        return response.json().get("code") in _UNDONE
    except (ValueError, AttributeError):
        return False


def _raise_if_away(response: httpx.Response) -> None:
    if response.status_code in _AWAY:
        response.raise_for_status()


def request_log() -> RequestLog:
    """Return the log of this reply's requests (a throw-away one outside a request)."""
    return cast(RequestLog, g.setdefault("database_log", RequestLog())) if g else RequestLog()


class Supabase:
    """Makes clients that share one connection pool, each with the key or token it was made for."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.supabase_base
        self._publishable_key = settings.supabase_publishable_key.get_secret_value()
        self._service_key = settings.supabase_service_role_key.get_secret_value()
        limits = httpx.Limits(
            max_connections=settings.supabase_connections,
            max_keepalive_connections=settings.supabase_connections,
            keepalive_expiry=KEEPALIVE_SECONDS,
        )
        # HTTP/2 fails under concurrency here: supabase-py issue 1064, httpx issue 3324.
        transport = ObservedTransport(http2=False, limits=limits)
        hooks = {"response": [_raise_if_away]}
        patient = httpx.Timeout(settings.supabase_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS)
        self.pool = Pool(transport=transport, timeout=patient, event_hooks=hooks)
        self._probe = Pool(transport=transport, timeout=PROBE_SECONDS, event_hooks=hooks)
        hurried = min(CALLER_WAITS_SECONDS, settings.supabase_timeout_seconds)
        self._hurried = Pool(transport=transport, timeout=hurried, event_hooks=hooks)
        unhurried = httpx.Timeout(MAINTENANCE_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
        self._unhurried = Pool(transport=transport, timeout=unhurried, event_hooks=hooks)

    def rest(
        self, bearer: str | None = None, *, probe: bool = False, hurried: bool = False, unhurried: bool = False
    ) -> SyncPostgrestClient:
        """Return a PostgREST client that sends this token, or the service key where there is none.

        A `probe` waits no longer than a health check may; a `hurried` one gives up after `CALLER_WAITS_SECONDS`, an
        `unhurried` one after `MAINTENANCE_SECONDS`.
        """
        special = self._probe if probe else self._hurried if hurried else self._unhurried if unhurried else None
        return SyncPostgrestClient(
            f"{self._base}/rest/v1",
            headers=self._headers(bearer),
            http_client=special or self.pool,
            retry_enabled=False,
        )

    def storage(self) -> SyncStorageClient:
        """Return a Storage client with the service key."""
        return SyncStorageClient(f"{self._base}/storage/v1/", headers=self._headers(None), http_client=self.pool)

    def auth(self) -> SyncGoTrueClient:
        """Return an Auth client for one use: it remembers the session of whoever signs in with it."""
        return SyncGoTrueClient(
            url=f"{self._base}/auth/v1",
            headers={"apikey": self._publishable_key},
            http_client=self.pool,
            auto_refresh_token=False,
            persist_session=False,
        )

    def auth_answers(self, seconds: float) -> bool:
        """Whether the Auth server answers within that time."""
        try:
            reply = self.pool.get(f"{self._base}/auth/v1/health", headers=self._headers(None), timeout=seconds)
        except httpx.HTTPError:
            return False
        return reply.is_success

    def _headers(self, bearer: str | None) -> dict[str, str]:
        key = self._publishable_key if bearer and bearer != self._service_key else self._service_key
        return {"apikey": key, "Authorization": f"Bearer {bearer or key}"}


def init_app(app: Flask) -> None:
    """Open the pool; it connects on first use."""
    app.extensions["voxanne.supabase"] = Supabase(app.config["SETTINGS"])


def supabase() -> Supabase:
    """Return this application's way to Supabase."""
    return cast(Supabase, current_app.extensions["voxanne.supabase"])


def for_principal(token: str) -> SyncPostgrestClient:
    """Return a client that acts with the caller's own token, so that row-level security holds."""
    return supabase().rest(token)


def as_service(*, probe: bool = False, hurried: bool = False, unhurried: bool = False) -> SyncPostgrestClient:
    """Return a client that row-level security does not bind: for provider webhooks and maintenance only.

    A `hurried` one is for questions while somebody on the telephone waits for the answer, an `unhurried` one for
    commands whose work takes minutes.
    """
    return supabase().rest(probe=probe, hurried=hurried, unhurried=unhurried)


def call_function(db: SyncPostgrestClient, function: str, arguments: Row) -> Any:
    """Return what a database function returns: a row, rows or a plain value."""
    return cast(Any, db).rpc(function, arguments).execute().data
