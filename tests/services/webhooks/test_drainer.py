"""What goes on beside the requests: kept events are applied once the database is back, texts are sent."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Factory
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic
from voxanne import create_app
from voxanne.errors import DatabaseUnavailable
from voxanne.services import texts
from voxanne.services.webhooks import drainer, handler, spool
from voxanne.services.webhooks.deliveries import Delivery, Outcome
from voxanne.services.webhooks.spool import SqliteSpool
from voxanne.signals import text_queued, webhook_event

NOWHERE = "http://127.0.0.1:1"
MARKER = "Maria Santos"


@pytest.fixture
def program(tmp_path: Path) -> Flask:
    return create_app(settings_for_tests(webhook_spool_dir=tmp_path / "spool"))


@pytest.fixture
def kept_in(program: Flask) -> SqliteSpool:
    found = spool.of(program)
    assert found
    return found


@pytest.fixture
def here(factory: Factory, program: Flask) -> Clinic:
    return clinic(factory, app=program)


def delivery(here: Clinic, payload: events.Json | None = None) -> Delivery:
    return Delivery("vapi", here.org_id, payload or events.report(here.call()), datetime.now(UTC))


def drained(program: Flask, kept_in: SqliteSpool) -> dict[Outcome | None, int] | None:
    with program.app_context():
        return drainer.drain(kept_in)


def eventually(what: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until, "it never came to pass"
        time.sleep(0.02)


def test_an_event_that_comes_while_the_database_is_away_is_applied_later(
    here: Clinic, program: Flask, kept_in: SqliteSpool, tmp_path: Path
) -> None:
    program_without = create_app(settings_for_tests(webhook_spool_dir=tmp_path / "spool", supabase_url=NOWHERE))
    here.app = program_without
    for payload in (events.status_update("in-progress", here.call()), events.report(here.call())):
        reply = here.send(payload)
        assert (reply.status_code, reply.json["outcome"], reply.json["processed"]) == (200, "spooled", "async")
    assert not any(here.written().values())

    heard = []
    with webhook_event.connected_to(lambda _, **told: heard.append((told["event_type"], told["outcome"]))):
        assert drained(program, kept_in) == {Outcome.APPLIED: 2}

    (row,) = here.rows("public.call_logs")
    assert (row["status"], row["event_rank"]) == ("completed", 5)
    assert {log["attempts"] for log in here.rows("public.webhook_delivery_log")} == {2}
    assert heard == [("status-update", "applied"), ("end-of-call-report", "applied")]
    assert kept_in.size().events == 0


def test_without_a_spool_it_is_refused(here: Clinic) -> None:
    here.app = create_app(settings_for_tests(supabase_url=NOWHERE))
    reply = here.send(events.report(here.call()))
    assert (reply.status_code, reply.json["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert "Retry-After" in reply.headers


def test_a_spool_that_takes_no_more_refuses(here: Clinic, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("no folder")
    here.app = create_app(settings_for_tests(supabase_url=NOWHERE, webhook_spool_dir=tmp_path / "spool"))
    assert here.send(events.report(here.call())).status_code == 503

    limits = {"webhook_spool_dir": tmp_path / "small", "webhook_spool_max_mb": 1}
    here.app = create_app(settings_for_tests(supabase_url=NOWHERE, **limits))
    report = events.report(here.call(), summary="x" * 100_000)
    statuses = [here.send(report).status_code for _ in range(12)]
    assert statuses == sorted(statuses)
    assert (statuses[0], statuses[-1]) == (200, 503)
    found = spool.of(here.app)
    assert found
    assert found.size().events == statuses.count(200)


def test_while_the_database_is_away_everything_stays(here: Clinic, kept_in: SqliteSpool) -> None:
    away = create_app(settings_for_tests(supabase_url=NOWHERE))
    for _ in range(3):
        kept_in.put(delivery(here))
    heard = []
    listening = webhook_event.connected_to(lambda _, **told: heard.append(told["outcome"]))
    with listening, away.app_context(), pytest.raises(Exception, match=r"refused|failed"):
        drainer.drain(kept_in)
    assert (kept_in.size().events, kept_in.size().failed) == (3, 1)
    assert heard == [], "they were counted as spooled when they came, and nothing has failed since"


def test_what_cannot_be_applied_becomes_a_dead_letter(here: Clinic, program: Flask, kept_in: SqliteSpool) -> None:
    here.factory.sql.execute("delete from public.webhook_dead_letters where org_id is null")
    broken = events.report(here.call())
    broken["message"]["artifact"]["messages"] = "not a list"
    nobodys = replace(delivery(here, events.report(events.call("call-x", assistant="nobody's"))), org_id=None)
    nobodys.payload["message"].update(phoneNumber=None)
    nobodys.payload["message"]["call"].update(phoneNumberId=None)
    for one in (delivery(here, broken), nobodys, delivery(here, events.status_update("ringing", here.call()))):
        kept_in.put(one)

    assert drained(program, kept_in) == {Outcome.DEAD: 2, Outcome.APPLIED: 1}

    (letter,) = here.rows("public.webhook_dead_letters")
    assert "artifact.messages" in letter["reason"]
    assert letter["payload"] == broken
    lost = here.factory.sql.execute("select * from public.webhook_dead_letters where org_id is null").fetchall()
    assert [row["payload"] for row in lost] == [nobodys.payload]
    here.factory.sql.execute("delete from public.webhook_dead_letters where org_id is null")


def test_an_event_of_a_clinic_that_has_been_erased_does_not_stay_for_ever(
    here: Clinic, program: Flask, kept_in: SqliteSpool
) -> None:
    kept_in.put(delivery(here))
    here.factory.sql.execute("delete from public.organizations where id = %s", [here.org_id])
    assert drained(program, kept_in) == {Outcome.DEAD: 1}
    assert kept_in.size().events == 0


def test_an_event_that_alone_finds_the_database_away_is_given_up(
    here: Clinic, program: Flask, kept_in: SqliteSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = handler.process

    def process(one: Delivery) -> Outcome:
        if one.payload["message"]["call"]["id"] == "slow":
            raise DatabaseUnavailable
        return really(one)

    monkeypatch.setattr(handler, "process", process)
    kept_in.put(delivery(here, events.report(here.call(call_id="slow"))))
    kept_in.put(delivery(here))
    with pytest.raises(DatabaseUnavailable):
        drained(program, kept_in)
    assert here.rows("public.call_logs") == []
    with pytest.raises(DatabaseUnavailable):
        drained(program, kept_in)
    assert len(here.rows("public.call_logs")) == 1, "others need not wait for it"
    for _ in range(drainer.MOST_ATTEMPTS - 4):
        with pytest.raises(DatabaseUnavailable):
            drained(program, kept_in)
    assert drained(program, kept_in) == {Outcome.DEAD: 1}
    (letter,) = here.rows("public.webhook_dead_letters")
    assert (letter["reason"], letter["attempts"]) == ("DatabaseUnavailable", drainer.MOST_ATTEMPTS)


def test_one_drains_at_a_time(here: Clinic, program: Flask, kept_in: SqliteSpool) -> None:
    kept_in.put(delivery(here))
    with kept_in.draining():
        assert drained(program, kept_in) is None
    assert kept_in.size().events == 1


def test_the_thread_applies_what_is_kept_and_ends_when_it_is_told(
    here: Clinic, program: Flask, kept_in: SqliteSpool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    thread = drainer.of(program)
    kept_in.put(delivery(here))
    thread.start()
    eventually(lambda: here.rows("public.call_logs") and kept_in.size().events == 0)
    running = [one for one in threading.enumerate() if one.name == "webhook-drainer"]
    assert [one.daemon for one in running] == [True]
    thread.stop(timeout=60)
    assert not any(one.is_alive() for one in running)
    assert not any(MARKER in str(vars(record)) for record in caplog.records)
    kept_in.put(delivery(here))
    assert kept_in.size().events == 1


def test_the_thread_goes_on_after_trouble(
    here: Clinic,
    program: Flask,
    kept_in: SqliteSpool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    really, troubles = handler.process, [DatabaseUnavailable(), ValueError(MARKER), DatabaseUnavailable()]

    def process(one: Delivery) -> Outcome:
        if troubles:
            raise troubles.pop(0)
        return really(one)

    monkeypatch.setattr(handler, "process", process)
    monkeypatch.setattr(drainer, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(drainer, "LOOK_SECONDS", 0.05)
    kept_in.put(delivery(here))
    drainer.of(program).start()
    eventually(lambda: here.rows("public.call_logs"))
    drainer.of(program).stop(timeout=60)
    assert troubles == []
    causes = {vars(record).get("cause") for record in caplog.records}
    assert {"DatabaseUnavailable", "ValueError"} <= causes
    assert not any(MARKER in str(vars(record)) for record in caplog.records)


def test_texts_are_sent_at_once_when_one_is_put_into_the_outbox(
    program: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(texts, "send_due", lambda: asked.append(time.monotonic()) or 0)
    drainer.of(program).start()
    eventually(lambda: len(asked) == 1)
    text_queued.send()
    eventually(lambda: len(asked) == 2)
    drainer.of(program).stop(timeout=60)


def test_an_event_that_raises_an_alert_wakes_the_sender(here: Clinic, factory: Factory) -> None:
    factory.insert("public.integration_settings", org_id=here.org_id, hot_lead_alert_phone="+14155550177")
    heard = []

    def listen(_sender: object) -> None:
        heard.append(here.rows("public.messages"))

    with text_queued.connected_to(listen):
        here.send(events.report(here.call()))
        here.send(events.report(here.call()))
    assert [len(rows) for rows in heard] == [1]
