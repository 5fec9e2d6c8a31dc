"""Twilio's reports: believed with the right signature only, and never backwards."""

import pytest
from twilio.request_validator import RequestValidator

from voxanne.services import org_settings, sms_status, texts
from voxanne.services.sms_status import SmsOutcome

URL = "https://api.example.com/api/webhooks/sms-status"
TOKEN, ACCOUNT_SID = "the organisation's token", "AC" + "7" * 32


@pytest.fixture
def sent(factory, monkeypatch):
    """A text that was sent."""
    org_id = factory.org()
    sid = f"SM{org_id.replace('-', '')}"
    message = factory.insert(
        "messages", org_id=org_id, method="sms", recipient="+14155550123", content="x", status="sent",
        service_provider="twilio", external_message_id=sid,
    )  # fmt: skip
    factory.insert("sms_message_tracking", org_id=org_id, message_id=message, message_sid=sid, status="queued")
    monkeypatch.setattr(org_settings, "secret", lambda org, *_: TOKEN if org == org_id else None)
    return message, sid


@pytest.fixture
def report(app):
    def send(sid: str, status: str, *, token: str = TOKEN, url: str = URL, signature: str | None = None, **more):
        form = {"MessageSid": sid, "MessageStatus": status, "AccountSid": ACCOUNT_SID, **more}
        with app.test_request_context():
            return sms_status.apply_status(
                form, url, signature if signature is not None else RequestValidator(token).compute_signature(url, form)
            )

    return send


def stored(sql, message: str) -> tuple[str, str | None]:
    row = sql.execute(
        "select m.status, t.status as told, t.error_code from messages m"
        " join sms_message_tracking t on t.message_id = m.id where m.id = %s",
        [message],
    ).fetchone()
    return row["status"], row["told"], row["error_code"]


def test_statuses_move_forward_only(sent, report, sql) -> None:
    message, sid = sent
    assert report(sid, "sent") is SmsOutcome.APPLIED
    assert report(sid, "delivered") is SmsOutcome.APPLIED
    assert report(sid, "delivered") is SmsOutcome.DUPLICATE
    assert report(sid, "queued") is SmsOutcome.DUPLICATE
    assert report(sid, "failed", ErrorCode="30003") is SmsOutcome.DUPLICATE
    assert stored(sql, message) == ("delivered", "delivered", None)


def test_what_could_not_be_delivered_has_its_error(sent, report, sql) -> None:
    message, sid = sent
    assert report(sid, "undelivered", ErrorCode="30005") is SmsOutcome.APPLIED
    assert stored(sql, message) == ("failed", "undelivered", "30005")


@pytest.mark.parametrize(
    "forged",
    [{"signature": ""}, {"signature": "bm9uZQ=="}, {"token": "another's"}],
    ids=["none", "wrong", "stranger's"],
)
def test_a_wrong_signature_changes_nothing(sent, report, sql, forged: dict) -> None:
    message, sid = sent
    assert report(sid, "failed", **forged) is SmsOutcome.REFUSED
    assert stored(sql, message) == ("sent", "queued", None)


def test_a_signature_for_another_address_is_none(app, sent, sql) -> None:
    message, sid = sent
    form = {"MessageSid": sid, "MessageStatus": "failed"}
    signature = RequestValidator(TOKEN).compute_signature("https://evil.example/", form)
    with app.test_request_context():
        assert sms_status.apply_status(form, URL, signature) is SmsOutcome.REFUSED
    assert stored(sql, message) == ("sent", "queued", None)


def test_the_address_that_twilio_was_given_counts(app, sent, monkeypatch) -> None:
    _, sid = sent
    monkeypatch.setattr(texts, "callback_url", lambda: "https://public.example/api/webhooks/sms-status")
    form = {"MessageSid": sid, "MessageStatus": "sent"}
    signature = RequestValidator(TOKEN).compute_signature("https://public.example/api/webhooks/sms-status", form)
    with app.test_request_context():
        assert sms_status.apply_status(form, "http://10.0.0.1/inside", signature) is SmsOutcome.APPLIED


@pytest.mark.parametrize(
    ("sid", "status"), [("", "sent"), ("SM 1;", "sent"), ("SM1", ""), ("SM1", "lost"), ("S" * 101, "sent")]
)
def test_what_is_no_report_is_not_looked_up(report, recorder, sid: str, status: str) -> None:
    assert report(sid, status) is SmsOutcome.INVALID


def test_a_stranger_without_any_known_token_is_refused(report) -> None:
    assert report("SMunheardof", "sent") is SmsOutcome.REFUSED


def test_a_text_that_is_unknown_is_acknowledged(app_with, sent) -> None:
    app = app_with(twilio_auth_token="platform's")
    form = {"MessageSid": "SMunheardof2", "MessageStatus": "sent"}
    signature = RequestValidator("platform's").compute_signature(URL, form)
    with app.test_request_context():
        assert sms_status.apply_status(form, URL, signature) is SmsOutcome.UNKNOWN


def test_an_account_that_is_no_id_is_a_wrong_signature_and_no_trouble_of_the_database(report) -> None:
    for account in ("AC\x00", "a" * 101, "AC 7"):
        assert report("SM" + "0" * 32, "sent", AccountSid=account) is SmsOutcome.REFUSED
