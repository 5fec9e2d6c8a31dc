"""Texts of the outbox are sent once, however a sender ends."""

import itertools

import httpx
import orjson
import pytest

from voxanne.integrations.text_messages import Account, SentText
from voxanne.integrations.twilio import TwilioBusy, TwilioError, TwilioKeyRefused, TwilioUnreachable
from voxanne.integrations.twilio_fake import FakeTwilio
from voxanne.queries import outbox
from voxanne.services import secrets, sms_status, texts

TO = "+14155550123"


_numbers = itertools.count(4_000_000)


class Program:
    """An organisation with a Twilio account, and its outbox."""

    def __init__(self, app, factory, sql) -> None:
        self.app, self.sql = app, sql
        self.org_id, self.number = factory.org(), f"+1415{next(_numbers)}"
        self.factory = factory
        self.fake = app.extensions["voxanne.twilio"] = FakeTwilio()
        sql.execute("delete from message_outbox")

    def connect(self) -> None:
        self.factory.insert(
            "integration_settings", org_id=self.org_id, twilio_account_sid="AC1", twilio_from_number=self.number
        )

    def store_token(self, ciphertext: str | None = None) -> None:
        with self.app.app_context():
            kept = {"auth_token": ciphertext or secrets.encrypt(self.org_id, "twilio", "auth_token", "token")}
        self.factory.insert(
            "org_credentials", org_id=self.org_id, provider="twilio", encrypted_config=orjson.dumps(kept).decode()
        )

    def queue(self, call_id: str = "call-1") -> str:
        body = texts.hot_lead_text(
            call_id, {"lead_name": "Jane", "lead_phone": TO}, {"integration": {"hot_lead_alert_phone": TO}}
        )
        message = self.factory.insert(
            "messages", org_id=self.org_id, method="sms", recipient=TO, content=body["body"], status="pending"
        )
        own = {"recipient": TO, "content": body["body"], "purpose": "hot_lead_alert"}
        self.factory.insert("message_outbox", org_id=self.org_id, message_id=message, **own)
        return message

    def send(self) -> int:
        with self.app.app_context():
            return texts.send_due()

    def due_again(self) -> None:
        self.sql.execute("update message_outbox set next_attempt_at = now() - interval '1 second'")

    def row(self, message: str) -> dict:
        return self.sql.execute("select * from messages where id = %s", [message]).fetchone()


@pytest.fixture
def program(app, factory, sql) -> Program:
    made = Program(app, factory, sql)
    made.connect()
    made.store_token()
    return made


def test_a_text_is_sent_and_noted(program: Program, sql) -> None:
    message = program.queue()

    assert program.send() == 1
    assert program.send() == 0

    row = program.row(message)
    (text,) = program.fake.texts
    assert (row["status"], row["external_message_id"], text.to) == ("sent", text.sid, TO)
    assert row["sent_at"] is not None
    tracked = sql.execute("select * from sms_message_tracking where message_sid = %s", [text.sid]).fetchone()
    assert str(tracked["message_id"]) == message


def test_twilio_is_told_where_to_report_and_whose_text_it_is(app_with, factory, sql) -> None:
    program = Program(app_with(backend_url="https://api.example.com"), factory, sql)
    program.connect()
    program.store_token()
    program.queue()

    assert program.send() == 1
    (text,) = program.fake.texts
    with program.app.app_context():
        assert sms_status.addressed_to(text.callback) == program.org_id


@pytest.mark.parametrize("went_out", [True, False])
def test_a_lost_answer_is_looked_up_before_it_is_sent_again(program: Program, went_out: bool) -> None:
    message = program.queue()
    program.fake.fail(TwilioUnreachable(), after_sending=went_out)

    assert program.send() == 0
    assert program.row(message)["status"] == "pending"
    program.due_again()
    assert program.send() == 1

    assert len(program.fake.texts) == 1
    assert list(program.fake.asked) == ["send", "sent_since", *([] if went_out else ["send"])]
    assert program.row(message)["external_message_id"] == program.fake.texts[0].sid


@pytest.mark.parametrize("went_out", [True, False])
def test_a_sender_that_dies_leaves_one_text(program: Program, monkeypatch, went_out: bool) -> None:
    message = program.queue()
    died = RuntimeError("killed") if went_out else None

    def die(*args, **kwargs) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(outbox if died else FakeTwilio, "finish" if died else "send", die)
        with pytest.raises(SystemExit):
            program.send()
    assert program.send() == 0  # the claim still stands
    program.due_again()
    assert program.send() == 1

    assert len(program.fake.texts) == 1
    assert program.row(message)["status"] == "sent"


def test_while_twilio_cannot_be_asked_nothing_is_sent_again(program: Program) -> None:
    message = program.queue()
    for _ in range(texts.MOST_ATTEMPTS):
        program.fake.fail(TwilioUnreachable(), after_sending=True)
        program.due_again()
        assert program.send() == 0

    assert len(program.fake.texts) == 1
    assert (program.row(message)["status"], program.row(message)["error_message"]) == ("failed", texts.UNCONFIRMED)


def test_a_busy_twilio_is_asked_again_later(program: Program) -> None:
    message = program.queue()
    program.fake.fail(TwilioBusy())
    assert program.send() == 0
    assert program.row(message)["status"] == "pending"
    assert program.send() == 0
    program.due_again()
    assert program.send() == 1
    assert list(program.fake.asked) == ["send", "send"]


@pytest.mark.parametrize(
    ("error", "reason"), [(TwilioError(21211), "error 21211"), (TwilioKeyRefused(), texts.KEY_REFUSED)]
)
def test_what_twilio_refuses_fails_for_good_with_a_reason(program: Program, error, reason: str) -> None:
    message = program.queue()
    program.fake.fail(error)
    assert program.send() == 0
    program.due_again()
    assert program.send() == 0
    assert program.row(message)["status"] == "failed"
    assert reason in program.row(message)["error_message"]


def test_without_an_account_a_text_fails_with_a_reason(app, factory, sql) -> None:
    program = Program(app, factory, sql)
    message = program.queue()
    assert program.send() == 0
    assert (program.row(message)["status"], program.row(message)["error_message"]) == ("failed", texts.NO_ACCOUNT)


def test_a_token_that_cannot_be_read_fails_with_a_reason(app, factory, sql) -> None:
    program = Program(app, factory, sql)
    program.connect()
    program.store_token("not ours")
    message = program.queue()
    assert program.send() == 0
    assert program.row(message)["error_message"] == texts.TOKEN_UNREADABLE


def test_one_texts_trouble_does_not_keep_the_others(program: Program) -> None:
    messages = [program.queue(f"call-{number}") for number in range(7)]
    program.fake.fail(TwilioError())
    assert program.send() == 6
    assert sorted(program.row(message)["status"] for message in messages) == ["failed", *["sent"] * 6]


def test_a_result_that_cannot_be_stored_stops_the_round(program: Program, monkeypatch) -> None:
    program.queue("a"), program.queue("b")
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "finish", lambda *args, **kwargs: (_ for _ in ()).throw(httpx.ConnectError("down")))
        assert program.send() == 0
    program.due_again()
    assert program.send() == 2
    assert len(program.fake.texts) == 2


def test_the_text_names_lead_number_and_reference() -> None:
    settings = {"integration": {"hot_lead_alert_phone": TO}}
    alert = {"lead_name": "Jane\nDoe", "lead_phone": None, "service_interest": "Botox", "urgency_level": "high"}
    text = texts.hot_lead_text("c-1", alert, settings)
    assert text == {
        "to": TO,
        "body": f"Voxanne hot lead: Jane Doe, number withheld, Botox, urgency high. (ref {texts.reference('c-1')})",
    }
    assert texts.reference("c-1") != texts.reference("c-2")
    assert texts.hot_lead_text("c-1", alert, {"integration": {"hot_lead_alert_phone": None}}) is None
    assert texts.hot_lead_text("c-1", alert, {}) is None


def test_the_organisations_own_account_sends(program: Program, monkeypatch) -> None:
    used = []
    monkeypatch.setattr(program.fake, "send", lambda account, *_: used.append(account) or program.fake.sent)
    program.fake.sent = SentText(f"SM{program.org_id}", "", "queued")
    program.queue()
    assert program.send() == 1
    assert used == [Account("AC1", "token", program.number)]
