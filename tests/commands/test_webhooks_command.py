"""flask webhooks drain, replay, reconcile, prune, status."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Factory
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic
from voxanne import create_app, database
from voxanne.integrations.vapi import VapiKeyRefused, VapiNotFound, VapiUnreachable
from voxanne.integrations.vapi_fake import FakeVapi
from voxanne.queries import webhook_log
from voxanne.services import secrets
from voxanne.services.webhooks import spool, unheard
from voxanne.services.webhooks.deliveries import Delivery
from voxanne.services.webhooks.reconcile import Found
from voxanne.services.webhooks.spool import SqliteSpool

NOWHERE = "http://127.0.0.1:1"
KEY = Fernet.generate_key().decode()


@pytest.fixture
def program(tmp_path: Path) -> Flask:
    return create_app(
        settings_for_tests(webhook_spool_dir=tmp_path / "spool", vapi_private_key="platform", encryption_keys=KEY)
    )


@pytest.fixture
def kept_in(program: Flask) -> SqliteSpool:
    found = spool.of(program)
    assert found
    return found


@pytest.fixture(autouse=True)
def _nothing_else_waits(factory: Factory) -> None:
    for table in ("webhook_dead_letters", "call_logs", "calls", "org_credentials"):
        factory.sql.execute(f"delete from public.{table}")


@pytest.fixture
def here(factory: Factory, program: Flask) -> Clinic:
    return clinic(factory, app=program)


@pytest.fixture
def vapi(program: Flask) -> FakeVapi:
    fake: FakeVapi = program.extensions["voxanne.vapi"]
    return fake


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["webhooks", *args])


def away(tmp_path: Path) -> Flask:
    return create_app(
        settings_for_tests(webhook_spool_dir=tmp_path / "spool", supabase_url=NOWHERE, encryption_keys=KEY)
    )


def keep(here: Clinic, kept_in: SqliteSpool, *payloads: events.Json) -> None:
    for payload in payloads:
        kept_in.put(Delivery("vapi", here.org_id, payload, datetime.now(UTC)))


def bury(here: Clinic, payload: events.Json, *, event_id: str = "end:x") -> str | None:
    with here.app.app_context():
        return webhook_log.record_dead_letter(
            database.as_service(), here.org_id, source="vapi", event_id=event_id, event_type="end-of-call-report",
            payload=payload, reason="it had a reason", attempts=1, received_at=datetime.now(UTC),
        )  # fmt: skip


# ---- drain ----


def test_drain_applies_what_was_kept(here: Clinic, program: Flask, kept_in: SqliteSpool) -> None:
    keep(
        here,
        kept_in,
        events.status_update("in-progress", here.call()),
        events.report(here.call()),
        events.report(here.call()),
    )
    first, second = run(program, "drain"), run(program, "drain")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "2 applied, 1 duplicate" in first.output
    assert "nothing was kept" in second.output
    assert len(here.rows("public.call_logs")) == 1


def test_drain_says_so_while_the_database_is_away_or_another_is_at_it(
    here: Clinic, kept_in: SqliteSpool, program: Flask, tmp_path: Path
) -> None:
    keep(here, kept_in, events.report(here.call()))
    refused = run(away(tmp_path), "drain")
    assert refused.exit_code == 1
    assert "the database can't be reached" in refused.output
    with kept_in.draining():
        assert "another process is applying them" in run(program, "drain").output
    assert kept_in.size().events == 1


def test_drain_without_a_spool_says_what_to_set(app: Flask) -> None:
    result = run(app, "drain")
    assert result.exit_code == 1
    assert "WEBHOOK_SPOOL_DIR" in result.output


def test_drain_leaves_what_no_key_opens(here: Clinic, program: Flask, kept_in: SqliteSpool) -> None:
    other = SqliteSpool(kept_in.folder, (Fernet.generate_key().decode(),), most_bytes=10**8)
    keep(here, other, events.report(here.call()))
    keep(here, kept_in, events.report(here.call()))
    result = run(program, "drain")
    assert result.exit_code == 1
    assert "1 applied" in result.output
    assert "1 can't be decrypted" in result.output
    assert kept_in.size().events == 1


# ---- replay ----


def test_replay_applies_dead_letters_and_says_what_failed_again(here: Clinic, program: Flask) -> None:
    good, broken = events.report(here.call()), events.report(here.call(call_id="other"))
    broken["message"]["endedAt"] = "some day, Maria said"
    bury(here, good)
    lost = bury(here, broken, event_id="end:y")

    first = run(program, "replay")

    assert first.exit_code == 1
    assert "1 replayed, 1 failed again" in first.output
    assert f"{lost} (end-of-call-report): the message has another shape: endedAt" in first.output
    assert "Maria" not in first.output
    assert len(here.rows("public.call_logs")) == 1
    waiting = [row["id"] for row in here.rows("public.webhook_dead_letters") if row["replayed_at"] is None]
    assert [str(one) for one in waiting] == [lost]
    assert "0 replayed, 1 failed again" in run(program, "replay").output


def test_replay_takes_only_what_it_is_told_to(here: Clinic, program: Flask, factory: Factory) -> None:
    other = clinic(factory, app=program)
    first = bury(here, events.report(here.call()))
    bury(here, events.report(here.call(call_id=f"{here.call_id}-2")), event_id="end:2")
    bury(other, events.report(other.call()))

    assert "1 replayed" in run(program, "replay", "--id", first).output
    assert len(here.rows("public.call_logs")) == 1
    assert "1 replayed" in run(program, "replay", "--org", other.org_id).output
    assert (len(here.rows("public.call_logs")), len(other.rows("public.call_logs"))) == (1, 1)
    unknown = run(program, "replay", "--id", str(uuid.uuid4()))
    assert unknown.exit_code == 1
    assert "1 of the given ones do not wait" in unknown.output
    assert run(program, "replay", "--id", "no-id").exit_code == 2
    assert "1 replayed, 0 failed" in run(program, "replay").output


def test_replay_says_so_while_the_database_is_away(tmp_path: Path) -> None:
    result = run(away(tmp_path), "replay")
    assert result.exit_code == 1
    assert "the database can't be reached" in result.output


# ---- reconcile ----


def open_call(
    here: Clinic, call_id: str, *, began: timedelta = timedelta(hours=1), kind: str = "inbound", **values: Any
) -> None:
    given = {"status": "in-progress", "event_rank": 3, "vapi_call_id": call_id, **values}
    here.factory.call(here.org_id, kind, at=datetime.now(UTC) - began, **given)


def ended(here: Clinic, call_id: str, **more: Any) -> events.Json:
    """A call as the provider has it once it is over: what the report says, in the call itself."""
    message = events.report(here.call(call_id=call_id))["message"]
    facts = {name: value for name, value in message.items() if name not in {"call", "type", "timestamp"}}
    facts["startedAt"] = facts["endedAt"] = None
    return {**message["call"], **facts, "status": "ended", **more}


def test_reconcile_closes_calls_from_the_providers_own_record(here: Clinic, program: Flask, vapi: FakeVapi) -> None:
    names = [f"{here.call_id}-{number}" for number in range(4)]
    open_call(here, names[0])
    open_call(here, names[1], status="completed", event_rank=4)
    open_call(here, names[2])
    open_call(here, names[3], began=timedelta(minutes=5))
    # What the console began and no event ever came of.
    open_call(here, f"{here.call_id}-out", kind="outbound", event_rank=0, status="queued")
    over = [names[0], names[1], names[3], f"{here.call_id}-out"]
    vapi.ended_calls = {name: ended(here, name) for name in over}
    vapi.ended_calls[f"{here.call_id}-out"] |= {"type": "outboundPhoneCall"}

    result = run(program, "reconcile")

    assert result.exit_code == 0, result.output
    assert "3 closed" in result.output
    assert "1 still going" in result.output
    rows = {row["vapi_call_id"]: row for row in here.rows("public.call_logs") + here.rows("public.calls")}
    assert len(rows) == 5
    for name in (names[0], names[1], f"{here.call_id}-out"):
        assert (rows[name]["status"], rows[name]["event_rank"]) == ("completed", 5)
        assert len(rows[name]["transcript"]) == 4
    assert rows[names[2]]["status"] == rows[names[3]]["status"] == "in-progress"
    asked = [content["id"] for name, content in vapi.calls if name == "get_call"]
    assert sorted(asked) == sorted({*rows} - {names[3]})
    assert "1 still going" in run(program, "reconcile").output
    assert "1 closed, 1 still going" in run(program, "reconcile", "--minutes", "1").output
    # The report itself may still come.
    assert here.send(events.report(here.call(call_id=names[0]))).json["outcome"] == "duplicate"


def test_reconcile_closes_what_the_provider_has_forgotten_but_only_after_a_day(
    here: Clinic, program: Flask, vapi: FakeVapi
) -> None:
    open_call(here, f"{here.call_id}-1", began=timedelta(days=2))
    open_call(here, f"{here.call_id}-2", began=timedelta(hours=2))
    open_call(here, f"{here.call_id}-3", began=timedelta(days=9))
    vapi.fail(VapiNotFound(), VapiNotFound())

    result = run(program, "reconcile")

    assert "1 closed, 1 not known to the provider" in result.output
    rows = {row["vapi_call_id"][-1]: row for row in here.rows("public.call_logs")}
    assert (rows["1"]["status"], rows["1"]["ended_reason"]) == ("failed", "not-found-at-provider")
    assert rows["2"]["status"] == rows["3"]["status"] == "in-progress"


def test_reconcile_goes_on_after_one_that_the_provider_does_not_answer(
    here: Clinic, program: Flask, vapi: FakeVapi
) -> None:
    for number in range(2):
        open_call(here, f"{here.call_id}-{number}", began=timedelta(hours=2 - number))
    vapi.ended_calls = {f"{here.call_id}-1": ended(here, f"{here.call_id}-1")}
    vapi.fail(VapiUnreachable())
    result = run(program, "reconcile")
    assert result.exit_code == 1
    assert "1 closed" in result.output
    assert f"call {here.call_id}-0 of organisation {here.org_id}: not answered by the provider" in result.output


def test_reconcile_without_a_key_says_whose(here: Clinic) -> None:
    open_call(here, here.call_id)
    program = create_app(settings_for_tests())
    result = run(program, "reconcile")
    assert result.exit_code == 1
    assert f"{here.org_id}: without a readable API key" in result.output


def test_another_calls_record_does_not_get_in(here: Clinic, program: Flask, vapi: FakeVapi) -> None:
    open_call(here, here.call_id)
    vapi.ended_calls = {here.call_id: ended(here, here.call_id, id="somebody-elses")}
    run(program, "reconcile", "--hours", "0")
    assert [row["vapi_call_id"] for row in here.rows("public.call_logs")] == [here.call_id]
    assert not [name for name, _ in vapi.calls if name == "list_calls"]


# ---- reconcile: calls that nobody told us of ----


def listed(here: Clinic, vapi: FakeVapi, call_id: str, *, ago: timedelta = timedelta(hours=1), **more: Any) -> None:
    created = (datetime.now(UTC) - ago).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    vapi.ended_calls[call_id] = ended(here, call_id, createdAt=created, **more)


def own_key(here: Clinic, key: str = "the-clinics-own") -> None:
    with here.app.app_context():
        ciphertext = secrets.encrypt(here.org_id, "vapi", "api_key", key)
    config = orjson.dumps({"api_key": ciphertext}).decode()
    here.factory.insert("public.org_credentials", org_id=here.org_id, provider="vapi", encrypted_config=config)


def test_reconcile_adds_calls_that_it_never_heard_of_once(here: Clinic, program: Flask, vapi: FakeVapi) -> None:
    new, out = f"{here.call_id}-new", f"{here.call_id}-out"
    listed(here, vapi, new)
    listed(here, vapi, out, type="outboundPhoneCall", ago=timedelta(hours=3))
    listed(here, vapi, f"{here.call_id}-going", status="in-progress")
    listed(here, vapi, f"{here.call_id}-fresh", ago=timedelta(minutes=5))
    listed(here, vapi, f"{here.call_id}-old", ago=timedelta(hours=30))
    listed(here, vapi, f"{here.call_id}-deleted")
    open_call(here, f"{here.call_id}-deleted", status="completed", event_rank=5, deleted_at=datetime.now(UTC))

    result = run(program, "reconcile")

    assert (result.exit_code, "2 added" in result.output) == (0, True), result.output
    (inbound,) = (row for row in here.rows("public.call_logs") if row["deleted_at"] is None)
    (outbound,) = here.rows("public.calls")
    assert (inbound["vapi_call_id"], outbound["vapi_call_id"]) == (new, out)
    assert (inbound["status"], inbound["event_rank"], len(inbound["transcript"])) == ("completed", 5, 4)
    assert {log["status"] for log in here.rows("public.webhook_delivery_log")} == {"completed"}
    assert "no call is open" in run(program, "reconcile").output
    assert here.send(events.report(here.call(call_id=new))).json["outcome"] == "duplicate"
    assert "1 added" in run(program, "reconcile", "--hours", "48").output


def test_a_call_that_nobody_answered_is_dated_as_the_provider_dates_it(
    here: Clinic, program: Flask, vapi: FakeVapi
) -> None:
    call_id, ago = here.call_id, timedelta(hours=20)
    listed(
        here, vapi, call_id, ago=ago, endedReason="customer-did-not-answer", endedAt=None, artifact=None, messages=[]
    )
    at = datetime.fromisoformat(vapi.ended_calls[call_id]["createdAt"])
    run(program, "reconcile")
    (row,) = here.rows("public.call_logs")
    assert (row["status"], row["created_at"]) == ("missed", at)


def test_reconcile_goes_through_long_lists_and_tells_how_far(
    here: Clinic, program: Flask, vapi: FakeVapi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unheard, "PAGE", 4)
    # Nine, of which the three in the middle began in one moment.
    for number, minutes in enumerate((60, 70, 80, 90, 90, 90, 100, 110, 120)):
        listed(here, vapi, f"{here.call_id}-{number}", ago=timedelta(minutes=minutes))
    same = vapi.ended_calls[f"{here.call_id}-3"]["createdAt"]
    for number in (4, 5):
        vapi.ended_calls[f"{here.call_id}-{number}"]["createdAt"] = same
    shares: list[float] = []
    now = datetime.now(UTC)
    with program.app_context():
        account = unheard.Account("platform", None)
        noted = list(unheard.note(account, now - timedelta(hours=10), now, seen=shares.append))
    assert [result for _, result in noted] == [Found.ADDED] * 9
    assert len(here.rows("public.call_logs")) == 9
    assert shares == sorted(shares)
    assert (shares[-1], len(shares) > 2) == (1.0, True)


def test_more_calls_of_one_moment_than_a_page_holds_do_not_end_the_search(
    here: Clinic, program: Flask, vapi: FakeVapi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unheard, "PAGE", 2)
    for number in range(4):
        listed(here, vapi, f"{here.call_id}-{number}")
    moment = vapi.ended_calls[f"{here.call_id}-0"]["createdAt"]
    for call in vapi.ended_calls.values():
        call["createdAt"] = moment
    listed(here, vapi, f"{here.call_id}-before", ago=timedelta(hours=2))
    run(program, "reconcile")
    assert f"{here.call_id}-before" in {row["vapi_call_id"] for row in here.rows("public.call_logs")}


def test_a_list_that_does_not_end_is_not_read_for_ever(
    here: Clinic, program: Flask, vapi: FakeVapi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the provider took no notice of the times that were asked for."""
    monkeypatch.setattr(unheard, "PAGE", 2)
    for minutes in (60, 70):
        listed(here, vapi, f"{here.call_id}-{minutes}", ago=timedelta(minutes=minutes))
    asked = iter(range(10))

    def same_page(*args: object, **more: object) -> list[events.Json]:
        next(asked)
        return list(vapi.ended_calls.values())

    monkeypatch.setattr(vapi, "list_calls", same_page)
    result = run(program, "reconcile")
    assert (result.exit_code, "2 added" in result.output) == (1, True), result.output
    assert "the platform's account: not answered by the provider" in result.output


def test_an_organisations_own_account_brings_in_no_other_organisations_calls(
    here: Clinic, factory: Factory, tmp_path: Path
) -> None:
    program = create_app(settings_for_tests(encryption_keys=KEY))
    here.app, other = program, clinic(factory, app=program)
    vapi: FakeVapi = program.extensions["voxanne.vapi"]
    own_key(here)
    listed(other, vapi, other.call_id)
    listed(here, vapi, here.call_id)
    listed(here, vapi, f"{here.call_id}-x", assistantId="asst-of-nobody")

    result = run(program, "reconcile")

    assert (result.exit_code, "1 added, 2 of nobody's assistant" in result.output) == (0, True), result.output
    assert [row["vapi_call_id"] for row in here.rows("public.call_logs")] == [here.call_id]
    assert other.rows("public.call_logs") == []


def test_reconcile_says_which_account_cannot_be_read_and_goes_on(
    here: Clinic, program: Flask, vapi: FakeVapi, factory: Factory
) -> None:
    other = clinic(factory, app=program)
    own_key(other)
    factory.sql.execute(
        "update public.org_credentials set encrypted_config = %s where org_id = %s",
        ['{"api_key": "nonsense"}', other.org_id],
    )
    own_key(here)
    listed(here, vapi, here.call_id)
    vapi.fail(VapiKeyRefused())

    result = run(program, "reconcile")

    assert result.exit_code == 1
    assert "the platform's account: with an API key that the provider does not accept" in result.output
    assert f"account of organisation {other.org_id}: without a readable API key" in result.output
    assert "1 added" in result.output
    assert "the-clinics-own" not in result.output


def test_a_listed_call_of_another_shape_keeps_nobody_else_out(here: Clinic, program: Flask, vapi: FakeVapi) -> None:
    listed(here, vapi, f"{here.call_id}-1", artifact={"messages": "none"})
    listed(here, vapi, f"{here.call_id}-2", customer="nobody")
    listed(here, vapi, f"{here.call_id}-3")
    result = run(program, "reconcile")
    assert result.exit_code == 1
    buried = [f"{here.call_id}-1", f"{here.call_id}-2"]
    for call_id in buried:
        assert f"call {call_id} in the platform's account: not applicable, see the dead letters" in result.output
    assert "1 added" in result.output
    letters = here.rows("public.webhook_dead_letters")
    assert sorted(letter["event_id"] for letter in letters) == [f"end:{call_id}" for call_id in buried]


# ---- letters and log ----


def test_letters_are_listed_with_their_reasons_and_not_what_they_say(
    here: Clinic, program: Flask, factory: Factory
) -> None:
    assert "no dead letter waits" in run(program, "letters").output
    first = bury(here, {"message": {"transcript": "Maria Santos"}})
    second = bury(clinic(factory, app=program), {})

    both, one = run(program, "letters"), run(program, "letters", "--org", here.org_id)

    assert [line.split()[0] for line in both.output.splitlines()] == [first, second, "2"]
    assert f"organisation {here.org_id}  end-of-call-report end:x  1 attempt: it had a reason" in one.output
    assert second not in one.output
    assert "Maria" not in both.output
    assert "1 of 2" in run(program, "letters", "--limit", "1").output
    assert run(program, "letters", "--org", "x").exit_code == 2


def test_the_log_tells_what_came_when_and_what_became_of_it(here: Clinic, program: Flask, factory: Factory) -> None:
    assert "nothing is recorded" in run(program, "log", "--org", here.org_id).output
    here.send(events.status_update("ringing", here.call()))
    broken = events.report(here.call(call_id=f"{here.call_id}-b"))
    broken["message"]["endedAt"] = "some day, Maria said"
    here.send(broken)
    other = clinic(factory, app=program)
    other.send(events.report(other.call()))

    everything = run(program, "log", "--org", here.org_id).output.splitlines()
    failed = run(program, "log", "--org", here.org_id, "--failed").output
    of_call = run(program, "log", "--org", here.org_id, "--call", f"{here.call_id}-b").output

    assert ["end-of-call-report" in everything[0], "status-update" in everything[1], len(everything)] == [True, True, 2]
    assert f"status:{here.call_id}:ringing  completed, 1 attempt: applied 20" in everything[1]
    assert failed == of_call == everything[0] + "\n"
    assert "dead letter, 1 attempt: the message has another shape: endedAt" in failed
    assert "Maria" not in failed
    assert run(program, "log", "--org", here.org_id, "--call", "%").exit_code == 2
    assert run(program, "log").exit_code == 2


def test_a_replay_in_vain_is_noted(here: Clinic, program: Flask) -> None:
    broken = events.report(here.call())
    broken["message"]["endedAt"] = "some day"
    here.send(broken)
    for _ in range(2):
        run(program, "replay")
    (letter,) = here.rows("public.webhook_dead_letters")
    (logged,) = here.rows("public.webhook_delivery_log")
    assert letter["attempts"] == logged["attempts"] == 3
    assert "endedAt" in letter["reason"]


def test_a_key_that_is_not_accepted_is_told_in_one_line(program: Flask) -> None:
    program.extensions["voxanne.supabase"]._service_key = "wrong"
    for command in ("status", "letters", "prune", "reconcile", "replay"):
        result = run(program, command)
        assert (command, result.exit_code) == (command, 1)
        assert "does not accept SUPABASE_SERVICE_ROLE_KEY" in result.output, result.output


# ---- prune and status ----


def test_prune_deletes_what_is_old_and_keeps_the_rest(here: Clinic, program: Flask) -> None:
    for call_id in ("old", "new"):
        here.send(events.report(here.call(call_id=f"{here.call_id}-{call_id}")))
    for table in ("processed_webhook_events", "webhook_delivery_log"):
        here.factory.sql.execute(
            f"update public.{table} set received_at = now() - interval '40 days' where event_id like %s",
            [f"end:{here.call_id}-old"],
        )
    bury(here, {})
    here.factory.sql.execute("update public.webhook_dead_letters set received_at = now() - interval '99 days'")

    assert run(program, "prune", "--days", "3").exit_code == 2
    result = run(program, "prune")

    assert "deleted: 1 webhook_delivery_log, 1 processed_webhook_events\n" in result.output
    assert [row["event_id"][-3:] for row in here.rows("public.processed_webhook_events")] == ["new"]
    assert len(here.rows("public.call_logs")) == 2
    assert len(here.rows("public.webhook_dead_letters")) == 1, "what waits is kept"
    assert "nothing is that old" in run(program, "prune").output


def test_status_counts_what_waits(here: Clinic, program: Flask, kept_in: SqliteSpool, tmp_path: Path) -> None:
    assert "spool: 0 events" in run(program, "status").output
    keep(here, kept_in, events.report(here.call()))
    bury(here, {})
    open_call(here, here.call_id)
    result = run(program, "status")
    assert result.exit_code == 0
    for line in (
        "spool: 1 events, 0 of them tried in vain",
        "dead letters: 1",
        "calls without a report after 30 minutes: 1",
    ):
        assert line in result.output
    without = run(away(tmp_path), "status")
    assert without.exit_code == 1
    assert "spool: 1 events" in without.output
