"""Whatever order a call's events come in, and however often, they leave the same rows."""

from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import Factory
from tests.schema.call_events import (
    BEGAN,
    PHONE,
    Event,
    after,
    alert,
    apply,
    differences,
    drift,
    event,
    left_behind,
    new_call_id,
    only,
    report,
    status,
)

_MAYBE_TIME = st.none() | st.integers(-5, 400).map(after)
_DETAILS = st.dictionaries(
    st.sampled_from(["channel", "region", "is_web"]), st.sampled_from(["a", "b", True]), max_size=2
)
# What any event may say of its call; they need not agree.
_SAYINGS = st.fixed_dictionaries(
    {},
    optional={
        "caller_name": st.sampled_from(["Anna", "Anna Smith", "ANN", ""]),
        "from_number": st.sampled_from([PHONE, "anonymous"]),
        "to_number": st.sampled_from(["+15550000001", "+15550000002"]),
        "started_at": _MAYBE_TIME,
        "ended_at": _MAYBE_TIME,
        "duration_seconds": st.sampled_from([0, 180, -1]),
        "cost_cents": st.sampled_from([0, 31]),
        "ended_reason": st.sampled_from(["customer-ended-call", "silence-timed-out"]),
        "transfer_to": st.just("+15550000003"),
        "tools_used": st.sampled_from([[], ["a"], ["a", "b"], [" "]]),
        "metadata": _DETAILS,
    },
)
_NAMES = st.none() | st.sampled_from(["Anna", "Unknown Caller", "Dr Anna Smith"])
_BEFORE = ["nothing", "console call", "finished call", "deleted call"]


@st.composite
def sequences(draw: st.DrawFn, call_type: str) -> list[Event]:
    """Some of the events of one call, each as the provider may send it."""
    made = [
        status(name, seconds, call_type=call_type, **draw(_SAYINGS))
        for name, seconds in (("queued", 0), ("ringing", 1), ("in-progress", 3), ("ended", 183))
        if draw(st.booleans())
    ]
    if draw(st.booleans()):
        call = {"call_type": call_type, "phone_number": PHONE, "status": "transferred", **draw(_SAYINGS)}
        made.append(event("status:forwarding", 3, 100, call))
    if draw(st.integers(0, 3)) or not made:
        outcome = draw(st.sampled_from(["completed", "completed", "missed", "failed", "transferred"]))
        raised = alert() if draw(st.booleans()) else None
        made.append(report(call_type=call_type, alert=raised, **{"status": outcome, **draw(_SAYINGS)}))
    for one in made:
        one["call"]["is_test_call"] = False
        if name := draw(_NAMES):
            one["contact"] = {**one["contact"], "name": name}
    return made


def prepare(sql: psycopg.Connection[Any], factory: Factory, call_type: str, before: str, known: Any) -> tuple[str, str]:
    """An organisation with what was there before the first event, and the provider's id of the call."""
    org_id, vapi_call_id = factory.org(), new_call_id()
    if known:
        name, pipeline = known
        contact = factory.insert("contacts", org_id=org_id, phone=PHONE, name=name, pipeline_status=pipeline)
        for n, made_at in enumerate((BEGAN.replace(day=1), BEGAN.replace(minute=1))):
            factory.insert(
                "appointments", org_id=org_id, contact_id=contact, service_type="Botox", status="confirmed",
                scheduled_at=BEGAN.replace(month=12, day=1 + n), created_at=made_at,
            )  # fmt: skip
    if before != "nothing":
        table = "call_logs" if call_type == "inbound" else "calls"
        values = {
            "org_id": org_id,
            "vapi_call_id": vapi_call_id,
            "metadata": {"channel": "console"},
            "created_at": BEGAN,
        }
        if table == "calls":
            values["call_date"] = BEGAN
        if before == "deleted call":
            values["deleted_at"] = BEGAN
        if before == "finished call":
            values |= {"status": "failed", "duration_seconds": 7}
        factory.insert(table, **values)
    return org_id, vapi_call_id


@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_order_and_repetition_ends_the_same(
    factory: Factory, sql: psycopg.Connection[Any], data: st.DataObject
) -> None:
    call_type = data.draw(st.sampled_from(["inbound", "outbound"]))
    events = data.draw(sequences(call_type))
    before = data.draw(st.sampled_from(_BEFORE))
    known = data.draw(
        st.none()
        | st.tuples(
            st.sampled_from(["Unknown Caller", "Anna Smith", "A. Smith"]), st.sampled_from(["new", "lost", "converted"])
        )
    )
    ends = []
    for order in (events, data.draw(st.permutations(events)), data.draw(st.permutations(events + events))):
        org_id, vapi_call_id = prepare(sql, factory, call_type, before, known)
        seen: set[str] = set()
        for one in order:
            done = apply(sql, org_id, vapi_call_id, one)
            assert done["duplicate"] == (one["event_id"] in seen)
            seen.add(one["event_id"])
        assert drift(sql, org_id) == []
        ends.append(left_behind(sql, org_id))
    assert differences(ends[0], ends[1]) == []
    assert differences(ends[0], ends[2]) == []
    assert len(ends[0]["call_logs"]) + len(ends[0]["calls"]) == 1
    assert len(ends[0]["contacts"]) == 1
    raised = [one for one in events if one["alert"]]
    expected = len(raised) if before != "deleted call" else 0
    for table in ("hot_lead_alerts", "notifications", "messages", "message_outbox"):
        assert len(ends[0][table]) == expected


def test_a_name_that_a_person_typed_stays(factory: Factory, sql: psycopg.Connection[Any]) -> None:
    org_id, vapi_call_id = factory.org(), new_call_id()
    apply(sql, org_id, vapi_call_id, status("ringing", 1, caller_name="Ana"))
    assert only(sql, "contacts", org_id)["name"] == "Ana"
    apply(sql, org_id, vapi_call_id, status("in-progress", 3, caller_name="Anna"))
    assert only(sql, "contacts", org_id)["name"] == "Anna"
    sql.execute("update public.contacts set name = 'Dr Smith' where org_id = %s", [org_id])
    apply(sql, org_id, vapi_call_id, report(caller_name="Anna Smith"))
    assert only(sql, "contacts", org_id)["name"] == "Dr Smith"
    assert only(sql, "call_logs", org_id)["caller_name"] == "Anna Smith"
