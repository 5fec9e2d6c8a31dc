"""The outbox, what Twilio says of texts, dead letters, retention, and calls that wait for their report."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.factories import Factory
from tests.schema.call_events import ALERT_PHONE, BEGAN, alert, apply, new_call_id, only, report, status
from tests.schema.test_call_events import at_once
from tests.schema.test_call_events_tools import one

Sql = psycopg.Connection[Any]
FINISH = "public.finish_message(%s, %s, %s, %s, %s)"


@pytest.fixture
def org_id(factory: Factory, sql: Sql) -> str:
    """An organisation with one text to be sent, and nothing due from other tests."""
    sql.execute("delete from public.message_outbox")
    made = factory.org()
    apply(sql, made, new_call_id(), report(alert=alert()))
    return made


def claimed(sql: Sql, lease: int = 60, limit: int = 10) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one(sql, "public.claim_messages(%s, %s)", limit, lease)
    return found


def make_due(sql: Sql) -> None:
    sql.execute("update public.message_outbox set next_attempt_at = now() - interval '1 second'")


def test_a_text_is_claimed_by_one_sender_at_a_time(org_id: str, sql: Sql) -> None:
    ends = at_once([claimed] * 5)
    (text,) = [text for end in ends for text in end]
    assert (text["recipient"], text["content"], text["attempts"]) == (ALERT_PHONE, "Hot lead", 1)
    assert (text["org_id"], text["uncertain_since"], text["purpose"]) == (org_id, None, "hot_lead_alert")
    assert claimed(sql) == []


@pytest.mark.usefixtures("org_id")
def test_a_claim_that_lapses_is_uncertain(sql: Sql) -> None:
    (first,) = claimed(sql)
    since = sql.execute("select claimed_at from public.message_outbox").fetchone()
    make_due(sql)
    (second,) = claimed(sql)
    make_due(sql)
    (third,) = claimed(sql)
    assert since
    for text in (second, third):
        assert datetime.fromisoformat(text["uncertain_since"]) == since["claimed_at"]
    assert (first["attempts"], third["attempts"]) == (1, 3)


def test_a_sent_text_is_settled(org_id: str, sql: Sql) -> None:
    (text,) = claimed(sql)
    assert one(sql, FINISH, text["id"], "sent", "SM1" + text["id"], None, None)
    assert not one(sql, FINISH, text["id"], "failed", None, "late", None)
    message, raised = only(sql, "messages", org_id), only(sql, "hot_lead_alerts", org_id)
    assert (message["status"], message["service_provider"]) == ("sent", "twilio")
    assert raised["sms_message_id"] == message["external_message_id"] == "SM1" + text["id"]
    assert message["sent_at"] is not None
    assert raised["alert_sent_at"] is not None
    assert sql.execute("select from public.message_outbox").fetchall() == []


def test_what_a_member_makes_of_a_waiting_text_is_not_sent(org_id: str, sql: Sql) -> None:
    sql.execute(
        "update public.messages set recipient = '+14155550666', content = 'Buy now' where org_id = %s", [org_id]
    )
    (text,) = claimed(sql)
    assert (text["recipient"], text["content"]) == (ALERT_PHONE, "Hot lead")

    sql.execute("update public.messages set method = 'email', recipient = 'a@example.com' where org_id = %s", [org_id])
    assert one(sql, FINISH, text["id"], "sent", "SM1" + text["id"], None, None)

    message = only(sql, "messages", org_id)
    assert (message["method"], message["recipient"], message["content"]) == ("sms", ALERT_PHONE, "Hot lead")


def test_a_text_that_failed_for_good_is_settled(org_id: str, sql: Sql) -> None:
    (text,) = claimed(sql)
    assert one(sql, FINISH, text["id"], "failed", None, "no such number", None)
    message = only(sql, "messages", org_id)
    assert (message["status"], message["error_message"], message["sent_at"]) == ("failed", "no such number", None)
    assert only(sql, "hot_lead_alerts", org_id)["alert_sent_at"] is None
    make_due(sql)
    assert claimed(sql) == []


@pytest.mark.parametrize(("ending", "uncertain"), [("retry", False), ("unknown", True)])
def test_a_text_is_tried_again(org_id: str, sql: Sql, ending: str, uncertain: bool) -> None:
    (text,) = claimed(sql)
    assert one(sql, FINISH, text["id"], ending, None, "busy", 60)
    assert claimed(sql) == []
    make_due(sql)
    (again,) = claimed(sql)
    assert (again["uncertain_since"] is not None) == uncertain
    assert only(sql, "messages", org_id)["status"] == "pending"


def test_a_text_that_somebody_settled_by_hand_is_not_sent(org_id: str, sql: Sql) -> None:
    sql.execute("update public.messages set status = 'failed' where org_id = %s", [org_id])
    assert claimed(sql) == []
    assert sql.execute("select from public.message_outbox").fetchall() == []


def said(sql: Sql, sid: str, word: str, org_id: str | None = None, code: str | None = None) -> dict[str, bool]:
    answer: dict[str, bool] = one(sql, "public.apply_sms_status(%s, %s, %s, null, %s)", sid, word, code, org_id)
    return answer


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        (["queued", "sent", "delivered"], "delivered"),
        (["delivered", "sent", "queued"], "delivered"),
        (["sent", "undelivered", "delivered"], "failed"),
        (["delivered", "failed"], "delivered"),
        (["sent"], "sent"),
        (["Delivered", "READ"], "delivered"),
        (["nonsense"], "sent"),
    ],
)
def test_what_twilio_says_goes_forward_only(org_id: str, sql: Sql, words: list[str], ends: str) -> None:
    (text,) = claimed(sql)
    sid = "SM" + text["id"]
    one(sql, FINISH, text["id"], "sent", sid, None, None)
    for word in words:
        said(sql, sid, word, code="30003" if word == "undelivered" else None)
    message = only(sql, "messages", org_id)
    assert message["status"] == ends
    assert message["error_message"] == ("Twilio: 30003" if ends == "failed" else None)
    assert one(sql, "public.sms_owner(%s, null)", sid)


def test_twilio_may_be_quicker_than_our_note(org_id: str, sql: Sql, factory: Factory) -> None:
    (text,) = claimed(sql)
    sid = "SM" + text["id"]
    assert said(sql, sid, "delivered") == {"known": False, "applied": False}
    assert said(sql, sid, "delivered", org_id) == {"known": False, "applied": True}
    assert said(sql, sid, "failed", factory.org()) == {"known": False, "applied": False}
    one(sql, FINISH, text["id"], "sent", sid, None, None)
    assert only(sql, "messages", org_id)["status"] == "delivered"


def test_the_owner_of_a_text_is_told_by_the_account_if_only_one_has_it(factory: Factory, sql: Sql) -> None:
    account = new_call_id()
    ours = factory.org()
    factory.insert("integration_settings", org_id=ours, twilio_account_sid=account)
    assert str(one(sql, "public.sms_owner('SMx', %s)", account)) == ours
    factory.insert("integration_settings", org_id=factory.org(), twilio_account_sid=account)
    assert one(sql, "public.sms_owner('SMx', %s)", account) is None
    assert one(sql, "public.sms_owner('SMx', null)") is None


def letter(sql: Sql, org_id: str | None, event_id: str | None, payload: Any = None) -> str:
    query = "public.record_dead_letter(%s, 'vapi', %s, 'status-update', %s, 'bad', 1, %s)"
    return str(one(sql, query, org_id, event_id, Jsonb(payload or {"a": 1}), BEGAN))


def test_dead_letters_wait_once_each_until_they_are_replayed(factory: Factory, sql: Sql) -> None:
    sql.execute("delete from public.webhook_dead_letters")
    org_id = factory.org()
    first, second = letter(sql, org_id, "e1"), letter(sql, None, "e1")
    assert letter(sql, org_id, "e1") == first
    nameless = {letter(sql, None, None), letter(sql, None, None)}
    assert letter(sql, None, "e1") == second
    waiting = one(sql, "public.dead_letters_waiting(10)")
    assert {one["id"] for one in waiting} == {first, second, *nameless}
    assert {one["id"]: one["attempts"] for one in waiting}[first] == 2
    pages = one(sql, "public.dead_letters_waiting(2)")
    pages += one(sql, "public.dead_letters_waiting(9, %s, %s)", pages[-1]["received_at"], pages[-1]["id"])
    assert pages == waiting
    logged = only(sql, "webhook_delivery_log", org_id)
    assert (logged["status"], logged["error_message"]) == ("dead_letter", "bad")
    assert one(sql, "public.dead_letter_replayed(%s)", first)
    assert not one(sql, "public.dead_letter_replayed(%s)", first)
    assert letter(sql, org_id, "e1") != first


def test_old_records_go_in_batches_and_a_week_stays(factory: Factory, sql: Sql) -> None:
    org_id = factory.org()
    now = datetime.now(UTC)
    for days in (8, 9, 40, 2):
        for table in ("processed_webhook_events", "webhook_delivery_log"):
            event = {"event_id": f"e{days}", "event_type": "t", "received_at": now - timedelta(days=days)}
            factory.insert(table, org_id=org_id, **event)
    waiting, old = letter(sql, org_id, "waits"), letter(sql, org_id, "old")
    sql.execute("update public.webhook_dead_letters set replayed_at = now() - interval '40 days' where id = %s", [old])
    sql.execute("delete from public.webhook_delivery_log where org_id = %s and event_id in ('waits', 'old')", [org_id])

    def kept(table: str) -> set[str]:
        rows = sql.execute(f"select event_id from public.{table} where org_id = %s", [org_id]).fetchall()
        return {row["event_id"] for row in rows}

    while any(one(sql, "public.prune_webhook_records(p_limit => 1)").values()):
        pass
    assert kept("processed_webhook_events") == kept("webhook_delivery_log") == {"e2", "e8", "e9"}
    assert kept("webhook_dead_letters") == {"waits"}
    assert waiting
    one(sql, "public.prune_webhook_records(now(), 100)")
    assert kept("processed_webhook_events") == {"e2"}


def test_calls_that_wait_for_their_report(factory: Factory, sql: Sql) -> None:
    sql.execute(
        "update public.call_logs set deleted_at = now() where deleted_at is null and event_rank between 1 and 4"
    )
    sql.execute("update public.calls set deleted_at = now() where deleted_at is null and event_rank between 1 and 4")
    org_id = factory.org()
    waiting = [new_call_id() for _ in range(4)]
    apply(sql, org_id, waiting[0], status("in-progress", 3, started_at="2026-11-01T10:00Z"))
    apply(sql, org_id, waiting[1], status("ended", 3, started_at="2026-11-02T10:00Z", call_type="outbound"))
    factory.insert("calls", org_id=org_id, vapi_call_id=waiting[2], status="queued", call_date="2026-11-03T10:00Z")
    apply(sql, org_id, waiting[3], status("queued", 3, started_at="2026-11-19T10:00Z"))
    apply(sql, org_id, new_call_id(), report())
    factory.insert("call_logs", org_id=org_id, vapi_call_id=new_call_id(), status="completed", created_at=BEGAN)
    before = BEGAN - timedelta(days=10)

    def ask(limit: int, after: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        place = (after["began"], after["id"]) if after else (None, None)
        found = one(sql, "public.unfinished_calls(%s, %s, %s, %s)", before, limit, *place)
        return [call for call in found if call["org_id"] == org_id]

    found = ask(1000)
    assert [call["vapi_call_id"] for call in found] == waiting[:3]
    assert [call["call_type"] for call in found] == ["inbound", "outbound", "outbound"]
    assert [call["vapi_call_id"] for call in ask(1000, found[0])] == waiting[1:3]
