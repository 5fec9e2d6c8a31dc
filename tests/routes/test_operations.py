"""/api/monitoring/{performance,slow-queries,database}: for operators, right in their numbers, and without any value."""

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
import time_machine
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import OPERATOR_ID, Caller, Factory, mint_token
from voxanne import create_app
from voxanne.cache import REGIONS, cache
from voxanne.observability import requests
from voxanne.observability import sharing as sharing_module
from voxanne.queries import monitoring
from voxanne.services import database_state

PERFORMANCE, SLOW, DATABASE = (f"/api/monitoring/{name}" for name in ("performance", "slow-queries", "database"))
ROUTES = [PERFORMANCE, SLOW, DATABASE]
NOBODY, NO_REDIS = "http://127.0.0.1:1", "redis://127.0.0.1:1/0"


def operator_of(app: Flask, org_id: str | None = None, **claims: object) -> Caller:
    org_id = org_id or str(uuid.uuid4())
    values = {"user_id": OPERATOR_ID, **claims}
    return Caller(app, org_id, OPERATOR_ID, mint_token(app.config["SETTINGS"], org_id=org_id, **values))


@pytest.fixture
def fresh(app_with: Callable[..., Flask]) -> Flask:
    """An application that has answered nothing yet."""
    return app_with()


def visit(app: Flask, factory: Factory) -> Caller:
    caller = factory.caller()
    return Caller(app, caller.org_id, caller.user_id, caller.token)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("role", ["viewer", "owner"])
def test_an_ordinary_user_is_refused_whatever_the_role(factory: Factory, path: str, role: str) -> None:
    reply = factory.caller(role).get(path)

    assert (reply.status_code, reply.json["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("path", ROUTES)
def test_with_nobody_named_nobody_gets_in(app_with: Callable[..., Flask], path: str) -> None:
    app = app_with(operators=())

    assert operator_of(app).get(path).status_code == 403
    assert operator_of(app, email="").get(path).status_code == 403


@pytest.mark.parametrize("path", ROUTES)
def test_operators_need_no_organisation(app: Flask, path: str) -> None:
    assert operator_of(app, app_metadata={}).get(path).status_code == 200


def test_an_address_that_is_an_operators_id_names_nobody(app: Flask) -> None:
    assert operator_of(app, user_id=str(uuid.uuid4()), email=OPERATOR_ID).get(PERFORMANCE).status_code == 403


ADDRESS = "Ops@Voxanne.example"


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"email": "ops@voxanne.example"}, 200),
        ({"email": "other@voxanne.example"}, 403),
        ({"email": "x", "user_metadata": {"email": ADDRESS}}, 403),
        ({"email": None, "user_metadata": {"email": ADDRESS}}, 403),
    ],
    ids=str,
)
def test_in_development_an_address_of_the_signed_part_will_do(
    app_with: Callable[..., Flask], claims: dict, status: int
) -> None:
    app = app_with(app_env="development", operators=(ADDRESS,))

    assert operator_of(app, user_id=str(uuid.uuid4()), **claims).get(PERFORMANCE).status_code == status


def test_known_traffic_adds_up(fresh: Flask, factory: Factory) -> None:
    caller = visit(fresh, factory)
    for path in ["/api/agents"] * 4 + ["/api/services"] * 2 + ["/nowhere", f"/nowhere/{uuid.uuid4()}"]:
        caller.get(path)

    found = operator_of(fresh).get(PERFORMANCE).json

    routes = {(route["method"], route["route"]): route for route in found["routes"]}
    assert set(routes) == {("GET", "/api/agents"), ("GET", "/api/services"), ("GET", "(unknown)")}
    assert {name: route["requests"] for (_, name), route in routes.items()} == {
        "/api/agents": 4, "/api/services": 2, "(unknown)": 2,
    }  # fmt: skip
    agents, totals = routes["GET", "/api/agents"], found["totals"]
    assert (agents["databaseRequests"], routes["GET", "/api/services"]["databaseRequests"]) == (1, 2)
    assert 0 < agents["p50Ms"] <= agents["p95Ms"] <= agents["p99Ms"] <= agents["maxMs"]
    assert (totals["requests"], totals["errors"], totals["clientErrors"], totals["errorPercent"]) == (8, 0, 2, 0)
    assert totals["databaseRequests"] == 3
    assert (found["scope"], found["processes"], found["windowMinutes"]) == ("all", 1, 60)
    assert found["slowRequestMs"] == fresh.config["SETTINGS"].slow_request_ms
    assert sum(minute["requests"] for minute in found["minutes"]) == 8
    assert found["cache"]["regions"]["agents"]["hits"] == 3
    assert (found["cache"]["hits"], found["cache"]["misses"], found["cache"]["hitRate"]) == (3, 1, 75)


def test_an_hour_of_minutes_the_oldest_first(app_with: Callable[..., Flask], factory: Factory) -> None:
    app = app_with()
    start = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        client = app.test_client()
        client.get("/nowhere")
        clock.shift(59 * 60)
        client.get("/")
        client.get("/")
        caller = operator_of(app)

        found = caller.get(PERFORMANCE).json
        assert len(found["minutes"]) == len(found["cache"]["minutes"]) == 60
        assert (found["minutes"][0]["at"], found["minutes"][-1]["at"]) == (
            "2026-03-10T12:00:00+00:00", "2026-03-10T12:59:00+00:00",
        )  # fmt: skip
        assert [minute["requests"] for minute in found["minutes"]] == [1, *[0] * 58, 2]
        assert found["minutes"][0]["clientErrors"] == 1
        assert found["minutes"][1]["p95Ms"] is None
        assert found["totals"]["perMinute"] == 0.05

        clock.shift(60)
        found = operator_of(app).get(PERFORMANCE).json
        assert [minute["requests"] for minute in found["minutes"][-2:]] == [3, 0]
        assert found["totals"]["clientErrors"] == 0


def test_what_goes_on_now_is_told_apart_from_the_hour(app_with: Callable[..., Flask]) -> None:
    app = app_with()
    with time_machine.travel(datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC), tick=False) as clock:
        for _ in range(8):
            app.test_client().get("/")
        clock.shift(10 * 60)
        for _ in range(6):
            app.test_client().get("/nowhere")
        clock.shift(90)

        found = operator_of(app).get(PERFORMANCE).json

    recent = found["recent"]
    assert (found["totals"]["requests"], recent["totals"]["requests"], recent["minutes"]) == (14, 6, 5)
    assert recent["totals"]["clientErrors"] == 6
    assert recent["totals"]["perMinute"] == 3, "since 12:10, which is two minutes ago"
    assert [(route["route"], route["requests"]) for route in recent["routes"]] == [("(unknown)", 6)]
    assert recent["cache"]["hitRate"] is None
    assert set(recent["cache"]["regions"]) == {region.name for region in REGIONS}


def test_before_any_request_there_are_no_numbers_instead_of_zeros(fresh: Flask) -> None:
    found = operator_of(fresh).get(PERFORMANCE).json

    totals = found["totals"]
    assert (totals["requests"], totals["p95Ms"], totals["meanMs"], totals["errorPercent"]) == (0, None, None, None)
    assert found["routes"] == []
    assert found["cache"]["hitRate"] is None
    assert set(found["cache"]["regions"]) == {region.name for region in REGIONS}
    assert all(len(region["minutes"]) == 60 for region in found["cache"]["regions"].values())


def test_performance_needs_neither_database_nor_redis(app_with: Callable[..., Flask]) -> None:
    app = app_with(supabase_url=NOBODY, redis_url=NO_REDIS)
    stranger = Caller(app, "", "", mint_token(app.config["SETTINGS"], user_id=str(uuid.uuid4()), org_id=OPERATOR_ID))
    assert stranger.get("/api/services").status_code == 503

    found = operator_of(app).get(PERFORMANCE)

    assert found.status_code == 200
    assert (found.json["scope"], found.json["processes"]) == ("process", 1)
    assert (found.json["totals"]["errors"], found.json["totals"]["errorPercent"]) == (1, 100)


@pytest.mark.parametrize("path", [SLOW, DATABASE])
def test_the_database_being_away_is_a_503(app_with: Callable[..., Flask], path: str) -> None:
    reply = operator_of(app_with(supabase_url=NOBODY)).get(path)

    assert (reply.status_code, reply.json["code"]) == (503, "DATABASE_UNAVAILABLE")


@pytest.fixture
def pair(patient: None) -> Iterator[list[Flask]]:
    """Two processes of a deployment, as far as Redis can tell."""
    prefix = f"test-{uuid.uuid4().hex[:8]}"
    apps = [create_app(settings_for_tests(redis_url=os.environ["REDIS_URL"], cache_key_prefix=prefix)) for _ in "ab"]
    yield apps
    for app in apps:
        with app.app_context():
            cache.close()


def test_processes_add_up_where_there_is_redis(pair: list[Flask], factory: Factory) -> None:
    first, second = pair
    for app, times in ((first, 3), (second, 4)):
        caller = visit(app, factory)
        for _ in range(times):
            caller.get("/api/agents")
        for _ in range(3):  # told as often as you like, counted once
            requests.sharing(app).publish()

    for app in pair:
        found = operator_of(app).get(PERFORMANCE).json
        agents = next(route for route in found["routes"] if route["route"] == "/api/agents")
        assert (agents["requests"], found["scope"], found["processes"]) == (7, "all", 2)
        assert (found["cache"]["misses"], found["cache"]["hits"]) == (2, 5)


def test_what_redis_missed_is_told_when_it_is_back(pair: list[Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing_module, "EVERY_SECONDS", 3600.0)  # nor does the thread tell it meanwhile
    first, second = pair
    first.test_client().get("/")
    sharing = requests.sharing(first)
    working = sharing._redis
    with monkeypatch.context() as broken:
        broken.setattr(sharing, "_redis", psycopg)  # nothing that could be a Redis
        broken.setattr(psycopg, "pipeline", refuse, raising=False)
        sharing.publish()
        assert sharing.collect().complete is False
    assert sharing._redis is working
    assert "/" not in [route["route"] for route in operator_of(second).get(PERFORMANCE).json["routes"]]

    sharing.publish()

    assert "/" in [route["route"] for route in operator_of(second).get(PERFORMANCE).json["routes"]]


def refuse(*_: object, **__: object) -> None:
    raise ConnectionError("away")


def test_the_threads_tell_redis_by_themselves(pair: list[Flask]) -> None:
    first, second = pair
    first.test_client().get("/")
    deadline = time.monotonic() + 60

    while operator_of(second).get(PERFORMANCE).json["processes"] < 2 and time.monotonic() < deadline:
        threading.Event().wait(0.1)

    assert operator_of(second).get(PERFORMANCE).json["processes"] == 2


SECRET = "Marker O''Patient"


@pytest.fixture
def slow_statement(sql: psycopg.Connection) -> None:
    sql.execute("select extensions.pg_stat_statements_reset()")
    sql.execute(f"select pg_sleep(0.15), '{SECRET}', 4155550123 /* Marker comment */")
    sql.execute("select 1")


@pytest.mark.usefixtures("slow_statement")
def test_slow_statements_are_told_without_their_values(factory: Factory) -> None:
    found = factory.operator().get(SLOW).json

    assert (found["available"], found["reason"], found["thresholdMs"]) == (True, None, 100)
    assert found["since"]
    (slow,) = [query for query in found["queries"] if "pg_sleep" in query["query"]]
    assert slow["query"] == "select pg_sleep($1), $2, $3"
    assert (slow["calls"], slow["rows"]) == (1, 1)
    assert slow["maxMs"] == slow["meanMs"] == slow["totalMs"] >= 150
    assert 0 < slow["sharePercent"] <= 100
    assert found["statements"] >= 2
    assert "Marker" not in str(found)
    assert not any(query["query"] == "select $1" for query in found["queries"])


def test_a_password_in_a_statement_is_never_told(factory: Factory, sql: psycopg.Connection) -> None:
    sql.execute("select extensions.pg_stat_statements_reset()")
    # Any utility statement will do; the extension leaves their constants in.
    sql.execute("do $$ begin perform pg_sleep(0.15), 'marker-password'; end $$")
    raw = sql.execute("select count(*) as n from extensions.pg_stat_statements where query like '%marker-password%'")
    assert raw.fetchone()["n"] > 0

    assert "marker" not in str(factory.operator().get(SLOW).json)


def test_at_most_twenty_the_slowest_first(factory: Factory, sql: psycopg.Connection) -> None:
    sql.execute("select extensions.pg_stat_statements_reset()")
    for number in range(22):
        columns = ", ".join(f"1 as c{column}" for column in range(number + 1))
        sql.execute(f"select pg_sleep(0.11), {columns}")

    queries = factory.operator().get(SLOW).json["queries"]

    assert len(queries) == 20
    means = [query["meanMs"] for query in queries]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize(("missing", "said"), [("not installed", "not installed"), ("not loaded", "installed but not")])
def test_it_says_so_where_statements_are_not_recorded(
    factory: Factory, monkeypatch: pytest.MonkeyPatch, missing: str, said: str
) -> None:
    monkeypatch.setattr(monitoring, "slow_queries", lambda *_, **__: {"missing": missing})

    found = factory.operator().get(SLOW).json

    assert found["available"] is False
    assert (
        f"pg_stat_statements is {'not installed' if missing == 'not installed' else 'installed but'}" in found["reason"]
    )
    assert (found["queries"], found["since"], found["statements"], found["totalMs"]) == ([], None, 0, 0)


@pytest.fixture
def _without_autovacuum(sql: psycopg.Connection) -> Iterator[None]:
    """Dead rows stay until the test has seen them, and none are there of tests before."""
    sql.execute("alter table public.services set (autovacuum_enabled = false)")
    sql.execute("vacuum public.services")
    yield
    sql.execute("alter table public.services reset (autovacuum_enabled)")


@pytest.mark.usefixtures("_without_autovacuum")
def test_the_database_is_described(factory: Factory, sql: psycopg.Connection) -> None:
    caller = factory.caller()
    for _ in range(3):
        factory.service(caller.org_id)
    sql.execute("delete from public.services where org_id = %s", [caller.org_id])
    sql.execute("analyze public.services")
    sql.execute("select pg_stat_force_next_flush()")

    found = factory.operator().get(DATABASE).json

    assert found["version"].startswith("17")
    assert found["sizeBytes"] > 1_000_000
    assert (found["sizeLimitBytes"], found["sizePercent"]) == (0, None)
    used = found["connections"]
    assert 0 < used["used"] <= used["limit"]
    assert used["percent"] == round(100 * used["used"] / used["limit"], 2)
    assert used["active"] + used["idle"] + used["idleInTransaction"] <= used["used"]
    sizes = [table["sizeBytes"] for table in found["tables"]]
    assert sizes == sorted(sizes, reverse=True)
    services = next(table for table in found["tables"] if table["table"] == "services")
    assert services["deadRows"] >= 3
    assert services["deadPercent"] > 0
    assert services["lastAnalyze"]
    assert services["sizeBytes"] >= services["indexBytes"] > 0
    assert services["needsVacuum"] is False
    assert {"call_logs", "calls", "contacts", "appointments"} <= {table["table"] for table in found["tables"]}


@pytest.mark.usefixtures("_without_autovacuum")
def test_dead_rows_beyond_what_autovacuum_leaves_are_pointed_at(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    sql.execute(
        "insert into public.services (org_id, name, price) select %s, 'n' || i, 1 from generate_series(1, 3000) i",
        [org_id],
    )
    sql.execute("delete from public.services where org_id = %s", [org_id])
    sql.execute("select pg_stat_force_next_flush()")

    tables = factory.operator().get(DATABASE).json["tables"]

    assert next(table for table in tables if table["table"] == "services")["needsVacuum"] is True


def test_an_index_that_nobody_uses_is_listed_and_one_that_holds_a_rule_is_not(
    factory: Factory, sql: psycopg.Connection
) -> None:
    sql.execute("create index marker_unused on public.services (price)")
    try:
        unused = {row["index"] for row in factory.operator().get(DATABASE).json["unusedIndexes"]}
    finally:
        sql.execute("drop index public.marker_unused")

    assert "marker_unused" in unused
    assert not {name for name in unused if name.endswith("_pkey")}


def test_the_size_is_told_against_the_plans_limit(app_with: Callable[..., Flask]) -> None:
    found = operator_of(app_with(database_size_limit_mb=100)).get(DATABASE).json

    assert found["sizeLimitBytes"] == 100 * 1024 * 1024
    assert found["sizePercent"] == round(100 * found["sizeBytes"] / found["sizeLimitBytes"], 2)


def test_the_gauges_wait_no_longer_than_a_probe(app: Flask) -> None:
    with app.test_request_context():
        assert set(database_state.gauges() or ()) == {"size_bytes", "connections", "connections_limit"}
