"""What the page for operators shows: each part on its own, so that one source's failure leaves the others."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from postgrest.exceptions import APIError

from voxanne import errors
from voxanne.observability.window import MINUTES, current_minute
from voxanne.services import database_state, performance
from voxanne.services.last_known import Sample, last_known

logger = logging.getLogger(__name__)

# As in observability/alerts.yml.
HIT_RATE_LOW = 70
CONNECTIONS_HIGH = 80
ERRORS_HIGH = 1
SIZE_HIGH = 80
AWAY = "The database can't be reached right now."
BROKEN = "The database answered, but with an error; the log says which."


@dataclass(frozen=True)
class Source:
    """A report, or the last good one with the reason why there is no newer one."""

    report: dict[str, Any] | None
    at: datetime | None
    problem: str | None = None


@dataclass(frozen=True)
class Glance:
    """One number at the top; `level` is ok, warn or none, and `judgement` says it in a word."""

    label: str
    value: float | None
    unit: str
    note: str
    level: str = "none"
    judgement: str = ""


def view() -> dict[str, Any]:
    """Return everything that the page's template needs."""
    numbers = performance.report()
    database = _ask("database", database_state.state)
    if database.problem == AWAY:
        # Asking again would only take as long again.
        statements = _last("slow-queries", AWAY)
    else:
        statements = _ask("slow-queries", database_state.slow_queries)
    if database.report and not database.problem:
        _sample(database.report)
    return {
        "now": datetime.now(UTC),
        "performance": numbers,
        "database": database,
        "statements": statements,
        "samples": _samples(),
        "glances": _glances(numbers, database),
        "problems": _problems(numbers, database, statements),
        "slowest_ms": max((route["p99Ms"] for route in numbers["routes"]), default=0),
    }


def _ask(name: str, load: Callable[[], dict[str, Any]]) -> Source:
    try:
        report = load()
    except (APIError, httpx.HTTPError) as error:
        logger.warning("operator's page lacks a part", extra={"part": name, "cause": type(error).__name__})
        return _last(name, AWAY if errors.is_unavailable(error) else BROKEN)
    last_known().keep(name, report)
    return Source(report, datetime.now(UTC))


def _last(name: str, problem: str) -> Source:
    last = last_known().last(name)
    if last is None:
        return Source(None, None, problem)
    return Source(last.report, datetime.fromtimestamp(last.at, UTC), problem)


def _sample(report: dict[str, Any]) -> None:
    last_known().note_sample(Sample(report["sizeBytes"], report["connections"]["used"]))


def _samples() -> list[dict[str, Any]]:
    found, last = last_known().samples(), current_minute()
    minutes = range(last - MINUTES + 1, last + 1)
    return [{"at": datetime.fromtimestamp(minute * 60, UTC), "sample": found.get(minute)} for minute in minutes]


def _problems(numbers: dict[str, Any], database: Source, statements: Source) -> list[str]:
    problems = []
    if numbers["scope"] == "process":
        problems.append(
            "Redis does not answer: traffic and cache are the numbers of one process only, the one that answered you."
        )
    if database.problem:
        problems.append(database.problem + _age(database))
    if statements.problem and statements.problem != database.problem:
        problems.append(f"Slow queries: {statements.problem}")
    return problems


def _age(source: Source) -> str:
    if source.at is None:
        return " There are no earlier numbers to show."
    return f" What is shown of it is from {source.at:%H:%M:%S} UTC."


def _glances(numbers: dict[str, Any], database: Source) -> list[Glance]:
    totals, cache, slow_ms = numbers["totals"], numbers["cache"], numbers["slowRequestMs"]
    errors_of_all = f"{totals['errors']:,} of {totals['requests']:,}"
    return [
        Glance("Requests", totals["perMinute"], "a minute", f"{totals['requests']:,} in the last hour"),
        _judged(
            Glance("95 % answered within", totals["p95Ms"], "ms", f"{totals['slow']:,} took {slow_ms} ms or more"),
            bad=(totals["p95Ms"] or 0) > slow_ms,
            word="slow",
        ),
        _judged(
            Glance("Errors of ours (5xx)", totals["errorPercent"], "%", errors_of_all),
            bad=(totals["errorPercent"] or 0) > ERRORS_HIGH,
            word="high",
        ),
        _judged(
            Glance("Answered by the cache", cache["hitRate"], "%", f"{cache['hits'] + cache['misses']:,} reads"),
            bad=(cache["hitRate"] or 0) < HIT_RATE_LOW,
            word="low",
        ),
        *_database_glances(database),
    ]


def _judged(glance: Glance, *, bad: bool, word: str) -> Glance:
    if glance.value is None:
        return glance
    level, judgement = ("warn", word) if bad else ("ok", "good")
    return Glance(glance.label, glance.value, glance.unit, glance.note, level, judgement)


def _database_glances(database: Source) -> list[Glance]:
    if database.report is None:
        return [Glance(label, None, "", "not known") for label in ("Connections", "Database size")]
    used, size = database.report["connections"], database.report["sizeBytes"] / 1024 / 1024
    connections = Glance("Connections", used["used"], "", f"{used['percent']} % of {used['limit']}")
    percent = database.report["sizePercent"]
    limit = f"{percent} % of the plan's limit" if percent is not None else "no limit set"
    both = [
        _judged(connections, bad=(used["percent"] or 0) > CONNECTIONS_HIGH, word="high"),
        _judged(Glance("Database size", round(size, 1), "MB", limit), bad=(percent or 0) > SIZE_HIGH, word="high"),
    ]
    if not database.problem:
        return both
    return [Glance(one.label, one.value, one.unit, f"old: {database.at:%H:%M} UTC", "warn", "old") for one in both]
