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
from voxanne.services import database_state, glances, performance
from voxanne.services.last_known import Sample, last_known

logger = logging.getLogger(__name__)

AWAY = "The database can't be reached right now."
BROKEN = "The database answered, but with an error; the log says which."


@dataclass(frozen=True)
class Source:
    """A report, or the last good one with the reason why there is no newer one."""

    report: dict[str, Any] | None
    at: datetime | None
    problem: str | None = None


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
        "glances": [
            *glances.of_traffic(numbers),
            *glances.of_database(database.report, old_since=database.at if database.problem else None),
        ],
        "problems": _problems(numbers, database, statements),
        "slowest_ms": max((route["p99Ms"] for route in numbers["routes"]), default=0),
    }


def _ask(name: str, load: Callable[..., dict[str, Any]]) -> Source:
    try:
        # Whoever watches an outage sees the rest of the page at once, not after a caller's patience.
        report = load(probe=True)
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
