"""The numbers at the top of the operators' page: how it goes now, whether that is good, and where to look if it is not.

Now is the last five minutes. An hour's mean would call an outage good that began a minute ago.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from voxanne.services.readable import amount, percent, size

# As in observability/alerts.yml.
HIT_RATE_LOW = 70
LEAST_READS = 60
"""In the five minutes: of fewer the hit rate says nothing."""
CONNECTIONS_HIGH = 80
ERRORS_HIGH = 1
SIZE_HIGH = 80
_HALF = 0.5

Numbers = Mapping[str, Any]


class Advice(NamedTuple):
    """A sentence on what to do, and the heading of the page under which there is more."""

    sentence: str
    place: str
    place_name: str


@dataclass(frozen=True)
class Glance:
    """One number; `level` is ok, warn or none, `judgement` says it in a word."""

    label: str
    value: float | None
    unit: str
    note: str
    level: str = "none"
    judgement: str = ""
    advice: Advice | None = None


def of_traffic(numbers: Numbers) -> list[Glance]:
    """Return throughput, latency, errors and hit rate, of what `performance.report` returns."""
    hour, recent, slow_ms = numbers["totals"], numbers["recent"], numbers["slowRequestMs"]
    totals = recent["totals"]
    return [
        Glance("Requests", totals["perMinute"], "a minute", f"{amount(hour['requests'])} in the hour"),
        _judged(
            Glance("95 % answered within", totals["p95Ms"], "ms", f"{amount(hour['p95Ms'])} ms over the hour"),
            bad=(totals["p95Ms"] or 0) > slow_ms,
            word="slow",
            advice=_on_latency(recent["routes"]),
        ),
        _judged(
            Glance("Errors of ours (5xx)", totals["errorPercent"], "%", f"{amount(hour['errors'])} in the hour"),
            bad=(totals["errorPercent"] or 0) > ERRORS_HIGH,
            word="high",
            advice=_on_errors(recent["routes"]),
        ),
        _of_cache(recent["cache"], f"{percent(numbers['cache']['hitRate'])} in the hour"),
    ]


def of_database(report: Numbers | None, *, old_since: datetime | None = None) -> list[Glance]:
    """Return connections and size, of what `database_state.state` returns, or marked as old."""
    if report is None:
        return [Glance(label, None, "", "not known") for label in ("Connections", "Database size")]
    used, of_plan = report["connections"], report["sizePercent"]
    limit = "no limit set" if of_plan is None else f"{percent(of_plan)} of the plan's limit"
    both = [
        _judged(
            Glance("Connections", used["used"], "", f"{percent(used['percent'])} of {used['limit']}"),
            bad=(used["percent"] or 0) > CONNECTIONS_HIGH,
            word="high",
            advice=_on_connections(used),
        ),
        _judged(
            Glance("Database size", round(report["sizeBytes"] / 1024 / 1024, 1), "MB", limit),
            bad=(of_plan or 0) > SIZE_HIGH,
            word="high",
            advice=_on_size(report["tables"]),
        ),
    ]
    if old_since is None:
        return both
    return [Glance(one.label, one.value, one.unit, f"from {old_since:%H:%M} UTC", "warn", "old") for one in both]


def _of_cache(cache: Numbers, note: str) -> Glance:
    glance = Glance("Answered by the cache", cache["hitRate"], "%", note)
    if cache["hits"] + cache["misses"] < LEAST_READS:
        return glance
    return _judged(glance, bad=cache["hitRate"] < HIT_RATE_LOW, word="low", advice=_on_misses(cache["regions"]))


def _judged(glance: Glance, *, bad: bool, word: str, advice: Advice | None) -> Glance:
    if glance.value is None:
        return glance
    if not bad:
        return replace(glance, level="ok", judgement="good")
    return replace(glance, level="warn", judgement=word, advice=advice)


def _on_latency(routes: Sequence[Numbers]) -> Advice | None:
    if not routes:
        return None
    worst = max(routes, key=lambda route: (route["slow"], route["p95Ms"]))
    sentence = f"Slow answers: the worst route is {_name(worst)} (p95 {amount(worst['p95Ms'])} ms). "
    if worst["databaseMs"] > _HALF * worst["meanMs"]:
        return Advice(f"{sentence}Most of its time goes to the database.", "queries-title", "slow queries")
    return Advice(
        f"{sentence}Most of its time is not the database's: the log lines “slow request” say more.",
        "routes-title",
        "routes",
    )


def _on_errors(routes: Sequence[Numbers]) -> Advice | None:
    if not routes:
        return None
    worst = max(routes, key=lambda route: route["errors"])
    share = f"{amount(worst['errors'])} of its {amount(worst['requests'])} requests"
    return Advice(
        f"Errors: most are of {_name(worst)} ({share}). The log lines “unhandled error”, “database refused” and "
        "“database unreachable” say why.",
        "routes-title",
        "routes",
    )


def _on_misses(regions: Mapping[str, Numbers]) -> Advice:
    name, reads = max(regions.items(), key=lambda item: item[1]["misses"])
    share = f"{amount(reads['misses'])} of its {amount(reads['hits'] + reads['misses'])} reads"
    return Advice(f"Cache: most misses are of {name} ({share}).", "regions-title", "regions")


def _on_connections(used: Numbers) -> Advice:
    return Advice(
        f"Connections: {used['active']} are active, {used['idleInTransaction']} idle in a transaction. At the limit "
        "Postgres refuses everybody.",
        "database-title",
        "database",
    )


def _on_size(tables: Sequence[Numbers]) -> Advice | None:
    if not tables:
        return None
    largest = max(tables, key=lambda table: table["sizeBytes"])
    sentence = f"Size: the largest table is {largest['table']} ({size(largest['sizeBytes'])})."
    return Advice(sentence, "tables-title", "tables")


def _name(route: Numbers) -> str:
    return f"{route['method']} {route['route']}"
