"""Twilio's reports: believed with the right signature only, and never backwards."""

from datetime import UTC, datetime

import pytest
from twilio.request_validator import RequestValidator

from voxanne.services import org_settings, sms_status
from voxanne.services.webhooks.deliveries import Delivery, Outcome

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
        signature = RequestValidator(token).compute_signature(url, form) if signature is None else signature
        with app.app_context():
            return apply(form, signature)

    return send


def apply(form: dict, signature: str, *, url: str = URL, org_id: str | None = None) -> Outcome:
    payload = {"form": form, "url": url, "signature": signature}
    return sms_status.apply(Delivery("twilio", org_id, payload, datetime.now(UTC)))


def stored(sql, message: str) -> tuple[str, str | None]:
    row = sql.execute(
        "select m.status, t.status as told, t.error_code from messages m"
        " join sms_message_tracking t on t.message_id = m.id where m.id = %s",
        [message],
    ).fetchone()
    return row["status"], row["told"], row["error_code"]


def test_statuses_move_forward_only(sent, report, sql) -> None:
    message, sid = sent
    assert report(sid, "sent") is Outcome.APPLIED
    assert report(sid, "delivered") is Outcome.APPLIED
    assert report(sid, "delivered") is Outcome.DUPLICATE
    assert report(sid, "queued") is Outcome.DUPLICATE
    assert report(sid, "failed", ErrorCode="30003") is Outcome.DUPLICATE
    assert stored(sql, message) == ("delivered", "delivered", None)


def test_what_could_not_be_delivered_has_its_error(sent, report, sql) -> None:
    message, sid = sent
    assert report(sid, "undelivered", ErrorCode="30005") is Outcome.APPLIED
    assert stored(sql, message) == ("failed", "undelivered", "30005")


@pytest.mark.parametrize(
    "forged",
    [{"signature": ""}, {"signature": "bm9uZQ=="}, {"token": "another's"}],
    ids=["none", "wrong", "stranger's"],
)
def test_a_wrong_signature_changes_nothing(sent, report, sql, forged: dict) -> None:
    message, sid = sent
    assert report(sid, "failed", **forged) is Outcome.REFUSED
    assert stored(sql, message) == ("sent", "queued", None)


def test_a_signature_for_another_address_is_none(report, sent, sql) -> None:
    message, sid = sent
    assert report(sid, "failed", url="https://evil.example/") is Outcome.REFUSED
    assert stored(sql, message) == ("sent", "queued", None)


@pytest.mark.parametrize(
    ("sid", "status"), [("", "sent"), ("SM 1;", "sent"), ("SM1", ""), ("SM1", "lost"), ("S" * 101, "sent")]
)
def test_what_is_no_report_is_told_apart(sid: str, status: str) -> None:
    assert not sms_status.is_report({"MessageSid": sid, "MessageStatus": status})
    assert sms_status.is_report({"SmsSid": "SM1", "SmsStatus": "Delivered"})


def test_a_stranger_without_any_known_token_is_refused(report) -> None:
    assert report("SMunheardof", "sent") is Outcome.REFUSED


def test_a_text_that_is_unknown_is_acknowledged(app_with, sent) -> None:
    app = app_with(twilio_auth_token="platform's")
    form = {"MessageSid": "SMunheardof2", "MessageStatus": "sent"}
    with app.app_context():
        signature = RequestValidator("platform's").compute_signature(URL, form)
        assert apply(form, signature) is Outcome.UNKNOWN


def test_a_clinic_says_nothing_of_anothers_texts(app, factory, sent, sql, monkeypatch) -> None:
    message, sid = sent
    other = factory.org()
    monkeypatch.setattr(org_settings, "secret", lambda *_: TOKEN)
    form = {"MessageSid": sid, "MessageStatus": "failed"}
    with app.app_context():
        apply(form, RequestValidator(TOKEN).compute_signature(URL, form), org_id=other)
    assert stored(sql, message) == ("sent", "queued", None)


def test_an_address_says_whose_text_it_is_and_only_ours_does(app_with, factory) -> None:
    org_id = factory.org()
    with app_with(backend_url="https://api.example.com").app_context():
        address = sms_status.callback_url(org_id)
        assert sms_status.addressed_to(address) == org_id
        assert sms_status.addressed_to(address[:-1]) is None
        assert sms_status.addressed_to(address.replace(org_id, factory.org())) is None
        assert sms_status.addressed_to("https://api.example.com/?for=%C3%A9") is None
        assert sms_status.addressed_to(URL) is None
    with app_with(backend_url="https://api.example.com", csrf_secret="another" * 10).app_context():
        assert sms_status.addressed_to(address) is None
    with app_with(backend_url=None).app_context():
        assert sms_status.callback_url(org_id) is None


def test_the_address_that_twilio_knows_is_the_public_one(app_with) -> None:
    inside = "http://10.0.0.1/api/webhooks/sms-status"
    with app_with(backend_url="https://public.example/").app_context():
        assert sms_status.seen_by_twilio(inside) == "https://public.example/api/webhooks/sms-status"
        assert (
            sms_status.seen_by_twilio(f"{inside}?for=x.y") == "https://public.example/api/webhooks/sms-status?for=x.y"
        )
    with app_with(backend_url=None).app_context():
        assert sms_status.seen_by_twilio(inside) == inside


def test_an_account_that_is_no_id_is_a_wrong_signature_and_no_trouble_of_the_database(report) -> None:
    for account in ("AC\x00", "a" * 101, "AC 7"):
        assert report("SM" + "0" * 32, "sent", AccountSid=account) is Outcome.REFUSED
