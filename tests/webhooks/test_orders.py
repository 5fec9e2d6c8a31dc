"""Whatever order a call's events come in over HTTP, and however often: the same rows are there in the end."""

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.factories import Factory
from tests.schema.call_events import left_behind
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic, post, signature
from tests.webhooks import sequences
from tests.webhooks.sequences import Sequence
from voxanne.services.webhooks import live

TABLES = (
    "message_outbox", "messages", "hot_lead_alerts", "notifications", "appointments", "call_logs", "calls", "contacts",
    "processed_webhook_events", "webhook_delivery_log",
)  # fmt: skip
EACH = pytest.mark.parametrize("sequence", sequences.ALL, ids=lambda made: made.__name__)


class Frozen(datetime):
    """Gives every event the same time of arrival, which is the start of a call that names none."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return events.STARTED


@pytest.fixture(autouse=True)
def _received_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "datetime", Frozen)


@pytest.fixture
def here(factory: Factory) -> Clinic:
    made = clinic(factory)
    factory.insert("public.integration_settings", org_id=made.org_id, hot_lead_alert_phone="+14155550177")
    return made


def play(here: Clinic, sql: psycopg.Connection[Any], played: Sequence) -> dict[str, Any]:
    """Send events to the clinic as it was before any, and return all that they leave."""
    for table in TABLES:
        sql.execute(f"delete from public.{table} where org_id = %s", [here.org_id])
    seen: set[str] = set()
    for event in played:
        reply = send(here, event)
        assert reply.status_code == 200
        if "jobId" in reply.json:
            assert reply.json["outcome"] == ("duplicate" if reply.json["jobId"] in seen else "applied")
            seen.add(reply.json["jobId"])
        else:
            assert "Done" in reply.json["results"][0]["result"]
    rows = left_behind(sql, here.org_id)
    for call in rows["call_logs"] + rows["calls"]:
        # How the row came about, which is nobody's business but the database function's.
        del call["event_state"]
    return rows


def send(here: Clinic, event: events.Json) -> TestResponse:
    if event["message"]["call"]["type"] != "webCall":
        return here.send(event)
    event["message"]["phoneNumber"] = None
    body = orjson.dumps(event)
    return post(here.app, body, signature(body))


@EACH
def test_a_call_ends_in_the_rows_it_should(
    here: Clinic, sql: psycopg.Connection[Any], sequence: Callable[[Clinic], Sequence]
) -> None:
    expected = sequences.ALL[sequence]
    rows = play(here, sql, sequence(here))
    (call,) = rows["call_logs"] + rows["calls"]
    assert [call] == rows[expected["table"]]
    assert (call["status"], call["event_rank"]) == (expected["status"], 5)
    assert len(rows["contacts"]) == int(call["contact_id"]) == expected["contact"]
    assert [len(rows[table]) for table in ("hot_lead_alerts", "messages", "message_outbox")] == [expected["alert"]] * 3
    assert len(rows["appointments"]) == int(call["booking_confirmed"]) == expected["booking"]
    assert all(appointment["call_id"] for appointment in rows["appointments"])
    assert len(rows["notifications"]) == expected["alert"] + expected["booking"]
    assert call["is_test_call"] == (sequence is sequences.web_test)
    assert {one["status"] for one in rows["webhook_delivery_log"]} <= {"completed"}


@EACH
def test_every_order_leaves_the_same(
    here: Clinic, sql: psycopg.Connection[Any], sequence: Callable[[Clinic], Sequence]
) -> None:
    usual = sequence(here)
    expected = play(here, sql, usual)
    for order in itertools.permutations(usual):
        assert play(here, sql, list(order)) == expected


@EACH
@settings(
    max_examples=50,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_repetition_leaves_the_same(
    here: Clinic, sql: psycopg.Connection[Any], sequence: Callable[[Clinic], Sequence], data: st.DataObject
) -> None:
    usual = sequence(here)
    again = data.draw(st.lists(st.sampled_from(range(len(usual))), max_size=4))
    order = data.draw(st.permutations([*range(len(usual)), *again]))
    assert play(here, sql, [usual[n] for n in order]) == play(here, sql, usual)


def test_the_name_given_for_a_booking_stays_in_every_order(
    here: Clinic, sql: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sequences.BOOKING, "patientName", "Maria")
    usual = sequences.inbound_booked(here)
    names = {play(here, sql, list(order))["contacts"][0]["name"] for order in itertools.permutations(usual)}
    assert names == {"Maria"}
