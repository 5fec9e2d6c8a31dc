"""The program as it is deployed: gunicorn in a process of its own, on a free port."""

import base64
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.conftest import CSRF_SECRET

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".local" / "bench"
START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A running gunicorn."""

    url: str
    process: subprocess.Popen[bytes]

    def memory_mb(self) -> float:
        """Return what the serving processes hold, without the one that only watches over them."""
        workers = psutil.Process(self.process.pid).children(recursive=True)
        return sum(worker.memory_info().rss for worker in workers) / 1e6


@contextmanager
def serving(**settings: object) -> Iterator[Server]:
    """Serve with production's settings, and those given on top, until the block ends; logs go to .local/bench."""
    port = free_port()
    environment = {
        **os.environ,
        "APP_ENV": "production",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "CSRF_SECRET": CSRF_SECRET,
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "RATE_LIMIT_PER_ORG_HOUR": str(10**9),
        "CACHE_KEY_PREFIX": f"bench-{secrets.token_hex(4)}",
        **{name.upper(): str(value) for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-c", "voxanne/gunicorn.py"]
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            yield Server(url, process)
        finally:
            process.terminate()
            process.wait(60)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=20).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"the program did not start; see {RESULTS / 'server.log'}")
