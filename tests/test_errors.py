"""Errors: one body everywhere, the right status, and never a word of the database's."""

import httpx
import pytest
from postgrest.exceptions import APIError

from tests.factories import Caller, Factory

PATH = "/api/services"
BODY = {"name": "Botox", "price": 1, "keywords": ["botox"]}
MARKER = "marker-7f3a"


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller()


def send(caller: Caller, body: bytes, content_type: str | None = "application/json", path: str = PATH):
    return caller.request("POST", path, data=body, content_type=content_type)


def assert_error(reply, status: int, code: str) -> None:
    assert (reply.status_code, reply.json["code"]) == (status, code)
    assert reply.content_type == "application/json"
    assert reply.json["error"]
    assert reply.json["request_id"] == reply.headers["X-Request-ID"]
    assert set(reply.json) <= {"error", "code", "request_id", "details", "retryAfter", "path"}


ERRORS = [
    (lambda caller: caller.app.test_client().get(PATH), 401, "UNAUTHENTICATED"),
    (lambda caller: caller.get("/api/nowhere"), 404, "NOT_FOUND"),
    (lambda caller: caller.get(f"{PATH}/x"), 400, "INVALID_UUID"),
    (lambda caller: caller.get(f"{PATH}/{caller.org_id}"), 404, "SERVICE_NOT_FOUND"),
    (lambda caller: caller.get(f"/api/calls-dashboard/{caller.org_id}"), 404, "CALL_NOT_FOUND"),
    (lambda caller: caller.get(f"/api/orgs/validate/{caller.user_id}"), 403, "FORBIDDEN"),
    (lambda caller: caller.request("PUT", PATH), 405, "METHOD_NOT_ALLOWED"),
    (lambda caller: caller.get(PATH, limit=0), 400, "VALIDATION_ERROR"),
    (lambda caller: caller.post(PATH, {}), 400, "VALIDATION_ERROR"),
    (lambda caller: caller.request("POST", PATH, json=BODY, headers={"X-CSRF-Token": "x"}), 403, "CSRF_TOKEN_INVALID"),
]


@pytest.mark.parametrize(("ask", "status", "code"), ERRORS, ids=[f"{status}-{code}" for _, status, code in ERRORS])
def test_every_error_has_the_same_body(caller: Caller, ask, status: int, code: str) -> None:
    assert_error(ask(caller), status, code)


def test_a_refused_body_names_the_fields(caller: Caller) -> None:
    reply = caller.post(PATH, {"name": " ", "price": -1, "keywords": ["a", ""]})

    assert_error(reply, 400, "VALIDATION_ERROR")
    assert {item["field"] for item in reply.json["details"]} == {"name", "price", "keywords.1"}
    assert all(set(item) == {"field", "message"} and item["message"] for item in reply.json["details"])


MALFORMED = {
    "cut off": b'{"name":',
    "NaN": b'{"name": "x", "price": NaN, "keywords": ["a"]}',
    "Infinity": b'{"name": "x", "price": 1e999, "keywords": ["a"]}',
    "100,000 arrays deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "not UTF-8": b'{"name": "\xff", "price": 1, "keywords": ["a"]}',
    "half a surrogate pair": b'{"name": "\\ud800", "price": 1, "keywords": ["a"]}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a NUL in a string": b'{"name": "a\\u0000b", "price": 1, "keywords": ["a"]}',
    "a NUL behind a backslash": b'{"name": "a\\\\\\u0000b", "price": 1, "keywords": ["a"]}',
    "a NUL in a list": b'{"name": "a", "price": 1, "keywords": ["a\\u0000"]}',
    "a raw NUL": b'{"name": "a\x00b", "price": 1, "keywords": ["a"]}',
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "two values": b"{} {}",
    "gzip": b"\x1f\x8b\x08",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_a_400(caller: Caller, recorder, body: bytes) -> None:
    assert_error(send(caller, body), 400, "VALIDATION_ERROR")
    assert recorder.last == []


def test_a_backslash_before_u0000_is_no_nul(caller: Caller) -> None:
    reply = send(caller, b'{"name": "a\\\\u0000b", "price": 1, "keywords": ["a"]}')

    assert (reply.status_code, reply.json["name"]) == (201, "a\\u0000b")


def test_of_two_equal_keys_the_last_one_counts(caller: Caller) -> None:
    reply = send(caller, b'{"name": "x", "name": "y", "price": 1, "keywords": ["a"]}')

    assert (reply.status_code, reply.json["name"]) == (201, "y")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_body_that_is_no_json_is_a_415(caller: Caller, content_type: str) -> None:
    assert_error(send(caller, b"name=Botox", content_type), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "text/plain", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_is_an_empty_object(caller: Caller, body: bytes, content_type: str | None) -> None:
    reply = send(caller, body, content_type)

    assert_error(reply, 400, "VALIDATION_ERROR")
    assert {item["field"] for item in reply.json["details"]} == {"name", "price", "keywords"}


@pytest.mark.parametrize("content_type", [None, "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_come_without_its_name(caller: Caller, content_type: str | None) -> None:
    assert send(caller, b'{"name": "x", "price": 1, "keywords": ["a"]}', content_type).status_code == 201


DATABASE_ERRORS = [
    ("PGRST000", 503, "DATABASE_UNAVAILABLE"),
    ("PGRST003", 503, "DATABASE_UNAVAILABLE"),
    ("57014", 503, "DATABASE_UNAVAILABLE"),
    ("53300", 503, "DATABASE_UNAVAILABLE"),
    ("PGRST301", 401, "UNAUTHENTICATED"),
    ("42501", 403, "FORBIDDEN"),
    ("23505", 409, "CONFLICT"),
    ("23P01", 409, "CONFLICT"),
    ("22003", 400, "VALIDATION_ERROR"),
    ("23514", 400, "VALIDATION_ERROR"),
    ("42P01", 500, "INTERNAL_ERROR"),
    ("PGRST205", 500, "INTERNAL_ERROR"),
    ("P0001", 500, "INTERNAL_ERROR"),
    ("", 503, "DATABASE_UNAVAILABLE"),
    ("08006", 503, "DATABASE_UNAVAILABLE"),
    ("57P02", 503, "DATABASE_UNAVAILABLE"),
    ("22009", 400, "VALIDATION_ERROR"),
]


@pytest.mark.parametrize(("database_code", "status", "code"), DATABASE_ERRORS)
def test_the_database_s_words_stay_inside(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, database_code: str, status: int, code: str
) -> None:
    error = APIError({"message": MARKER, "details": MARKER, "hint": MARKER, "code": database_code})

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("voxanne.queries.services.list_services", fail)

    reply = caller.get(PATH)

    assert_error(reply, status, code)
    assert MARKER not in reply.get_data(as_text=True)
    assert MARKER not in str(reply.headers)


def test_a_real_error_of_the_database_stays_inside(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxanne.queries.services.COLUMNS", "id,no_such_column")

    reply = caller.get(PATH)

    assert_error(reply, 500, "INTERNAL_ERROR")
    assert "no_such_column" not in reply.get_data(as_text=True)


def test_an_unforeseen_error_has_a_constant_text(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(MARKER)

    monkeypatch.setattr("voxanne.queries.services.list_services", fail)

    reply = caller.get(PATH)

    assert_error(reply, 500, "INTERNAL_ERROR")
    assert reply.json["error"] == "Something went wrong on our side."


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout(MARKER), httpx.ConnectError(MARKER), httpx.RemoteProtocolError(MARKER)]
)
def test_a_lost_connection_is_a_503(caller: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("voxanne.queries.services.list_services", fail)

    reply = caller.get(PATH)

    assert_error(reply, 503, "DATABASE_UNAVAILABLE")
    assert reply.json["retryAfter"] == int(reply.headers["Retry-After"]) > 0


def test_an_error_is_never_an_empty_list(caller: Caller, factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    factory.call(caller.org_id)
    monkeypatch.setattr("voxanne.queries.call_list.LIST_COLUMNS", "id,no_such_column")

    assert_error(caller.get("/api/calls-dashboard"), 500, "INTERNAL_ERROR")
