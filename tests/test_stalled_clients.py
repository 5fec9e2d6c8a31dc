"""Clients who begin a request and never end it hold no thread for long, and broken bodies are the sender's fault."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.factories import mint_token
from tests.test_gunicorn import ORG, USER, Server, SlowSupabase

THREADS = 8
SERVICE = json.dumps({"name": "Botox", "price": 400, "keywords": ["botox"]}).encode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with SlowSupabase() as supabase:
        supabase.may_answer.set()
        server = Server(supabase, tmp_path, RECEIVE_TIMEOUT_SECONDS="2")
        yield server
        server.process.terminate()
        server.process.communicate(timeout=60)
        supabase.shutdown()


def begin(server: Server, start: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(start)
    return connection


def post(server: Server, *headers: str) -> bytes:
    token = mint_token(server.settings, user_id=USER, org_id=ORG)
    lines = ["POST /api/services HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *headers]
    return ("\r\n".join([*lines, "Content-Type: application/json", "", ""])).encode()


def answer(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            received += part
    return received


@pytest.mark.parametrize("start", [b"GET /api/csrf-token HTTP/1.1\r\nHost: x\r\nX-A: ", "a body"])
def test_half_requests_on_every_thread_do_not_stop_the_others(server: Server, start: bytes | str) -> None:
    opening = post(server, "Content-Length: 500") + b'{"name":' if isinstance(start, str) else start
    stalled = [begin(server, opening) for _ in range(2 * THREADS)]
    time.sleep(1)  # all threads have one now

    assert httpx.get(f"{server.url}/api/csrf-token", timeout=60).status_code == 200
    for connection in stalled:
        connection.close()


def test_a_body_that_stops_coming_is_a_400(server: Server) -> None:
    reply = answer(begin(server, post(server, "Content-Length: 500", "Connection: close") + SERVICE))

    assert reply.startswith(b"HTTP/1.1 400 ")


def test_a_body_that_ends_early_is_refused_though_it_is_json(server: Server) -> None:
    connection = begin(server, post(server, "Content-Length: 500", "Connection: close") + SERVICE)
    connection.shutdown(socket.SHUT_WR)

    reply = answer(connection)

    assert b"201" not in reply.split(b"\r\n")[0]
    assert b"HTTP/1.1 400 " in reply


def test_a_chunk_without_a_size_is_refused(server: Server) -> None:
    start = post(server, "Transfer-Encoding: chunked", "Connection: close") + b"zz\r\n" + SERVICE + b"\r\n0\r\n\r\n"

    assert answer(begin(server, start)).startswith(b"HTTP/1.1 400 ")
