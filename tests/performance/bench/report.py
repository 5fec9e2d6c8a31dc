"""The table and the targets, for people (Markdown) and for programs (JSON)."""

import json
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.performance.bench.cases import APP, BEFORE, PLAIN, SAME, SQL
from tests.performance.bench.rounds import Measured

FLAT, OVERHEAD, AGENTS = 1.25, 1.3, 1.5
FASTER = {10_000: 10, 100_000: 100}


@dataclass(frozen=True)
class Line:
    """One case in one organisation; times are milliseconds."""

    case: str
    label: str
    size: int
    history: bool
    p50: float
    p95: float
    own: float | None
    requests: int | None
    size_bytes: int
    samples: int
    same: float | None
    plain: float | None
    sql: float | None
    before: float | None


@dataclass(frozen=True)
class Target:
    """What was aimed at, and what came out."""

    name: str
    found: str
    met: bool


def lines_of(measured: list[Measured]) -> list[Line]:
    found: dict[tuple[str, str], dict[str, Measured]] = {}
    for one in measured:
        found.setdefault((one.case.name, one.clinic.label), {})[one.name] = one
    return [_line(ways) for ways in found.values()]


def _line(ways: dict[str, Measured]) -> Line:
    app = ways[APP]
    if app.refused:
        raise SystemExit(f"the program refused: {app.refused}")
    own = [sample.own_ms for sample in app.samples if sample.own_ms is not None]

    def median(name: str) -> float | None:
        one = ways.get(name)
        return one.p50 if one and one.samples else None

    return Line(
        app.case.name, app.clinic.label, app.clinic.size, app.case.history, app.p50, app.p95,
        statistics.median(own) if own else None, app.samples[-1].requests, app.samples[-1].size, len(app.samples),
        median(SAME), median(PLAIN), median(SQL), median(BEFORE),
    )  # fmt: skip


def targets_of(lines: list[Line]) -> list[Target]:
    calls = [line for line in lines if not line.case.startswith("agents")]
    smallest, largest = min(line.size for line in calls), max(line.size for line in calls)
    base = {line.case: line.p50 for line in calls if line.size == smallest}
    targets = []
    if largest > smallest:
        growth = {line.case: line.p50 / base[line.case] for line in calls if line.size == largest}
        targets += [
            _worst(f"{largest:,} calls within {FLAT}x of {smallest:,}: {case}", ratio, FLAT)
            for case, ratio in growth.items()
        ]
    overheads: list[tuple[str, Callable[[Line], float | None]]] = [
        ("the same request to Supabase", lambda line: line.same),
        ("the plain select of the rows", lambda line: line.plain),
    ]
    for name, other in overheads:
        ratios = [line.p50 / bare for line in lines if line.requests and (bare := other(line))]
        targets.append(
            _worst(f"the program within {OVERHEAD}x of {name}, median of the rows", statistics.median(ratios), OVERHEAD)
        )
    for size, times in FASTER.items():
        for line in calls:
            if line.size == size and line.history and line.before:
                gain = line.before / line.p50
                targets.append(Target(f"{times}x over before at {size:,}: {line.case}", f"{gain:,.0f}x", gain >= times))
    for kind in ("cold", "warm"):
        teams = {line.size: line.p50 for line in lines if line.case == f"agents, {kind}"}
        ratio = teams[max(teams)] / teams[min(teams)]
        targets.append(_worst(f"{max(teams)} agents within {AGENTS}x of {min(teams)}, {kind}", ratio, AGENTS))
    return targets


def _worst(name: str, ratio: float, bound: float) -> Target:
    return Target(name, f"{ratio:.2f}x", ratio <= bound)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _ratio(over: float | None, under: float | None) -> str:
    return f"{_number(over / under)}x" if over and under else ""


def markdown(lines: list[Line], targets: list[Target], about: dict[str, str]) -> str:
    columns = (
        "case", "calls", "p50", "p95", "own", "requests", "bytes", "same request", "bare rows", "direct SQL", "before",
        "app / same", "before / app", "vs smallest",
    )  # fmt: skip
    table = [f"| {' | '.join(columns)} |", "|---|---|" + "--:|" * (len(columns) - 2)]
    smallest: dict[str, float] = {}
    for line in lines:
        base = smallest.setdefault(line.case, line.p50)
        requests = "" if line.requests is None else str(line.requests)
        times = (line.same, line.plain, line.sql, line.before)
        cells = [
            line.case, line.label, _number(line.p50), _number(line.p95), _number(line.own), requests,
            f"{line.size_bytes:,}", *map(_number, times), _ratio(line.p50, line.same), _ratio(line.before, line.p50),
            f"{line.p50 / base:.2f}x",
        ]  # fmt: skip
        table.append(f"| {' | '.join(cells)} |")
    kept = [f"- {'met   ' if target.met else 'MISSED'} {target.name}: {target.found}" for target in targets]
    facts = [f"- {name}: {value}" for name, value in about.items()]
    notes = (
        "Times are milliseconds at one client, seen by the client; `own` is the program's time without Supabase's. "
        "`same request` is what the program asks of Supabase, total and all, sent by the client itself; `bare rows` "
        "the plain select of the rows, without a total. An empty cell: no such way, or it ran into the time limit."
    )
    return "\n".join(["# make bench", "", *facts, "", notes, "", *table, "", "## Targets", "", *kept, ""])


def about(rounds: int) -> dict[str, str]:
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load before, after": f"{os.getloadavg()[2]:.1f}, {os.getloadavg()[0]:.1f}",
        "rounds": str(rounds),
    }


def save(directory: Path, name: str, lines: list[Line], targets: list[Target], facts: dict[str, str]) -> str:
    directory.mkdir(parents=True, exist_ok=True)
    text = markdown(lines, targets, facts)
    (directory / f"{name}.md").write_text(text)
    found = {"about": facts, "lines": [asdict(line) for line in lines], "targets": [asdict(one) for one in targets]}
    (directory / f"{name}.json").write_text(json.dumps(found, indent=1))
    return text
