"""The ways to the same answer: the program, Supabase alone, the database alone. Each is asked once and timed."""

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from postgrest import SyncPostgrestClient

from tests.conftest import settings_for_tests
from tests.performance.seed import Person
from tests.schema.caller import acting

_TIMING = re.compile(r'total;dur=([\d.]+), db;dur=([\d.]+);desc="(\d+) requests"')
_LONG = httpx.Timeout(60)


@dataclass(frozen=True)
class Sample:
    """What one answer cost; `own_ms` is the program's time without Supabase's."""

    ms: float
    size: int = 0
    requests: int | None = None
    own_ms: float | None = None


class Refused(Exception):
    """The way does not lead there: an error or a time-out."""


@dataclass(frozen=True)
class Bare:
    """A request to Supabase as it goes over the wire, less the keys."""

    method: str
    path: str
    params: list[tuple[str, str]]
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Ways:
    """One HTTP client for everything that is compared, and one connection to the database."""

    def __init__(self, app_url: str, sql: psycopg.Connection) -> None:
        self.settings = settings_for_tests()
        self.app_url, self.sql = app_url, sql
        self.client = httpx.Client(timeout=_LONG)

    def app(self, person: Person, path: str, headers: dict[str, str] | None = None) -> Sample:
        """Ask the program."""
        begun = time.perf_counter()
        reply = self.client.get(self.app_url + path, headers={**person.headers, **(headers or {})})
        ms = (time.perf_counter() - begun) * 1000
        if reply.status_code not in {200, 304}:
            raise Refused(f"{path}: {reply.status_code} {reply.text[:200]}")
        found = _TIMING.search(reply.headers["Server-Timing"])
        assert found, reply.headers["Server-Timing"]
        own = float(found[1]) - float(found[2])
        return Sample(ms, reply.num_bytes_downloaded, int(found[3]), own)

    def bare(self, person: Person, request: Bare) -> Sample:
        """Ask PostgREST with the same token."""
        url = f"{self.settings.supabase_base}/rest/v1/{request.path}"
        headers = {**dict(request.headers), **self.keys(person)}
        begun = time.perf_counter()
        reply = self.client.request(
            request.method, url, params=request.params or None, content=request.content or None, headers=headers
        )
        ms = (time.perf_counter() - begun) * 1000
        if not reply.is_success:
            raise Refused(f"{request.path}: {reply.status_code} {reply.text[:200]}")
        return Sample(ms, reply.num_bytes_downloaded, 1)

    def direct(self, person: Person, query: str, values: dict[str, Any]) -> Sample:
        """Ask the database as the caller's role, row-level security on."""
        with acting(self.sql, person.user_id, person.org_id):
            begun = time.perf_counter()
            self.sql.execute(query, values, prepare=False).fetchall()
            return Sample((time.perf_counter() - begun) * 1000)

    def keys(self, person: Person) -> dict[str, str]:
        return {"apikey": self.settings.supabase_publishable_key.get_secret_value(), **person.headers}

    def service_keys(self) -> dict[str, str]:
        key = self.settings.supabase_service_role_key.get_secret_value()
        return {"apikey": key, "Authorization": f"Bearer {key}"}


def captured(send: Callable[[SyncPostgrestClient], object]) -> Bare:
    """Return the request that one of the program's own queries sends, without sending it."""
    seen: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[], headers={"Content-Range": "*/0"})

    client = httpx.Client(transport=httpx.MockTransport(note))
    with contextlib.suppress(TypeError, KeyError, IndexError, AttributeError):  # no sense in the empty answer
        send(SyncPostgrestClient("http://captured", http_client=client))
    request = seen[0]
    names = ("accept", "prefer", "content-type", "range", "range-unit")
    kept = tuple((name, request.headers[name]) for name in names if name in request.headers)
    return Bare(request.method, request.url.path.lstrip("/"), request.url.params.multi_items(), request.content, kept)
