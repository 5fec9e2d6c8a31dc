"""Every page of GET /api/calls-dashboard, for random calls and random queries, against a brute-force answer."""

from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.brute_force import ORDERS, Bound, StoredCall, forget, since, store
from tests.factories import Caller, Factory, mint_token
from tests.random_calls import LETTERS, STATUSES, World, worlds
from tests.recorder import RequestRecorder
from voxanne.queries import call_list

PATH = "/api/calls-dashboard"
YEAR_2100 = 4_102_444_800


# What the queries of one run have in common; without that, most would mix so much that no row is left.
FOCUS = {
    "order": [],
    "days": ["date_filter", "endDate", "startDate"],
    "search": ["search"],
    "anything": ["call_type", "date_filter", "endDate", "include_test", "search", "startDate", "status"],
}


@st.composite
def bounds(draw: st.DrawFn, world: World) -> Bound:
    moment = draw(st.sampled_from([call.at for call in world.calls] or world.moments))
    local = moment.astimezone(world.zone)
    day = local.date() - timedelta(days=draw(st.integers(0, 1)))
    second = moment.replace(microsecond=0)
    noon = datetime.combine(local.date(), time(12))
    spellings = [
        Bound(day.isoformat(), day),
        Bound(moment.isoformat().replace("+00:00", "Z"), moment),
        Bound(local.isoformat(), moment),
        Bound(format_datetime(second), second),
        Bound(noon.isoformat(), noon.replace(tzinfo=world.zone).astimezone(UTC)),
    ]
    return draw(st.just(spellings[0]) | st.sampled_from(spellings))


@st.composite
def searches(draw: st.DrawFn, world: World) -> str:
    texts = [text for call in world.calls for text in (call.caller_name, call.phone_number) if text] or ["x"]
    text = draw(st.sampled_from(texts))
    part = text[draw(st.integers(0, len(text) // 2)) :]
    wild = draw(st.sampled_from("%_*.?\\"))
    changed = [part.swapcase(), part[:-1], wild + part, part + wild, part[:1] + wild + part[2:]]
    return draw(st.just(part) | st.sampled_from(changed) | st.text(LETTERS, max_size=2))


@st.composite
def queries(draw: st.DrawFn, world: World, focus: str) -> dict[str, Any]:
    known = {
        "call_type": st.sampled_from(["inbound", "outbound"]),
        "date_filter": st.sampled_from(["today", "week", "month"]),
        "endDate": bounds(world),
        "include_test": st.sampled_from(["true", "false"]),
        "search": searches(world),
        "startDate": bounds(world),
        "status": st.sampled_from(["completed", *STATUSES]),
    }
    of_focus = draw(st.sets(st.sampled_from(FOCUS[focus]), min_size=1)) if FOCUS[focus] else set()
    names = sorted(of_focus | draw(st.sets(st.sampled_from(list(known)), max_size=1)))
    limit, order = draw(st.sampled_from([1, 2, 3, 5, 10, 100])), draw(st.sampled_from(["date", "duration", "name"]))
    return {"limit": limit, "sortBy": order, **{name: draw(known[name]) for name in names}}


def fits(call: StoredCall, query: dict[str, Any], world: World) -> bool:
    needle = query.get("search", "").strip().lower()
    return (
        call.deleted_at is None
        and (not call.is_test_call or query.get("include_test") == "true")
        and query.get("call_type", call.call_type) == call.call_type
        and query.get("status", call.status) == call.status
        and any(needle in (text or "").lower() for text in (call.caller_name, call.phone_number))
        and ("date_filter" not in query or since(query["date_filter"], call, world.zone, world.now))
        and ("startDate" not in query or query["startDate"].reached_by(call, world.zone))
        and ("endDate" not in query or query["endDate"].not_passed_by(call, world.zone))
    )


def as_listed(call: StoredCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "call_type": call.call_type,
        "call_date": call.at,
        "caller_name": call.shown_name,
        "phone_number": call.phone_number or "Unknown",
        "duration_seconds": call.duration_seconds or 0,
        "status": call.status,
        "sentiment_score": None if call.sentiment_score is None else float(call.sentiment_score),
        "is_test_call": call.is_test_call,
    }


def check_page(caller: Caller, query: dict[str, Any], page: int, expected: list[StoredCall]) -> None:
    sent = {name: value.text if isinstance(value, Bound) else value for name, value in query.items()}
    limit = query["limit"]

    reply = caller.get(PATH, page=page, **sent)

    assert reply.status_code == 200, reply.json
    wanted = [as_listed(call) for call in expected[(page - 1) * limit : page * limit]]
    rows = [{**row, "call_date": datetime.fromisoformat(row["call_date"])} for row in reply.json["calls"]]
    assert [row["id"] for row in rows] == [row["id"] for row in wanted]
    assert [row | known for row, known in zip(rows, wanted, strict=True)] == rows
    pages = -(-len(expected) // limit)
    told = reply.json["pagination"]
    assert {**told, "next_cursor": None} == {
        "page": page,
        "limit": limit,
        "total": len(expected),
        "pages": pages,
        "total_is_estimate": False,
        "has_more": page * limit < len(expected),
        "next_cursor": None,
    }
    assert (told["next_cursor"] is not None) == told["has_more"]


def check_cursors(caller: Caller, query: dict[str, Any], expected: list[StoredCall]) -> None:
    sent = {name: value.text if isinstance(value, Bound) else value for name, value in query.items()}
    seen, cursor = [], None
    while cursor or not seen:
        reply = caller.get(PATH, **sent, **({"cursor": cursor} if cursor else {}))
        assert reply.status_code == 200, reply.json
        assert reply.json["pagination"]["total"] == len(expected)
        seen += [row["id"] for row in reply.json["calls"]]
        cursor = reply.json["pagination"]["next_cursor"]
        if not expected:
            break
    assert seen == [call.id for call in expected]


# Add Phase.shrink to have a failure made smaller, which takes minutes.
@pytest.mark.parametrize("focus", FOCUS)
@settings(max_examples=40, phases=[Phase.generate])
@given(data=st.data(), world=worlds())
def test_list_is_what_brute_force_finds(
    factory: Factory, recorder: RequestRecorder, focus: str, data: st.DataObject, world: World
) -> None:
    caller = factory.caller("viewer", timezone=world.zone_name)
    # Good by the database's clock as well, which does not stand still.
    caller.token = mint_token(factory.settings, user_id=caller.user_id, org_id=caller.org_id, iat=0, exp=YEAR_2100)
    store(factory.sql, caller.org_id, world.calls)
    try:
        # However few rows there are, some lists find their pages through the rollups.
        deep = patch.object(call_list, "DEEP_OFFSET", data.draw(st.sampled_from([1, 4, 1000])))
        with deep, time_machine.travel(world.now, tick=False):
            caller.get(PATH, date_filter="today")  # the time zone is in the cache from here on
            for _ in range(2):
                query = data.draw(queries(world, focus))
                found = [call for call in world.calls if fits(call, query, world)]
                expected = sorted(found, key=ORDERS[query["sortBy"]])
                pages = max(1, -(-len(expected) // query["limit"]))
                for page in range(1, pages + 1):
                    check_page(caller, query, page, expected)
                    assert recorder.last == ["POST rpc/list_calls_with_appointments"]
                check_cursors(caller, query, expected)
                check_page(caller, query, pages + 1, expected)
                assert set(recorder.last) == {"POST rpc/list_calls_with_appointments"}
    finally:
        forget(factory.sql, caller.org_id)
