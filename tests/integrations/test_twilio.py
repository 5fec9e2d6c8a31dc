"""Twilio's client: what it sends, what it makes of answers, and that it never repeats or quotes anything."""

import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import requests
import responses
from twilio.request_validator import RequestValidator

from tests.conftest import settings_for_tests
from voxanne import signals
from voxanne.integrations import twilio
from voxanne.integrations.text_messages import Account
from voxanne.integrations.twilio import (
    LiveTwilio,
    TwilioBusy,
    TwilioError,
    TwilioKeyRefused,
    TwilioUnreachable,
)
from voxanne.integrations.twilio_fake import FakeTwilio

ACCOUNT = Account("AC" + "1" * 32, "marker-token-91", "+14155550100")
TO, BODY = "+14155550123", "Hot lead: Jane (ref ABCD2345)"
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json"
MADE = "Sun, 22 Nov 2026 10:00:00 +0000"


@pytest.fixture
def server():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield server


def listed(*texts: dict) -> dict:
    return {"messages": [{"sid": "SM1", "status": "queued", **text} for text in texts], "next_page_uri": None}


def test_a_text_goes_out_with_its_callback_and_a_time_limit(server) -> None:
    server.add("POST", URL, json={"sid": "SM1", "body": BODY, "status": "queued"}, status=201)

    sent = LiveTwilio().send(ACCOUNT, TO, BODY, "https://api.example/sms")

    assert (sent.sid, sent.status) == ("SM1", "queued")
    request = server.calls[0].request
    form = {name: values[0] for name, values in parse_qs(request.body).items()}
    assert form == {"To": TO, "From": ACCOUNT.number, "Body": BODY, "StatusCallback": "https://api.example/sms"}
    assert request.req_kwargs["timeout"] == (2.0, 8.0)
    assert request.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, TwilioError), (401, TwilioKeyRefused), (403, TwilioKeyRefused), (404, TwilioError),
        (302, TwilioError), (408, TwilioUnreachable), (429, TwilioBusy), (500, TwilioUnreachable),
        (503, TwilioUnreachable),
    ],
)  # fmt: skip
def test_errors_are_typed_sent_once_and_quote_nothing(server, caplog, status: int, error: type) -> None:
    caplog.set_level(logging.DEBUG, logger="voxanne")
    seen = []
    server.add("POST", URL, json={"code": 21211, "message": f"{TO} is no number", "status": status}, status=status)

    def receive(sender, **sent) -> None:
        seen.append(sent)

    with signals.provider_call.connected_to(receive), pytest.raises(TwilioError) as raised:
        LiveTwilio().send(ACCOUNT, TO, BODY)

    assert type(raised.value) is error
    assert len(server.calls) == 1
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert not any(secret in logged + raised.value.message for secret in (TO, BODY, ACCOUNT.token))
    (call,) = seen
    assert (call["provider"], call["operation"]) == ("twilio", "send")
    assert call["outcome"] == ("unreachable" if isinstance(raised.value, TwilioUnreachable) else "refused")


@pytest.mark.parametrize("trouble", [requests.ConnectTimeout(), requests.ReadTimeout(), requests.ConnectionError()])
def test_no_answer_leaves_it_open_whether_the_text_went_out(server, trouble) -> None:
    server.add("POST", URL, body=trouble)

    with pytest.raises(TwilioUnreachable):
        LiveTwilio().send(ACCOUNT, TO, BODY)
    assert len(server.calls) == 1


def test_an_answer_that_cannot_be_read_leaves_it_open_too(server) -> None:
    server.add("POST", URL, body="<html>", status=201)

    with pytest.raises(TwilioUnreachable):
        LiveTwilio().send(ACCOUNT, TO, BODY)


def test_texts_since_a_time_are_found_queued_ones_included(server) -> None:
    server.add(
        "GET",
        URL,
        json=listed(
            {"sid": "SMqueued", "body": "a", "date_created": None},
            {"sid": "SMnew", "body": "b", "date_created": MADE},
            {"sid": "SMold", "body": "c", "date_created": "Sun, 22 Nov 2026 08:00:00 +0000"},
            {"sid": "SMolder", "body": "d", "date_created": "Thu, 19 Nov 2026 08:00:00 +0000"},
        ),
    )

    found = LiveTwilio().sent_since(ACCOUNT, TO, datetime(2026, 11, 22, 10, 2, tzinfo=UTC))

    assert [text.sid for text in found] == ["SMqueued", "SMnew"]
    query = server.calls[0].request.params
    assert (query["To"], query["From"]) == (TO, ACCOUNT.number)


def test_a_list_too_long_to_tell_is_no_answer(server, monkeypatch) -> None:
    monkeypatch.setattr(twilio, "MOST_LOOKED_THROUGH", 2)
    server.add("GET", URL, json=listed({"date_created": MADE}, {"date_created": MADE}))

    with pytest.raises(TwilioUnreachable):
        LiveTwilio().sent_since(ACCOUNT, TO, datetime(2026, 11, 22, tzinfo=UTC))


def test_signatures() -> None:
    url, form = "https://api.example/api/webhooks/sms-status", {"MessageSid": "SM1", "MessageStatus": "sent"}
    signature = RequestValidator("token").compute_signature(url, form)
    assert twilio.signature_is_valid("token", url, form, signature)
    assert not twilio.signature_is_valid("other", url, form, signature)
    assert not twilio.signature_is_valid("token", url, {**form, "MessageStatus": "failed"}, signature)
    assert not twilio.signature_is_valid("token", url, form, "")


def test_an_account_never_shows_its_token() -> None:
    assert ACCOUNT.token not in repr(ACCOUNT)


def test_the_stand_in_keeps_texts_of_each_account_and_fails_when_told() -> None:
    fake, before = FakeTwilio(), datetime.now(UTC) - timedelta(seconds=1)
    sent = fake.send(ACCOUNT, TO, BODY)
    assert [text.sid for text in fake.sent_since(ACCOUNT, TO, before)] == [sent.sid]
    assert fake.sent_since(Account("AC2", "t", "+1"), TO, before) == []
    fake.fail(TwilioUnreachable(), after_sending=True)
    with pytest.raises(TwilioUnreachable):
        fake.send(ACCOUNT, TO, BODY)
    assert len(fake.texts) == 2


@pytest.mark.parametrize(
    ("env", "mode", "fake"), [("test", None, True), ("staging", None, False), ("test", "live", False)]
)
def test_only_development_and_tests_pretend_by_themselves(env: str, mode: str | None, fake: bool) -> None:
    keys = {"encryption_keys": "x" * 43 + "="}
    settings = settings_for_tests(app_env=env, twilio_mode=mode, **keys)
    assert settings.text_provider_is_fake is fake


def test_production_refuses_to_pretend() -> None:
    with pytest.raises(ValueError, match="TWILIO_MODE=fake only pretends"):
        settings_for_tests(app_env="production", twilio_mode="fake", encryption_keys="x" * 43 + "=")
