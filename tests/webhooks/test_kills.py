"""The process is killed at every step of an event: when it is over there is one row, one alert and one text.

Real processes (`worker.py`), the real database, and a stand-in for Twilio that counts over HTTP. The provider does what
it does: it sends an event again until it gets 200.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.factories import Factory
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic, signature
from tests.webhooks.twilio_server import TwilioServer
from voxanne.services import secrets

ROOT = Path(__file__).parents[2]
ALERT_PHONE = "+14155550177"

# Where it dies while the database is there, and while it is away.
LIVE = [
    ("claim", "before"), ("claim", "after"), ("genuine", "after"), ("parse", "after"), ("describe", "after"),
    ("apply", "before"), ("apply", "during"), ("apply", "after"), ("process", "after"), ("acknowledge", "after"),
]  # fmt: skip
AWAY = [
    ("claim", "before"), ("genuine", "after"), ("put", "before"), ("put", "during"), ("put", "after"),
    ("acknowledge", "after"),
]  # fmt: skip
DRAIN = [
    ("take", "before"), ("take", "after"), ("process", "before"), ("apply", "before"), ("apply", "during"),
    ("apply", "after"), ("process", "after"), ("done", "before"), ("done", "after"),
]  # fmt: skip
TEXTS = [
    ("claim texts", "before"), ("claim texts", "during"), ("claim texts", "after"), ("send", "before"),
    ("send", "during"), ("send", "after"), ("finish", "before"), ("finish", "during"), ("finish", "after"),
]  # fmt: skip


@pytest.fixture(scope="module")
def workers() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.webhooks.worker"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    assert json.loads(process.stdout.readline()) == {"ready": True}
    yield process
    process.stdin.close()
    process.wait(timeout=60)
    process.stdout.close()


@pytest.fixture(scope="module")
def twilio() -> Iterator[TwilioServer]:
    server = TwilioServer()
    yield server
    server.close()


class Story:
    """A clinic that wants texts of hot leads, its provider, and processes that may die."""

    def __init__(self, factory: Factory, workers: subprocess.Popen[str], twilio: TwilioServer, folder: Path) -> None:
        factory.sql.execute("delete from public.message_outbox")
        self.here: Clinic = clinic(factory)
        self.factory, self.workers, self.twilio, self.folder = factory, workers, twilio, folder
        self.deaths = 0
        twilio.texts.clear()
        factory.insert(
            "public.integration_settings",
            org_id=self.here.org_id,
            hot_lead_alert_phone=ALERT_PHONE,
            twilio_account_sid="AC" + "1" * 32,
            twilio_from_number=self.here.number,
        )
        with factory.app.app_context():
            token = secrets.encrypt(self.here.org_id, "twilio", "auth_token", "token")
        config = orjson.dumps({"auth_token": token}).decode()
        factory.insert("public.org_credentials", org_id=self.here.org_id, provider="twilio", encrypted_config=config)

    def run(self, *tasks: str, fault: tuple[str, str] | None = None, **order: Any) -> dict[str, Any]:
        """Let a new process do this."""
        sent = {"do": tasks, "fault": fault, "spool": str(self.folder), "twilio": self.twilio.address, **order}
        assert self.workers.stdin
        assert self.workers.stdout
        self.workers.stdin.write(json.dumps(sent) + "\n")
        self.workers.stdin.flush()
        told: dict[str, Any] = json.loads(self.workers.stdout.readline())
        self.deaths += told["died"]
        return told

    def provider_sends(self, payload: events.Json, *, fault: tuple[str, str] | None = None, away: bool = False) -> str:
        """Send it until it is accepted; only the first process that gets it has the fault."""
        payload["message"]["phoneNumber"] = {"number": self.here.number}
        body = orjson.dumps(payload)
        for attempt in range(4):
            sent = {"body": body.decode(), "headers": signature(body), "away": away}
            told = self.run("post", fault=None if attempt else fault, **sent)
            if told.get("status") == 200:
                return str(told["outcome"])
            assert told["died"], told
        pytest.fail("never accepted")

    def report(self) -> events.Json:
        return events.report(self.here.call())

    def claims_run_out(self) -> None:
        self.factory.sql.execute("update public.message_outbox set next_attempt_at = now()")

    def ends_well(self) -> None:
        """Restart twice, as the claim of one that died has to run out, and look at all that is there."""
        for _ in range(2):
            self.run("drain", "texts")
            self.claims_run_out()
        counts = self.here.written()
        once = {"call_logs": 1, "calls": 0, "contacts": 1, "hot_lead_alerts": 1, "notifications": 1, "messages": 1}
        ledger = {"processed_webhook_events": 2, "webhook_delivery_log": 2, "webhook_dead_letters": 0}
        assert counts == {**once, "appointments": 0, **ledger}
        (call,), (alert,), (message,) = map(self.here.rows, ("public.call_logs", "public.hot_lead_alerts", "messages"))
        assert (call["status"], call["event_rank"], call["duration_seconds"]) == ("completed", 5, 95)
        (text,) = self.twilio.texts
        assert (text["to"], message["status"]) == (ALERT_PHONE, "sent")
        assert message["external_message_id"] == alert["sms_message_id"] == text["sid"]
        assert {row["status"] for row in self.here.rows("public.webhook_delivery_log")} == {"completed"}
        assert self.factory.sql.execute("select 1 from public.message_outbox").fetchall() == []


@pytest.fixture
def story(factory: Factory, workers: subprocess.Popen[str], twilio: TwilioServer, tmp_path: Path) -> Story:
    return Story(factory, workers, twilio, tmp_path / "spool")


def named(faults: list[tuple[str, str]]) -> Any:
    return pytest.mark.parametrize("fault", faults, ids=["-".join(fault) for fault in faults])


def test_without_a_death_it_ends_well(story: Story) -> None:
    assert story.provider_sends(events.status_update("in-progress", story.here.call())) == "applied"
    assert story.provider_sends(story.report()) == "applied"
    assert story.provider_sends(story.report()) == "duplicate"
    story.ends_well()
    assert story.deaths == 0


@named(LIVE)
def test_death_while_an_event_is_handled(story: Story, fault: tuple[str, str]) -> None:
    story.provider_sends(
        events.status_update("in-progress", story.here.call()), fault=fault if fault[0] != "describe" else None
    )
    outcome = story.provider_sends(story.report(), fault=fault)
    assert story.deaths == (1 if fault[0] == "describe" else 2)
    done = fault in {("apply", "after"), ("process", "after"), ("acknowledge", "after")}
    assert outcome == "duplicate" if done else outcome in {"applied", "duplicate"}
    story.ends_well()


@named(AWAY)
def test_death_while_an_event_is_kept(story: Story, fault: tuple[str, str]) -> None:
    for payload in (events.status_update("in-progress", story.here.call()), story.report()):
        assert story.provider_sends(payload, fault=fault, away=True) == "spooled"
    assert story.deaths == 2
    assert not any(story.here.written().values())
    story.ends_well()


@named(DRAIN)
def test_death_while_kept_events_are_applied(story: Story, fault: tuple[str, str]) -> None:
    for payload in (events.status_update("in-progress", story.here.call()), story.report()):
        assert story.provider_sends(payload, away=True) == "spooled"
    assert story.run("drain", "texts", fault=fault)["died"]
    story.ends_well()


@named(TEXTS)
def test_death_while_a_text_is_sent(story: Story, fault: tuple[str, str]) -> None:
    story.provider_sends(events.status_update("in-progress", story.here.call()))
    story.provider_sends(story.report())
    assert story.run("texts", fault=fault)["died"]
    story.run("drain", "texts")
    assert len(story.twilio.texts) <= 1, "nobody may send it while the dead one's claim runs"
    story.claims_run_out()
    story.ends_well()
