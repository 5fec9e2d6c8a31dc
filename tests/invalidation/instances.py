"""Instances of the program that share nothing but Supabase and Redis: one in this process, one in another."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from flask import Flask

from tests.conftest import WEBHOOK_SECRET, settings_for_tests
from tests.factories import Caller
from tests.invalidation import probes
from voxanne import create_app, csrf
from voxanne.cache import cache

PATIENCE_SECONDS = 60
PROVIDER = {"X-Vapi-Secret": WEBHOOK_SECRET}
"""By which the voice provider's events are known; other routes do not care."""


@dataclass(frozen=True)
class Reply:
    """What came back, and how many requests to Supabase it took."""

    status: int
    body: Any
    requests: int


class Instance(Protocol):
    """Something that answers requests."""

    def send(self, caller: Caller, method: str, path: str, json: Any = None) -> Reply: ...


def make_app(redis_url: str | None, prefix: str) -> Flask:
    app = create_app(settings_for_tests(redis_url=redis_url, cache_key_prefix=prefix))
    probes.init_app(app)
    return app


class Here:
    """An application in this process."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def send(self, caller: Caller, method: str, path: str, json: Any = None) -> Reply:
        sender = Caller(self.app, caller.org_id, caller.user_id, caller.token)
        reply = sender.request(method, path, headers=PROVIDER, **({} if json is None else {"json": json}))
        return _reply(reply.status_code, reply.get_json(silent=True), reply.headers["Server-Timing"])


class There:
    """An application in a process of its own, asked over HTTP."""

    def __init__(self, client: httpx.Client, app: Flask) -> None:
        self._client, self._app = client, app

    def send(self, caller: Caller, method: str, path: str, json: Any = None) -> Reply:
        headers = {"Authorization": f"Bearer {caller.token}", **PROVIDER}
        if method != "GET":
            with self._app.app_context():
                headers["X-CSRF-Token"] = csrf.issue()[0]
        reply = self._client.request(method, path, headers=headers, json=json)
        body = reply.json() if reply.content else None
        return _reply(reply.status_code, body, reply.headers["Server-Timing"])


@contextlib.contextmanager
def here(redis_url: str | None, prefix: str) -> Iterator[Here]:
    app = make_app(redis_url, prefix)
    yield Here(app)
    with app.app_context():
        cache.close()


@contextlib.contextmanager
def there(redis_url: str, prefix: str, app: Flask) -> Iterator[There]:
    """Start a second process; `app` makes the CSRF tokens, as their secret is shared."""
    command = [sys.executable, "-m", "tests.invalidation.serve", redis_url, prefix]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout
        try:
            port = int(process.stdout.readline())
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client:
                yield There(client, app)
        finally:
            process.terminate()


def _reply(status: int, body: Any, timing: str) -> Reply:
    if isinstance(body, dict):
        body = {key: value for key, value in body.items() if key != "request_id"}
    found = re.search(r'desc="(\d+) requests"', timing)
    assert found, timing
    return Reply(status, body, int(found.group(1)))
