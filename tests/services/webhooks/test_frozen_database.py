"""The database takes requests and answers none: whoever is on the telephone hears something, and the truth."""

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Factory
from tests.recorder import RequestRecorder
from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic, clinic
from voxanne import create_app
from voxanne.queries import tools as queries
from voxanne.services.webhooks import assistant_request, breaker, drainer, spool, tool_calls, tools
from voxanne.services.webhooks.breaker import Breaker
from voxanne.services.webhooks.deliveries import Outcome
from voxanne.signals import webhook_event

# Far beyond what these tests may take: they end only because a caller's patience is shorter.
pytestmark = pytest.mark.timeout(50)
A_MINUTE, SHORT = 60.0, 0.5
DAY = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
BOOKING = {"date": DAY, "time": "14:00", "service": "Botox", "name": "Maria Santos"}


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("voxanne.database.CALLER_WAITS_SECONDS", A_MINUTE)
    return create_app(settings_for_tests(supabase_timeout_seconds=A_MINUTE))


@pytest.fixture
def counted(program: Flask) -> RequestRecorder:
    counted = RequestRecorder()
    counted.init_app(program)
    return counted


@pytest.fixture
def here(factory: Factory, program: Flask) -> Clinic:
    return clinic(factory, app=program)


def freeze(here: Clinic, address: str) -> str:
    """Let the database be there, and return where it was; callers wait for a short time from here on."""
    supabase = here.app.extensions["voxanne.supabase"]
    before, supabase._base = supabase._base, address
    have_patience(here, SHORT)
    return before


def have_patience(here: Clinic, seconds: float) -> None:
    settings = here.app.config["SETTINGS"]
    here.app.config["SETTINGS"] = settings.model_copy(update={"webhook_caller_waits_seconds": seconds})


def thaw(here: Clinic, well: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database be well again, however long it takes on a busy machine."""
    freeze(here, well)
    have_patience(here, A_MINUTE)
    monkeypatch.setattr(breaker, "GLANCE_SECONDS", A_MINUTE)


def lose_one_answer(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    """Have the query's next write land without anybody hearing of it."""
    really = getattr(queries, query)

    def unheard(*args: object, **more: object) -> events.Json:
        really(*args, **more)
        monkeypatch.setattr(queries, query, really)
        raise httpx.ReadTimeout("nobody heard it")

    monkeypatch.setattr(queries, query, unheard)


def ring(here: Clinic) -> events.Json:
    reply = here.send(events.assistant_request(here.call(assistant=None)))
    assert reply.status_code == 200
    return reply.json


def use(here: Clinic, *calls: tuple[str, str, events.Json]) -> list[str]:
    reply = here.send(events.tool_calls(*calls, call_=here.call()))
    assert reply.status_code == 200
    return [result["result"] for result in reply.json["results"]]


def test_a_known_clinics_assistant_answers(here: Clinic, silence: str, counted: RequestRecorder) -> None:
    assert ring(here)["assistantId"] == here.assistant
    freeze(here, silence)
    for _ in range(3):
        reply = ring(here)
        assert reply["assistantId"] == here.assistant
        assert reply["assistantOverrides"]["variableValues"]["callerKnown"] == "no"
        assert counted.last == ["POST rpc/tool_find_caller"]


def test_an_unknown_clinics_caller_hears_a_sentence(here: Clinic, silence: str) -> None:
    freeze(here, silence)
    assert ring(here) == {"error": assistant_request.NOBODY}
    assert use(here, ("t-1", "check_availability", {"date": DAY})) == [tool_calls.AWAY]


def test_all_tool_calls_of_an_event_wait_once(here: Clinic, silence: str, counted: RequestRecorder) -> None:
    use(here, ("t-0", "check_availability", {"date": DAY}))
    freeze(here, silence)
    have_patience(here, 2.0)  # long enough for the first to be on its way
    asked = [("t-1", "book_appointment", BOOKING), *((f"t-{n}", "lookup_caller", {}) for n in range(2, 8))]

    assert use(here, *asked) == [tool_calls.UNSURE, *[tool_calls.AWAY] * 6]

    assert counted.last == ["POST rpc/tool_book"]


def test_a_database_that_refuses_has_booked_nothing_for_sure(here: Clinic) -> None:
    use(here, ("t-0", "check_availability", {"date": DAY}))
    freeze(here, "http://127.0.0.1:1")
    have_patience(here, A_MINUTE)
    assert use(here, ("t-1", "book_appointment", BOOKING)) == [tool_calls.AWAY]


@pytest.mark.parametrize("again", ["t-1", "t-2"], ids=["the provider repeats it", "the assistant asks again"])
def test_a_booking_that_landed_unheard_is_told_at_the_next_call(
    here: Clinic, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    lose_one_answer(monkeypatch, "book")
    assert use(here, ("t-1", "book_appointment", BOOKING)) == [tool_calls.UNSURE]
    (said,) = use(here, (again, "book_appointment", BOOKING))
    assert said.startswith("Done: Botox is booked for ")
    assert len(here.rows("public.appointments")) == 1


@pytest.mark.parametrize("again", ["t-1", "t-2"])
def test_an_alert_that_landed_unheard_is_not_raised_twice(
    here: Clinic, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    lose_one_answer(monkeypatch, "hot_lead")
    assert use(here, ("t-1", "notify_hot_lead", {"name": "Maria"})) == [tool_calls.UNSURE]
    (said,) = use(here, (again, "notify_hot_lead", {"name": "Maria"}))
    assert said.startswith("The clinic has been told")
    assert len(here.rows("public.hot_lead_alerts")) == 1


# ---- What is made good later ----

ALERT = {"name": "Maria Santos", "summary": "She wants a facelift."}


def drained(here: Clinic, well: str) -> object:
    here.app.extensions["voxanne.supabase"]._base = well
    kept_in = spool.of(here.app)
    assert kept_in
    with here.app.app_context():
        return drainer.drain(kept_in)


@pytest.mark.parametrize("warm", [True, False])
def test_a_hot_lead_is_told_later_and_a_booking_is_not_made_behind_the_callers_back(
    factory: Factory, tmp_path: Path, silence: str, warm: bool
) -> None:
    settings = settings_for_tests(supabase_timeout_seconds=A_MINUTE, webhook_spool_dir=tmp_path / "spool")
    here = clinic(factory, app=create_app(settings))
    if warm:
        use(here, ("t-0", "lookup_caller", {}))
    well = freeze(here, silence)
    heard = []
    with webhook_event.connected_to(lambda _, **told: heard.append(told["outcome"])):
        asked = ("t-1", "notify_hot_lead", ALERT), ("t-2", "notifyHotLead", ALERT)
        assert use(here, *asked) == [tool_calls.LATER] * 2
        said = use(here, ("t-3", "book_appointment", BOOKING), ("t-4", "notify_hot_lead", ALERT))
        assert said in ([tool_calls.UNSURE, tool_calls.LATER], [tool_calls.AWAY, tool_calls.LATER])
        assert drained(here, well) == {Outcome.APPLIED: 2}

    assert heard == ["spooled", "failed", "applied", "applied"]
    assert [alert["lead_name"] for alert in here.rows("public.hot_lead_alerts")] == ["Maria Santos"]
    assert here.rows("public.appointments") == []
    here.send(events.report(here.call()))
    assert (len(here.rows("public.call_logs")), len(here.rows("public.hot_lead_alerts"))) == (1, 1)


def test_a_hot_lead_that_landed_unheard_is_not_told_again(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = clinic(factory, app=create_app(settings_for_tests(webhook_spool_dir=tmp_path / "spool")))
    lose_one_answer(monkeypatch, "hot_lead")
    assert use(here, ("t-1", "notify_hot_lead", ALERT)) == [tool_calls.LATER]
    assert drained(here, here.app.extensions["voxanne.supabase"]._base) == {Outcome.APPLIED: 1}
    assert len(here.rows("public.hot_lead_alerts")) == len(here.rows("public.notifications")) == 1


# ---- The breaker ----


def test_after_a_time_out_callers_wait_for_a_glance_until_the_database_answers(
    here: Clinic, silence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring(here)
    use(here, ("t-0", "lookup_caller", {}))
    with here.app.app_context():
        way = breaker.current()
        well = freeze(here, silence)
        assert (way.is_open, way.patience()) == (False, SHORT)
        ring(here)
        assert way.is_open
        have_patience(here, A_MINUTE)
        assert way.patience() == breaker.GLANCE_SECONDS
        use(here, ("t-1", "lookup_caller", {}))
        assert way.is_open
        thaw(here, well, monkeypatch)
        assert use(here, ("t-1", "check_availability", {"date": "soon"})) == [tools.WHICH_DAY]
        assert way.is_open, "nothing was asked"
        ring(here)
        assert not way.is_open


def test_glances_in_vain_do_not_put_off_the_next_try(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(breaker, "monotonic", lambda: now[0])
    way = Breaker()
    way.note(httpx.ReadTimeout("slow"))
    assert not way.lets_through()
    with app.app_context():
        for _ in range(5):
            with contextlib.suppress(httpx.ReadTimeout), way.watching():
                breaker.request_log().entries.append(("POST rpc/x", 0.3))
                raise httpx.ReadTimeout("slow")
    now[0] += breaker.FIRST_PAUSE_SECONDS
    assert way.lets_through()
    assert not way.lets_through()
    way.note(httpx.ReadTimeout("slow"))
    now[0] += breaker.FIRST_PAUSE_SECONDS
    assert not way.lets_through(), "one that is frozen is tried less often"
    now[0] += breaker.PAUSE_SECONDS
    assert way.lets_through()
