"""What each reply costs in requests to Supabase, cold and warm (`pytest -s` prints the table)."""

import pytest
from flask import Flask

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from tests.route_cases import CASES, method_of, own_path
from voxanne.cache import cache

LISTS = "/api/calls-dashboard"
VARIANTS = {
    "calls of one day": ({"startDate": "2026-03-10", "endDate": "2026-03-10"}, 2, 1),
    "calls of today": ({"date_filter": "today"}, 2, 1),
    "calls with everything": (
        {"call_type": "inbound", "status": "missed", "search": "x", "date_filter": "week", "sortBy": "name"}, 2, 1,
    ),
    "calls past the last page": ({"page": "9"}, 1, 1),
}  # fmt: skip


def cost(caller: Caller, recorder: RequestRecorder, method: str, path: str, expected: int, **kwargs) -> list[str]:
    reply = caller.request(method, path, **kwargs)
    assert reply.status_code == expected, reply.get_data(as_text=True)
    return recorder.last


@pytest.mark.usefixtures("upkeep_on")
def test_each_route_keeps_its_budget(app: Flask, factory: Factory, recorder: RequestRecorder) -> None:
    table = []
    for rule in app.url_map.iter_rules():
        case, method = CASES[rule.endpoint], method_of(rule)
        caller = case.caller(factory)
        spent = []
        for _ in range(2):
            body = {} if case.body is None else {"json": case.payload}
            path = own_path(rule, factory, caller.org_id)
            spent.append(cost(caller, recorder, method, path, case.ok, **body))
            with app.app_context():
                cache.engine.wait_for_refreshes()
        table.append((f"{method} {rule.rule}", [len(one) for one in spent], [case.cold, case.warm], spent[0]))

    print("\n" + "\n".join(f"{name:55} cold {cold} warm {warm}  {first}" for name, (cold, warm), _, first in table))
    assert [(name, found) for name, found, _, _ in table] == [(name, wanted) for name, _, wanted, _ in table]


@pytest.mark.parametrize(("query", "cold", "warm"), VARIANTS.values(), ids=VARIANTS)
def test_filters_that_need_the_time_zone_cost_one_look_up(
    factory: Factory, recorder: RequestRecorder, query: dict[str, str], cold: int, warm: int
) -> None:
    caller = factory.caller()
    factory.call(caller.org_id)

    spent = [len(cost(caller, recorder, "GET", LISTS, 200, query_string=query)) for _ in range(2)]

    assert spent == [cold, warm]


BAD = [
    {"page": "0"}, {"page": "-1"}, {"page": "abc"}, {"page": "99999999999"}, {"limit": "0"}, {"limit": "101"},
    {"startDate": "tomorrow"}, {"endDate": "2026-02-30"}, {"sortBy": "cost"}, {"status": "gone"}, {"call_type": "x"},
    {"date_filter": "year"}, {"search": "x" * 201}, {"include_test": "perhaps"},
]  # fmt: skip


@pytest.mark.parametrize("query", BAD, ids=str)
def test_bad_input_costs_nothing(factory: Factory, recorder: RequestRecorder, query: dict[str, str]) -> None:
    reply = factory.caller().get(LISTS, **query)

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert reply.json["details"][0]["field"] == next(iter(query))
    assert recorder.last == []


def test_the_reply_tells_its_cost(factory: Factory) -> None:
    header = factory.caller().get(LISTS, startDate="2026-03-10").headers["Server-Timing"]

    assert header.startswith("total;dur=")
    assert '"2 requests"' in header
