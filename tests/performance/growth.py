"""`make growth`: 10, 100 and 1,000 clinics of the same size beside each other; what one request costs must not grow.

Runs inside a stack of its own. The same number of requests goes round all clinics that there are, to a program started
anew; between them requests that touch no database, so that a machine that has become busier shows.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import httpx
import psycopg
from tqdm import tqdm

from tests.performance.bench.report import Target
from tests.performance.load.watch import Seen, watching
from tests.performance.seed import Person, org_id_of, owner_of, seed, settle
from tests.performance.server import RESULTS, Server, serving

CALLS = 200
AT_ONCE = 4
ROUNDS = 4000
FLAT = 1.5
PATHS = (
    "/api/calls-dashboard", "/api/calls-dashboard/stats", "/api/calls-dashboard/analytics/summary", "/api/agents",
    "/api/contacts/stats", "/api/services",
)  # fmt: skip
CONTROL = "/api/csrf-token"


@dataclass(frozen=True)
class Step:
    """What so many clinics came to; milliseconds and megabytes, `postgres_mb` without the shared buffers."""

    clinics: int
    p50: float
    p95: float
    control: float
    memory_mb: float
    postgres_mb: float
    connections: int


def measure(clinics: int) -> Step:
    seed(*[CALLS] * clinics)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as sql:
        settle(sql)
        owners = [owner_of(sql, org_id_of(number)) for number in range(1, clinics + 1)]
    with serving() as server, watching() as seen:
        ask(server, owners, len(owners) * len(PATHS), "warm-up")
        times, control = ask(server, owners, ROUNDS, f"{clinics} clinics")
        return step_of(clinics, times, control, server, seen)


def step_of(clinics: int, times: list[float], control: list[float], server: Server, seen: Seen) -> Step:
    def at(share: float, found: list[float]) -> float:
        return sorted(found)[int(share * len(found))]

    return Step(
        clinics,
        at(0.5, times),
        at(0.95, times),
        at(0.5, control),
        server.memory_mb(),
        seen.postgres_mb,
        seen.connections,
    )


def ask(server: Server, owners: list[Person], count: int, title: str) -> tuple[list[float], list[float]]:
    """Send that many requests round the clinics; returns their milliseconds, and those of the control."""
    client = httpx.Client(base_url=server.url, timeout=30)
    wanted = [(owners[number // len(PATHS) % len(owners)], PATHS[number % len(PATHS)]) for number in range(count)]

    def one(person: Person, path: str) -> float:
        begun = time.perf_counter()
        client.get(path, headers=person.headers).raise_for_status()
        return (time.perf_counter() - begun) * 1000

    def both(number: int) -> tuple[float, float | None]:
        return one(*wanted[number]), one(owners[0], CONTROL) if number % 10 == 0 else None

    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(tqdm(threads.map(both, range(count)), total=count, desc=title, unit="request"))
    return [ms for ms, _ in found], [ms for _, ms in found if ms is not None]


def targets_of(steps: list[Step]) -> list[Target]:
    least, most = steps[0], steps[-1]
    between = f"{most.clinics:,} clinics within {FLAT}x of {least.clinics}"
    named: list[tuple[str, Callable[[Step], float]]] = [
        ("p95, as a multiple of the control", lambda step: step.p95 / step.control),
        ("memory of the program", lambda step: step.memory_mb),
        ("memory of the database's connections", lambda step: step.postgres_mb),
        ("connections", lambda step: step.connections),
    ]
    ratios = ((name, value(most) / value(least)) for name, value in named)
    return [Target(f"{name}: {between}", f"{ratio:.2f}x", met=ratio <= FLAT) for name, ratio in ratios]


def markdown(steps: list[Step], targets: list[Target]) -> str:
    head = ["clinics", "p50 ms", "p95 ms", "control p50 ms", "program MB", "connections' MB", "connections"]
    rows = [
        f"| {one.clinics:,} | {one.p50:.1f} | {one.p95:.1f} | {one.control:.1f} | {one.memory_mb:.0f} "
        f"| {one.postgres_mb:.0f} | {one.connections} |"
        for one in steps
    ]
    kept = [f"- {'met   ' if one.met else 'MISSED'} {one.name}: {one.found}" for one in targets]
    about = f"{CALLS} calls in each clinic, {AT_ONCE} requests at once, {ROUNDS:,} in all, round all clinics."
    table = [f"| {' | '.join(head)} |", "|" + "--:|" * len(head), *rows]
    return "\n".join(["# make growth", "", about, "", *table, "", "## Targets", "", *kept, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what more organisations cost.")
    parser.add_argument("--clinics", default="10,100,1000")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    chosen = parser.parse_args()
    steps = [measure(int(count)) for count in chosen.clinics.split(",")]
    targets = targets_of(steps)
    text = markdown(steps, targets)
    (RESULTS / "growth.md").write_text(text)
    found = {"steps": [asdict(step) for step in steps], "targets": [asdict(target) for target in targets]}
    (RESULTS / "growth.json").write_text(json.dumps(found, indent=1))
    print(text)
    return int(chosen.strict and not all(target.met for target in targets))


if __name__ == "__main__":
    raise SystemExit(main())
