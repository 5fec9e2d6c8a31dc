"""The voice provider's client: what it sends, what it makes of answers, and what it repeats."""

import contextlib
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses
from flask import Flask

from tests.conftest import settings_for_tests
from voxanne.errors import ProviderError
from voxanne.integrations import vapi
from voxanne.integrations.vapi import BASE_URL, LiveVapi, VapiError, VapiKeyRefused, VapiNotFound, VapiUnreachable
from voxanne.integrations.vapi_fake import FakeVapi
from voxanne.signals import provider_call

KEY = "marker-key-7f3a"
ASSISTANT = f"{BASE_URL}/assistant/a-1"


@pytest.fixture
def server():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch) -> None:
    monkeypatch.setattr(vapi, "PAUSE_SECONDS", 0)


@pytest.fixture
def live() -> LiveVapi:
    return LiveVapi()


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        (lambda v: v.get_assistant(KEY, "a-1"), "GET", "/assistant/a-1", None),
        (lambda v: v.create_assistant(KEY, {"name": "Eve"}), "POST", "/assistant", {"name": "Eve"}),
        (lambda v: v.update_assistant(KEY, "a-1", {"name": "Eve"}), "PATCH", "/assistant/a-1", {"name": "Eve"}),
        (lambda v: v.delete_assistant(KEY, "a-1"), "DELETE", "/assistant/a-1", None),
        (lambda v: v.list_phone_numbers(KEY), "GET", "/phone-number", None),
        (lambda v: v.import_phone_number(KEY, {"number": "+1"}), "POST", "/phone-number", {"number": "+1"}),
        (lambda v: v.update_phone_number(KEY, "n-1", {"assistantId": "a-1"}), "PATCH", "/phone-number/n-1",
         {"assistantId": "a-1"}),
        (lambda v: v.get_call(KEY, "c-1"), "GET", "/call/c-1", None),
    ],
    ids=["get", "create", "update", "delete", "numbers", "import", "number", "call"],
)  # fmt: skip
def test_each_call_goes_where_it_should_with_the_key(server, live, *, call, method, path, body) -> None:
    server.add(method, BASE_URL + path, json={"id": "x"})

    call(live)

    (sent,) = [entry.request for entry in server.calls]
    assert sent.headers["Authorization"] == f"Bearer {KEY}"
    assert (json.loads(sent.body) if sent.body else None) == body
    assert sent.req_kwargs["timeout"] == (2.0, 8.0)


def test_calls_are_listed_by_the_time_they_were_made(server, live: LiveVapi) -> None:
    server.add("GET", f"{BASE_URL}/call", json=[{"id": "c-2"}, {"id": "c-1"}])
    since = datetime.fromisoformat("2026-11-22T12:00:00+02:00")

    found = live.list_calls(KEY, since=since, until=since + timedelta(hours=1, microseconds=1500), limit=100)

    assert [call["id"] for call in found] == ["c-2", "c-1"]
    (sent,) = [entry.request for entry in server.calls]
    assert sent.params == {
        "createdAtGe": "2026-11-22T10:00:00.000Z", "createdAtLe": "2026-11-22T11:00:00.001Z", "limit": "100",
    }  # fmt: skip
    assert sent.headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("reply", [{"id": "c-1"}, [["c-1"]], [{"name": "c-1"}], None])
def test_a_list_that_is_none_is_an_error(server, live: LiveVapi, reply: object) -> None:
    server.add("GET", f"{BASE_URL}/call", json=reply)
    now = datetime.now(UTC)
    with pytest.raises(VapiError):
        live.list_calls(KEY, since=now, until=now, limit=1)


def test_an_id_cannot_lead_elsewhere(server, live: LiveVapi) -> None:
    server.add("GET", f"{BASE_URL}/assistant/..%2Fphone-number%3Fx", json={"id": "x"})

    assert live.get_assistant(KEY, "../phone-number?x") == {"id": "x"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, VapiError), (401, VapiKeyRefused), (403, VapiKeyRefused), (404, VapiNotFound), (422, VapiError),
        (302, VapiError), (429, VapiUnreachable), (500, VapiUnreachable), (503, VapiUnreachable),
    ],
)  # fmt: skip
def test_errors_are_typed_answer_502_and_quote_nothing(server, live: LiveVapi, caplog, status: int, error) -> None:
    caplog.set_level(logging.DEBUG)
    server.add(
        "GET", ASSISTANT, json={"message": f"bad {KEY}"}, status=status, headers={"Location": "https://x.example"}
    )

    with pytest.raises(VapiError) as raised:
        live.get_assistant(KEY, "a-1")

    assert type(raised.value) is error
    assert isinstance(raised.value, ProviderError)
    assert (raised.value.status, raised.value.code) == (502, "PROVIDER_ERROR")
    assert KEY not in raised.value.message
    assert KEY not in "".join(str(vars(record)) for record in caplog.records if record.name.startswith("voxanne"))
    assert "voice provider did not comply" in caplog.text


@pytest.mark.parametrize(
    "trouble", [requests.ConnectTimeout(), requests.ConnectionError(), 503, 429], ids=["timeout", "gone", "503", "429"]
)
def test_what_may_be_repeated_is_repeated_once(server, live: LiveVapi, trouble) -> None:
    failing = {"status": trouble} if isinstance(trouble, int) else {"body": trouble}
    server.add("PATCH", ASSISTANT, **failing)
    server.add("PATCH", ASSISTANT, json={"id": "a-1"})

    assert live.update_assistant(KEY, "a-1", {}) == {"id": "a-1"}
    assert len(server.calls) == 2


def test_it_gives_up_after_the_second_time(server, live: LiveVapi) -> None:
    server.add("GET", ASSISTANT, status=503)

    with pytest.raises(VapiUnreachable):
        live.get_assistant(KEY, "a-1")
    assert len(server.calls) == 2


@pytest.mark.parametrize("trouble", [requests.ConnectionError(), 503], ids=["gone", "503"])
def test_what_creates_something_is_never_repeated(server, live: LiveVapi, trouble) -> None:
    failing = {"status": trouble} if isinstance(trouble, int) else {"body": trouble}
    server.add("POST", f"{BASE_URL}/assistant", **failing)

    with pytest.raises(VapiUnreachable):
        live.create_assistant(KEY, {})
    assert len(server.calls) == 1


def test_after_eight_seconds_of_silence_nobody_waits_again(server, live: LiveVapi) -> None:
    server.add("GET", ASSISTANT, body=requests.ReadTimeout())

    with pytest.raises(VapiUnreachable):
        live.get_assistant(KEY, "a-1")
    assert len(server.calls) == 1


def test_an_answer_that_is_no_json_is_an_error(server, live: LiveVapi) -> None:
    server.add("GET", ASSISTANT, body="<html>")

    with pytest.raises(VapiError):
        live.get_assistant(KEY, "a-1")


def test_no_cookie_goes_from_one_account_to_another(server, live: LiveVapi) -> None:
    server.add("GET", ASSISTANT, json={"id": "a-1"}, headers={"Set-Cookie": "account=one; Path=/"})

    live.get_assistant("key-one", "a-1")
    live.get_assistant("key-two", "a-1")

    assert "Cookie" not in server.calls[1].request.headers


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, FakeVapi), ({"app_env": "development"}, FakeVapi), ({"vapi_mode": "live"}, LiveVapi),
        ({"app_env": "staging", "vapi_mode": "fake"}, FakeVapi), ({"app_env": "staging"}, LiveVapi),
        ({"app_env": "production"}, LiveVapi),
    ],
)  # fmt: skip
def test_the_mode_decides(settings: dict, kind: type) -> None:
    app = Flask("mode")
    keys = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="
    app.config["SETTINGS"] = settings_for_tests(encryption_keys=keys, **settings)
    vapi.init_app(app)

    with app.app_context():
        assert type(vapi.provider()) is kind


def test_the_stand_in_has_the_same_methods() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert methods(vapi.VoiceProvider) == methods(LiveVapi)
    assert methods(LiveVapi) <= methods(FakeVapi)


def test_the_stand_in_repeats_itself_and_keeps_accounts_apart() -> None:
    assistant = {"name": "Eve", "metadata": {"org_id": "o", "role": "inbound"}, "server": {"url": "u", "secret": KEY}}
    one, two = FakeVapi(), FakeVapi()

    assert one.create_assistant(KEY, assistant)["id"] == two.create_assistant(KEY, assistant)["id"]
    assert one.create_assistant("other", assistant)["id"] != two.create_assistant(KEY, assistant)["id"]
    one.import_phone_number(KEY, {"number": "+1", "twilioAuthToken": KEY})
    assert [number["number"] for number in one.list_phone_numbers(KEY)] == ["+1"]
    assert one.list_phone_numbers("other") == []
    assert KEY not in str(vars(one))


def test_the_stand_in_can_fail() -> None:
    fake = FakeVapi()
    fake.fail(VapiUnreachable())

    with pytest.raises(VapiUnreachable):
        fake.list_phone_numbers(KEY)
    assert fake.list_phone_numbers(KEY) == []
    assert [name for name, _ in fake.calls] == ["list_phone_numbers"] * 2


@pytest.mark.parametrize(
    ("answers", "outcomes"),
    [
        ([200], ["ok"]),
        ([404], ["refused"]),
        ([401], ["refused"]),
        ([503, 200], ["unreachable", "ok"]),
        ([requests.ReadTimeout()], ["unreachable"]),
    ],
    ids=str,
)
def test_each_call_tells_the_monitoring_its_outcome(server, answers: list, outcomes: list[str]) -> None:
    for answer in answers:
        server.get(ASSISTANT, **({"status": answer, "json": {}} if isinstance(answer, int) else {"body": answer}))
    told: list[dict] = []

    def listen(_sender: object, **values: object) -> None:
        told.append(values)

    with provider_call.connected_to(listen), contextlib.suppress(VapiError):
        LiveVapi().get_assistant(KEY, "a-1")

    assert [(call["provider"], call["operation"], call["outcome"]) for call in told] == [
        ("vapi", "GET assistant", outcome) for outcome in outcomes
    ]
    assert all(call["seconds"] > 0 for call in told)
    assert KEY not in str(told)
    assert "a-1" not in str(told)
