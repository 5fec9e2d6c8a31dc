"""The numbers at the top of the operators' page: of now, judged as the alert rules do, with advice if bad."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from voxanne.services import glances

MINUTE = {"perMinute": 20.0, "requests": 100, "errors": 0, "errorPercent": 0.0, "p95Ms": 40.0}
DATABASE: dict[str, Any] = {
    "sizeBytes": 2_097_152,
    "sizePercent": 2.0,
    "connections": {"used": 3, "active": 1, "idleInTransaction": 2, "limit": 100, "percent": 3.0},
    "tables": [{"table": "services", "sizeBytes": 1024}, {"table": "call_logs", "sizeBytes": 2_000_000}],
}


def route(name: str, **values: float) -> dict[str, Any]:
    usual = {"requests": 50, "errors": 0, "slow": 0, "p95Ms": 40.0, "meanMs": 20.0, "databaseMs": 5.0}
    return {"method": "GET", "route": name, **usual, **values}


def numbers(*routes: dict[str, Any], totals: dict[str, Any], misses: int = 5) -> dict[str, Any]:
    reads = {"hits": 95, "misses": misses, "hitRate": 100 * 95 / (95 + misses)}
    quiet = {"hits": 0, "misses": 0, "hitRate": None}
    recent = {
        "totals": MINUTE | totals,
        "routes": list(routes),
        "cache": {**reads, "regions": {"role": quiet, "agents": reads}},
    }
    return {"totals": MINUTE, "cache": {"hitRate": 99.0}, "slowRequestMs": 500, "recent": recent}


def of(found: list[glances.Glance], label: str) -> glances.Glance:
    return next(one for one in found if one.label.startswith(label))


def test_all_well_is_good_and_needs_no_advice() -> None:
    found = [*glances.of_traffic(numbers(route("/a"), totals={})), *glances.of_database(DATABASE)]

    assert {one.judgement for one in found} == {"", "good"}
    assert [one.advice for one in found] == [None] * 6


def test_it_judges_what_goes_on_now_and_not_the_hour() -> None:
    found = glances.of_traffic(numbers(route("/a"), totals={"errorPercent": 40.0, "errors": 40}))

    errors = of(found, "Errors")
    assert (errors.value, errors.level, errors.note) == (40.0, "warn", "0 in the hour")


@pytest.mark.parametrize(
    ("database_ms", "said", "place"),
    [(550.0, "goes to the database", "queries-title"), (10.0, "is not the database's", "routes-title")],
)
def test_slow_answers_name_the_worst_route_and_where_its_time_goes(database_ms: float, said: str, place: str) -> None:
    worst = route("/slow", p95Ms=900.0, slow=4, meanMs=600.0, databaseMs=database_ms)

    slow = of(glances.of_traffic(numbers(route("/a"), worst, totals={"p95Ms": 800.0})), "95 %")

    assert slow.judgement == "slow"
    assert "GET /slow (p95 900 ms)" in slow.advice.sentence
    assert said in slow.advice.sentence
    assert slow.advice.place == place


def test_errors_name_the_route_that_has_most() -> None:
    found = glances.of_traffic(numbers(route("/a", errors=1), route("/b", errors=9), totals={"errorPercent": 10.0}))

    assert "GET /b (9 of its 50 requests)" in of(found, "Errors").advice.sentence


def test_a_few_reads_say_nothing_of_the_cache() -> None:
    quiet = numbers(route("/a"), totals={})
    quiet["recent"]["cache"] |= {"hits": 0, "misses": 1, "hitRate": 0.0}

    assert of(glances.of_traffic(quiet), "Answered").level == "none"


def test_misses_name_the_region_that_has_most() -> None:
    found = glances.of_traffic(numbers(route("/a"), totals={}, misses=905))

    cache = of(found, "Answered")
    assert (cache.value, cache.judgement) == (9.5, "low")
    assert "agents (905 of its 1,000 reads)" in cache.advice.sentence


def test_without_requests_nothing_is_judged() -> None:
    nothing = {"perMinute": 0.0, "requests": 0, "p95Ms": None, "errorPercent": None}
    quiet = numbers(totals=nothing)
    quiet["recent"]["cache"] |= {"hits": 0, "misses": 0, "hitRate": None}

    assert {one.level for one in glances.of_traffic(quiet)} == {"none"}


def test_a_full_database_says_what_fills_it() -> None:
    used = DATABASE["connections"] | {"used": 90, "percent": 90.0}
    connections, size = glances.of_database({**DATABASE, "sizePercent": 90.0, "connections": used})

    assert "2 idle in a transaction" in connections.advice.sentence
    assert "call_logs (1.9 MB)" in size.advice.sentence


def test_old_numbers_are_neither_good_nor_bad() -> None:
    old = glances.of_database(DATABASE, old_since=datetime(2026, 3, 10, 12, 34, tzinfo=UTC))

    assert {(one.judgement, one.note, one.advice) for one in old} == {("old", "from 12:34 UTC", None)}


def test_the_limits_are_those_of_the_alert_rules() -> None:
    rules = yaml.safe_load((Path(glances.__file__).parents[1] / "observability" / "alerts.yml").read_text())
    expressions = {rule["alert"]: rule["expr"] for rule in rules["groups"][0]["rules"]}
    assert f"> {glances.ERRORS_HIGH / 100}" in expressions["VoxanneErrors"]
    assert f"> {(100 - glances.HIT_RATE_LOW) / 100}" in expressions["VoxanneCacheHitRateLow"]
    assert f"> {glances.CONNECTIONS_HIGH / 100}" in expressions["VoxanneDatabaseConnectionsHigh"]
