"""What a client sees, second by second, while Redis and then Supabase are frozen, stopped and back.

Run inside a stack: `node supabase/local/main.mjs --ephemeral --redis -- .venv/bin/python -m tests.performance.outage`
(`make outage`). Real gunicorn; a client asks for a cached answer and for an uncached one, over and over.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory
from voxanne import create_app

PATHS = {"cached": "/api/agents", "uncached": "/api/services"}
PAUSE_SECONDS = 0.1
SCRIPT = [
    (3, None, "all well"),
    (4, "pause/redis", "Redis frozen"),
    (4, "resume/redis", "Redis thawed"),
    (4, "stop/redis", "Redis stopped"),
    (4, "start/redis", "Redis started"),
    (4, "stop/rest", "PostgREST stopped"),
    (4, "start/rest", "PostgREST started"),
    (8, "pause/rest", "PostgREST frozen"),
    (4, "resume/rest", "PostgREST thawed"),
]


@dataclass
class Second:
    """What was answered within one second."""

    statuses: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


class Client(threading.Thread):
    """Asks for one path until it is told to stop."""

    def __init__(self, url: str, caller: Caller) -> None:
        super().__init__(daemon=True)
        self.url, self.headers = url, {"Authorization": f"Bearer {caller.token}"}
        self.seconds: dict[int, Second] = {}
        self.going = True

    def run(self) -> None:
        with httpx.Client(timeout=30) as http:
            while self.going:
                started = time.monotonic()
                try:
                    answer = str(http.get(self.url, headers=self.headers).status_code)
                except httpx.HTTPError as error:
                    answer = type(error).__name__
                ended = time.monotonic()
                second = self.seconds.setdefault(int(ended), Second())
                second.statuses[answer] += 1
                second.slowest = max(second.slowest, ended - started)
                time.sleep(PAUSE_SECONDS)


def show(second: Second | None) -> str:
    if second is None:
        return "no answer yet"
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(second.statuses.items()))
    return f"{statuses} (slowest {second.slowest * 1000:.0f} ms)"


def play(clients: dict[str, Client], door: str) -> None:
    print(f"{'second':>6}  {'state':<18} {'cached':<34} uncached")
    begun = time.monotonic()
    for seconds, action, state in SCRIPT:
        if action:
            httpx.post(f"{door}/__control/{action}", timeout=30).raise_for_status()
        for _ in range(seconds):
            now = int(time.monotonic())
            time.sleep(max(0.0, now + 1.2 - time.monotonic()))
            row = [show(client.seconds.get(now)) for client in clients.values()]
            print(f"{now - int(begun):>6}  {state:<18} {row[0]:<34} {row[1]}", flush=True)


def main() -> int:
    settings = settings_for_tests(redis_url=os.environ["REDIS_URL"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as sql:
        caller = Factory(sql, create_app(settings), settings).caller("agent")
    environment = {**os.environ, "APP_ENV": "development", "PORT": str(port), "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-c", "voxanne/gunicorn.py"]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}"
        httpx.Client(transport=httpx.HTTPTransport(retries=6)).get(f"{base}/health")
        clients = {name: Client(base + path, caller) for name, path in PATHS.items()}
        for client in clients.values():
            client.start()
        play(clients, settings.supabase_base)
        for client in clients.values():
            client.going = False
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    wrong = {status for client in clients.values() for second in client.seconds.values() for status in second.statuses}
    return 0 if wrong <= {"200", "503"} else 1


if __name__ == "__main__":
    sys.exit(main())
