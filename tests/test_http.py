"""What every reply carries: request id, security headers, compression; and limits of what comes in."""

import gzip
import io
import re
import uuid

import pytest
from flask import Flask, request

from tests.factories import Caller, Factory

PATH = "/api/services"
PATHS = ["/", "/health", "/api/agents", "/api/nowhere", "/docs"]


def ask(app: Flask, request_id: str | None) -> tuple[str, str]:
    reply = app.test_client().get("/api/nowhere", headers={} if request_id is None else {"X-Request-ID": request_id})
    return reply.headers["X-Request-ID"], reply.json["request_id"]


@pytest.mark.parametrize("offered", ["req_lx1k2_9f8a7b", "a", "A-Z.0:9_" * 16, str(uuid.uuid4())])
def test_the_request_id_is_echoed(app: Flask, offered: str) -> None:
    assert ask(app, offered) == (offered, offered)


@pytest.mark.parametrize("offered", [None, "", "a" * 129, "a b", "<script>", 'a"b', "a\tb", "caf\xe9", "a,b", "{x}"])
def test_a_missing_or_malicious_request_id_is_replaced(app: Flask, offered: str | None) -> None:
    in_header, in_body = ask(app, offered)

    assert in_header == in_body != offered
    assert uuid.UUID(in_header).version == 4


def test_each_request_has_its_own_id(app: Flask) -> None:
    assert len({ask(app, None) for _ in range(5)}) == 5


@pytest.mark.parametrize("path", PATHS)
def test_security_headers(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert int(re.findall(r"max-age=(\d+)", headers["Strict-Transport-Security"])[0]) >= 15_552_000
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("path", PATHS)
def test_every_reply_tells_its_time(app: Flask, path: str) -> None:
    pattern = r'total;dur=\d+\.\d, db;dur=\d+\.\d;desc="\d+ requests"'

    assert re.fullmatch(pattern, app.test_client().get(path).headers["Server-Timing"].split(", cache")[0])


def test_large_replies_are_compressed_for_those_who_can_read_it(app: Flask) -> None:
    client = app.test_client()
    plain = client.get("/openapi.json")
    packed = client.get("/openapi.json", headers={"Accept-Encoding": "br, gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) * 4 < len(plain.data)
    assert "Accept-Encoding" in packed.vary


def test_small_replies_are_not(app: Flask) -> None:
    reply = app.test_client().get("/", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in reply.headers


def test_head_is_get_without_a_body(app: Flask) -> None:
    reply = app.test_client().head("/")

    assert (reply.status_code, reply.data) == (200, b"")


def test_an_unknown_path(app: Flask) -> None:
    reply = app.test_client().get("/api/nowhere/at/all?x=1")

    assert reply.status_code == 404
    assert reply.json["code"] == "NOT_FOUND"
    assert reply.json["path"] == "/api/nowhere/at/all"


@pytest.mark.parametrize(("method", "path"), [("PUT", PATH), ("PATCH", PATH), ("POST", "/health"), ("DELETE", "/docs")])
def test_a_method_that_is_not_there(app: Flask, method: str, path: str) -> None:
    reply = app.test_client().open(path, method=method)

    assert (reply.status_code, reply.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "HEAD", "OPTIONS"} <= set(reply.headers["Allow"].split(", "))
    assert method not in reply.headers["Allow"].split(", ")


def test_a_closing_slash_makes_no_difference(factory: Factory) -> None:
    assert factory.caller().get(f"{PATH}/").status_code == 200


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller()


def test_a_body_that_says_it_is_too_large(caller: Caller) -> None:
    reply = caller.request("POST", PATH, data=b" " * 10_000_000, content_type="application/json")

    assert (reply.status_code, reply.json["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_that_turns_out_to_be_too_large(caller: Caller) -> None:
    # As with Transfer-Encoding: chunked, where no length is told beforehand.
    body = io.BytesIO(b'{"name": "Botox", "price": 1, "keywords": ["botox"]}' + b" " * 10_000_000)
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": None}

    reply = caller.request("POST", PATH, input_stream=body, content_type="application/json", environ_overrides=chunked)

    assert (reply.status_code, reply.json["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert caller.get(PATH).json["services"] == []


def test_a_chunked_body_of_ordinary_size_is_read(caller: Caller) -> None:
    body = io.BytesIO(b'{"name": "Botox", "price": 1, "keywords": ["botox"]}')
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": None}

    reply = caller.request("POST", PATH, input_stream=body, environ_overrides=chunked)

    assert reply.status_code == 201


def test_an_address_of_the_caller_is_taken_from_the_trusted_proxy_only(app_with) -> None:
    seen = []
    for hops in (0, 1):
        app = app_with(trusted_proxies=hops)
        app.before_request(lambda: seen.append(request.remote_addr))
        app.test_client().get("/", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})

    assert seen == ["127.0.0.1", "198.51.100.7"]
