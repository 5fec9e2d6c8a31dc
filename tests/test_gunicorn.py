"""The real server: it starts, answers, refuses what is too large, and stops without losing a request."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.conftest import settings_for_tests
from tests.factories import mint_token

ROOT = Path(__file__).parent.parent
ORG, USER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


class SlowSupabase(ThreadingHTTPServer):
    """Answers every request with an empty list, once it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SlowHandler)
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class SlowHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.set()  # type: ignore[attr-defined]
        self.server.may_answer.wait(120)  # type: ignore[attr-defined]
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", "Content-Range": "*/0", "Content-Length": "2"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def supabase() -> Iterator[SlowSupabase]:
    with SlowSupabase() as server:
        yield server
        server.may_answer.set()
        server.shutdown()


class Server:
    """gunicorn as it is started in production, on a free port."""

    def __init__(self, supabase: SlowSupabase, folder: Path, **settings: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            **os.environ,
            "APP_ENV": "development",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SUPABASE_URL": supabase.url,
            "SUPABASE_TIMEOUT_SECONDS": "60",
            "RECEIVE_TIMEOUT_SECONDS": "60",
            "REDIS_URL": "",
            "OPERATORS": USER,
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-c", str(ROOT / "voxanne" / "gunicorn.py")]
        self.process = subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)
        self.settings = settings_for_tests(supabase_url=supabase.url)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.url}/", timeout=5).raise_for_status()
                return
            time.sleep(0.05)
        pytest.fail("gunicorn did not start")

    def get(self, path: str) -> httpx.Response:
        token = mint_token(self.settings, user_id=USER, org_id=ORG)
        return httpx.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=120)

    def children(self) -> list[int]:
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=True
        )
        return [int(pid) for pid in listed.stdout.split()]


@pytest.fixture
def server(supabase: SlowSupabase, tmp_path: Path) -> Iterator[Server]:
    server = Server(supabase, tmp_path)
    yield server
    if server.process.poll() is None:
        server.process.kill()
    server.process.communicate(timeout=60)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Asking(threading.Thread):
    """Sends a request that Supabase keeps waiting."""

    def __init__(self, server: Server, supabase: SlowSupabase) -> None:
        super().__init__(daemon=True)
        self.server, self.reply = server, None
        self.start()
        assert supabase.asked.wait(60)

    def run(self) -> None:
        with contextlib.suppress(httpx.TransportError):
            self.reply = self.server.get("/api/services")


def test_sigterm_lets_the_request_under_way_finish_and_takes_no_other(server: Server, supabase: SlowSupabase) -> None:
    asking, workers = Asking(server, supabase), server.children()
    assert workers

    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: not answers(server))

    assert server.process.poll() is None
    supabase.may_answer.set()
    asking.join(60)
    assert asking.reply
    assert (asking.reply.status_code, asking.reply.json()["services"]) == (200, [])
    assert server.process.wait(timeout=60) == 0
    wait_for(lambda: not any(map(alive, workers)))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def answers(server: Server) -> bool:
    try:
        httpx.get(f"{server.url}/", timeout=2)
    except httpx.TransportError:  # nobody takes what the system still queues
        return False
    return True


@pytest.mark.parametrize("told", [signal.SIGHUP, signal.SIGTTIN])
def test_without_redis_two_workers_never_serve_at_once(server: Server, supabase: SlowSupabase, told: int) -> None:
    """Each would have a cache of its own, and not hear of the other's changes."""
    asking, (former,) = Asking(server, supabase), server.children()

    server.process.send_signal(told)
    seen = set()
    until = time.monotonic() + 3
    while time.monotonic() < until:  # and no longer: the former is given some seconds to end
        seen.add(tuple(server.children()))
        time.sleep(0.1)
    supabase.may_answer.set()
    asking.join(60)

    assert seen == {(former,)}
    assert asking.reply
    assert asking.reply.status_code == 200
    assert server.get("/api/services").status_code == 200
    assert former not in server.children()
    assert len(server.children()) == 1


def test_ctrl_c_leaves_no_process(server: Server, supabase: SlowSupabase) -> None:
    Asking(server, supabase)
    workers = server.children()
    assert workers

    for pid in [*workers, server.process.pid]:  # the terminal tells all of them
        os.kill(pid, signal.SIGINT)
    supabase.may_answer.set()

    assert server.process.wait(timeout=60) == 0
    wait_for(lambda: not any(map(alive, workers)))


PREFIX = f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def on_redis(supabase: SlowSupabase, tmp_path: Path) -> Iterator[Server]:
    """A server whose worker has used the cache."""
    server = Server(supabase, tmp_path, REDIS_URL=os.environ["REDIS_URL"], CACHE_KEY_PREFIX=PREFIX)
    supabase.may_answer.set()
    yield server
    if server.process.poll() is None:
        server.process.kill()
    server.process.communicate(timeout=60)


def leases() -> dict[int, float]:
    """The seconds until the workers' leases end, by process id."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        found, now = client.zrange(f"{PREFIX}:leases", 0, -1, withscores=True), client.time()[0]
        return {int(name.split(b":")[1]): end / 1000 - now for name, end in found}


def test_a_killed_worker_does_not_keep_the_others_from_using_the_cache(on_redis: Server) -> None:
    assert on_redis.get("/api/founder-console/settings").status_code == 200
    (worker,) = on_redis.children()
    wait_for(lambda: leases().get(worker, 0) > 0)

    os.kill(worker, signal.SIGKILL)

    wait_for(lambda: leases().get(worker, -1000) < -50)  # given up: in some seconds it will be forgotten
    on_redis.process.send_signal(signal.SIGTERM)
    assert on_redis.process.wait(timeout=60) == 0


def test_a_worker_that_stops_hands_in_its_lease(on_redis: Server) -> None:
    assert on_redis.get("/api/founder-console/settings").status_code == 200
    (worker,) = on_redis.children()
    wait_for(lambda: leases().get(worker, 0) > 0)

    on_redis.process.send_signal(signal.SIGTERM)

    assert on_redis.process.wait(timeout=60) == 0
    assert worker not in leases()


def post_chunked(server: Server, size: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    token = mint_token(server.settings, user_id=USER, org_id=ORG)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.putrequest("POST", "/api/services")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    with contextlib.suppress(ConnectionError):
        for _ in range(size // 100_000):
            connection.send(b"186a0\r\n" + b" " * 100_000 + b"\r\n")
        connection.send(b"0\r\n\r\n")
    reply = connection.getresponse()
    return reply.status, reply.read()


def test_it_refuses_what_is_too_large_logs_json_and_stops_when_idle(server: Server) -> None:
    assert post_chunked(server, 10_000_000)[0] == 413
    assert server.get("/api/nowhere").status_code == 404
    server.process.send_signal(signal.SIGTERM)

    _, said = server.process.communicate(timeout=60)

    assert server.process.returncode == 0
    lines = [json.loads(line) for line in said.splitlines()]
    assert {(line["message"], line.get("status")) for line in lines} >= {("request", 413), ("request", 404)}


HOST = b"Host: clinic.example\r\n"
REFUSED = {
    "too large": (b"Content-Length: 1100000\r\n", b" " * 1_100_000, True),
    "too large, in chunks": (
        b"Transfer-Encoding: chunked\r\n",
        b"10c8e0\r\n" + b" " * 1_100_000 + b"\r\n0\r\n\r\n",
        True,
    ),
    "of somebody unknown": (b"Authorization: Bearer x\r\nContent-Length: 300000\r\n", b" " * 300_000, True),
    "small": (b"Authorization: Bearer x\r\nContent-Length: 3000\r\n", b" " * 3000, False),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_connection_that_ends_with_the_refusal_of_its_body_says_so(server: Server, name: str) -> None:
    fields, body, ends = REFUSED[name]
    token = mint_token(server.settings, user_id=USER, org_id=ORG).encode()
    own = b"" if b"Authorization" in fields else b"Authorization: Bearer " + token + b"\r\n"
    head = b"POST /api/services HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n" + own + fields + b"\r\n"

    _, headers, _ = send(server, head + body)

    assert headers["Connection"] == ("close" if ends else "keep-alive")


def send(server: Server, request: bytes) -> tuple[int, http.client.HTTPMessage, Any]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request)
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        return reply.status, reply.headers, json.loads(reply.read())


UNREADABLE = {
    "an address that is too long": (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "URI_TOO_LONG"),
    "a header that is too large": (
        b"GET / HTTP/1.1\r\n" + HOST + b"X-Large: " + b"a" * 8300 + b"\r\n\r\n", 431, "HEADERS_TOO_LARGE",
    ),
    "too many headers": (
        b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(101)) + b"\r\n",
        431, "HEADERS_TOO_LARGE",
    ),
    "no request at all": (b"marker-of-a-patient\r\n\r\n", 400, "BAD_REQUEST"),
    "a header that is none": (b"GET / HTTP/1.1\r\n" + HOST + b"marker of a patient\r\n\r\n", 400, "BAD_REQUEST"),
    "another protocol": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400, "BAD_REQUEST"),
    "an unknown encoding": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: marker\r\n\r\n", 501, "NOT_IMPLEMENTED",
    ),
}  # fmt: skip


def test_what_cannot_be_read_has_the_error_body_of_all_and_is_not_quoted(server: Server) -> None:
    for name, (request, status, code) in UNREADABLE.items():
        told, headers, body = send(server, request)

        assert (told, body["code"], headers["Content-Type"]) == (status, code, "application/json"), name
        assert set(body) == {"error", "code", "request_id"}
        assert headers["X-Request-ID"] == body["request_id"]
        assert "marker" not in json.dumps(body)
    assert server.get("/api/nowhere").status_code == 404
    server.process.send_signal(signal.SIGTERM)
    _, said = server.process.communicate(timeout=60)

    lines = [json.loads(line) for line in said.splitlines()]
    refused = [line["status"] for line in lines if line["message"] == "request refused"]
    assert refused == [status for _, status, _ in UNREADABLE.values()]
    assert "marker" not in said


@pytest.mark.parametrize(
    ("arguments", "redis_url", "said"),
    [
        (["-w", "2"], "", "more than one worker needs REDIS_URL"),
        ([], "redis://host:notaport", "REDIS_URL: "),
    ],
)
def test_what_cannot_work_is_refused_in_a_line(arguments: list[str], redis_url: str, said: str) -> None:
    environment = {**os.environ, "APP_ENV": "development", "REDIS_URL": redis_url}
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-c", "voxanne/gunicorn.py", "-b", "127.0.0.1:0"]

    ended = subprocess.run(
        [*command, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def two_workers(supabase: SlowSupabase, tmp_path: Path) -> Iterator[Server]:
    more = {"WEB_CONCURRENCY": "2", "REDIS_URL": os.environ["REDIS_URL"], "CACHE_KEY_PREFIX": f"test-{tmp_path.name}"}
    server = Server(supabase, tmp_path, **more, TMPDIR=str(tmp_path))
    supabase.may_answer.set()
    yield server
    if server.process.poll() is None:
        server.process.kill()
    server.process.communicate(timeout=60)


def metric(server: Server, start: str) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=60).raise_for_status().text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(start))


def test_workers_add_up_their_metrics_and_the_dead_leave_only_their_counts(two_workers: Server, tmp_path: Path) -> None:
    server, counted = two_workers, 'voxanne_http_requests_total{method="GET",route="/api/services",status="200"}'
    for _ in range(40):
        assert server.get("/api/services").status_code == 200

    def limit() -> float:
        with contextlib.suppress(httpx.HTTPError):
            return metric(server, "voxanne_database_pool_connections_limit ")
        return 0

    wait_for(lambda: metric(server, counted) == 40)
    assert {metric(server, counted) for _ in range(10)} == {40}  # whichever worker is asked
    wait_for(lambda: limit() == 2 * 32)

    killed = server.children()[0]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: killed not in server.children() and len(server.children()) == 2)
    wait_for(lambda: limit() == 2 * 32)
    assert metric(server, counted) == 40
    assert not list(tmp_path.glob(f"voxanne-metrics-*/gauge_live*_{killed}.db"))

    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0
    assert not list(tmp_path.glob("voxanne-metrics-*"))


def test_each_worker_tells_the_last_hour_of_all(two_workers: Server) -> None:
    server = two_workers
    for _ in range(30):
        server.get("/api/services")

    def told() -> dict[str, Any]:
        return server.get("/api/monitoring/performance").raise_for_status().json()

    def services() -> list[int]:
        return [route["requests"] for route in told()["routes"] if route["route"] == "/api/services"]

    def both() -> set[tuple[int, ...]]:
        return {tuple(services()) for _ in range(6)}

    wait_for(lambda: both() == {(30,)} and told()["processes"] == 2)
    assert told()["scope"] == "all"
