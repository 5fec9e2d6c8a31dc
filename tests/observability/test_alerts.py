"""The alert rules and the dashboard: every rule fires when it should and only then, on the real text of `/metrics`."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import promql_parser
import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

import voxanne.observability
from tests.conftest import METRICS_TOKEN
from tests.factories import Factory
from tests.observability.promql import Store
from voxanne.cache import cache_event
from voxanne.observability import metrics
from voxanne.services import database_state
from voxanne.signals import provider_call, webhook_event

FOLDER = Path(voxanne.observability.__file__).parent
RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
DASHBOARD = json.loads((FOLDER / "grafana.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
OK, FAILING = 200, 500


def traffic(status: int, seconds: float, times: int) -> None:
    for _ in range(times):
        metrics.note_request("GET", "/api/services", status, seconds, slow=False)


def reads(event: str, times: int) -> None:
    for _ in range(times):
        cache_event.send(None, region="services", event=event, seconds=None)


def calls(outcome: str, times: int) -> None:
    for _ in range(times):
        provider_call.send(provider="vapi", operation="GET assistant", outcome=outcome, seconds=0.1)


def webhooks(outcome: str, times: int) -> None:
    for _ in range(times):
        webhook_event.send(source="vapi", event_type="status-update", outcome=outcome, seconds=0.1)


def connections(used: int) -> dict[str, float]:
    return {"size_bytes": 1.0, "connections": used, "connections_limit": 100}


@dataclass
class Scene:
    """What happens between two scrapes, a minute apart; `database` is what the second one finds."""

    act: Callable[[], object] = lambda: None
    database: dict[str, float] | None = None
    away: bool = False
    answers: bool = True
    pool: int = 0


CASES: dict[str, tuple[Scene, Scene]] = {
    "VoxanneDown": (Scene(answers=False), Scene()),
    "VoxanneDatabaseDown": (Scene(away=True), Scene()),
    "VoxanneSlow": (
        Scene(lambda: (traffic(OK, 0.01, 90), traffic(OK, 2.0, 10))),
        Scene(lambda: (traffic(OK, 0.01, 97), traffic(OK, 2.0, 3))),
    ),
    "VoxanneErrors": (
        Scene(lambda: (traffic(OK, 0.01, 95), traffic(FAILING, 0.01, 5))),
        Scene(lambda: (traffic(OK, 0.01, 995), traffic(FAILING, 0.01, 5), traffic(404, 0.01, 500))),
    ),
    "VoxanneCacheHitRateLow": (
        Scene(lambda: (reads("hits", 60), reads("misses", 40))),
        Scene(lambda: (reads("hits", 75), reads("misses", 25), reads("staleServed", 50))),
    ),
    "VoxanneDatabaseConnectionsHigh": (Scene(database=connections(81)), Scene(database=connections(80))),
    "VoxannePoolExhausted": (Scene(pool=26), Scene(pool=25)),
    "VoxanneWebhookFailures": (
        Scene(lambda: webhooks("dead", 1)),
        Scene(lambda: (webhooks("applied", 50), webhooks("duplicate", 5), webhooks("refused", 5))),
    ),
    "VoxanneProviderUnreachable": (
        Scene(lambda: (calls("ok", 7), calls("unreachable", 3))),
        Scene(lambda: (calls("ok", 8), calls("unreachable", 2), calls("refused", 9))),
    ),
}


@pytest.fixture
def play(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Scene], Store]:
    """Returns two scrapes of the application with the scene in between."""

    def scrape() -> str:
        reply = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        assert reply.status_code == 200
        return reply.text

    def run(scene: Scene) -> Store:
        store = Store()
        touch()
        store.scrape(0.0, scrape())
        scene.act()
        if scene.database or scene.away:
            monkeypatch.setattr(database_state, "gauges", lambda: scene.database)
        metrics.pool_in_use.inc(scene.pool)
        try:
            store.scrape(60.0, scrape() if scene.answers else None)
        finally:
            metrics.pool_in_use.dec(scene.pool)
        return store

    return run


def touch() -> None:
    """Make every series that the scenes use, as Prometheus does not see what a series begins with."""
    for status in (OK, FAILING, 404):
        traffic(status, 0.001, 1)
    for event in ("hits", "misses", "staleServed"):
        reads(event, 1)
    for outcome in ("ok", "unreachable", "refused"):
        calls(outcome, 1)


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("name", CASES)
def test_it_fires_when_it_should(play: Callable[[Scene], Store], name: str) -> None:
    assert play(CASES[name][0]).value(RULES[name]["expr"], 60.0)


@pytest.mark.parametrize("name", CASES)
def test_it_keeps_quiet_otherwise(play: Callable[[Scene], Store], name: str) -> None:
    assert play(CASES[name][1]).value(RULES[name]["expr"], 60.0) == {}


def test_nothing_fires_in_ordinary_use(app: Flask, factory: Factory, play: Callable[[Scene], Store]) -> None:
    caller = factory.caller()
    store = play(Scene(lambda: [caller.get(path) for path in ["/api/agents"] * 20 + ["/api/services", "/nowhere"]]))

    assert {name for name, rule in RULES.items() if store.value(rule["expr"], 60.0)} <= {"VoxanneSlow"}


def test_the_very_first_failure_of_a_webhook_is_seen(play: Callable[[Scene], Store]) -> None:
    text = 'voxanne_webhook_failures_total{source="twilio"}'
    twilio = Scene(lambda: webhook_event.send(source="twilio", event_type="x", outcome="failed", seconds=0.1))

    store = play(twilio)

    assert text in metrics.exposition(None).decode()
    assert len(store.value(RULES["VoxanneWebhookFailures"]["expr"], 60.0)) == 1


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_rule_says_what_it_means_and_what_to_do(rule: dict) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].count(".") >= 1


def names_in(node: object) -> set[str]:
    found: set[str] = set()

    def visit(one: object) -> bool:
        name = getattr(one, "name", None) or getattr(getattr(one, "vector_selector", None), "name", None)
        if name and type(one).__name__ in {"VectorSelector", "MatrixSelector"}:
            found.add(name)
        return True

    promql_parser.walk(node, visit)
    return found


def samples(app: Flask, factory: Factory) -> dict[str, set[str]]:
    """The labels of everything that /metrics tells, by its name."""
    factory.caller().get("/api/agents")
    factory.caller().get("/api/services")
    touch()
    webhooks("applied", 1)
    metrics.note_request("GET", "/api/services", OK, 2.0, slow=True)
    text = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
    found = {"up": {"job", "instance"}}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def exposed(app: Flask, factory: Factory) -> set[str]:
    return set(samples(app, factory))


def test_dashboard_and_rules_name_only_metrics_that_there_are(app: Flask, factory: Factory) -> None:
    there = exposed(app, factory)
    ours = [rule["expr"] for rule in RULES.values()] + [one.replace("$__rate_interval", "5m") for one in EXPRESSIONS]

    named = {expression: names_in(promql_parser.parse(expression)) for expression in ours}

    assert all(named.values())
    assert {name for names in named.values() for name in names} - there == set()


def test_dashboard_and_rules_name_only_labels_that_there_are(app: Flask, factory: Factory) -> None:
    there = samples(app, factory)
    shown = [
        (target["expr"], target.get("legendFormat", "")) for panel in DASHBOARD["panels"] for target in panel["targets"]
    ]
    told = [(rule["expr"], " ".join(rule["annotations"].values())) for rule in RULES.values()]

    for expression, text in shown + told:
        names = names_in(promql_parser.parse(expression.replace("$__rate_interval", "5m")))
        labels = set().union(*(there[name] for name in names)) | {"job", "instance"}
        named = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', expression))
        named |= {
            label.strip() for by in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression) for label in by.split(",")
        }
        named |= set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text)) - {"value"}
        assert named - {""} <= labels, expression


def test_the_dashboard_shows_every_metric(app: Flask, factory: Factory) -> None:
    shown = "\n".join(EXPRESSIONS)
    kinds = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exposed(app, factory)}

    assert [name for name in sorted(kinds) if name not in shown] == []


def test_the_dashboard_is_one(app: Flask) -> None:
    panels = DASHBOARD["panels"]
    assert DASHBOARD["title"] == "Voxanne"
    assert len({panel["id"] for panel in panels}) == len(panels) >= 20
    assert all(panel["targets"] and panel["title"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    places = {(x, y) for panel in panels for x, y in _cells(panel["gridPos"])}
    assert len(places) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
    assert max(x for x, _ in places) < 24


def _cells(place: dict[str, int]) -> list[tuple[int, int]]:
    columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return [(x, y) for x in columns for y in rows]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's prometheus")
def test_promtool_takes_the_rules() -> None:
    checked = subprocess.run(
        ["promtool", "check", "rules", str(FOLDER / "alerts.yml")], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULES)} rules found" in checked.stdout
