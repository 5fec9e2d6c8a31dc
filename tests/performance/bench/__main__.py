"""`make bench`: what the dashboard's requests cost in organisations of very different size, beside other ways.

Runs inside a stack of its own. Exits with 0 whatever the figures are, unless --strict: a busy machine is no mistake.
"""

import argparse
import os
import re

import psycopg
from psycopg.rows import dict_row

from tests.conftest import settings_for_tests
from tests.performance.bench import cached, cases, report, rounds
from tests.performance.bench.before import Before
from tests.performance.bench.clinics import clinic_of, team_of
from tests.performance.bench.ways import Ways
from tests.performance.seed import seed, settle
from tests.performance.server import RESULTS, serving
from voxanne import create_app

TEAMS = (10, 300)


def sizes_of(text: str) -> list[tuple[str, int]]:
    """Read "1k,10k,1M" as labels and numbers."""
    units = {"": 1, "k": 1000, "M": 1_000_000}
    sizes = [re.fullmatch(r"([1-9]\d*)([kM]?)", part) for part in text.split(",")]
    if not all(sizes):
        raise argparse.ArgumentTypeError("sizes are like 1k,10k,1M")
    return [(size[0], int(size[1]) * units[size[2]]) for size in sizes if size]


def measure(sizes: list[tuple[str, int]], times: int) -> list[rounds.Measured]:
    seed(*(size for _, size in sizes))
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row)
    with connection as sql, serving() as server:
        teams = [team_of(sql, count) for count in TEAMS]
        settle(sql)
        clinics = [clinic_of(sql, number, size, label) for number, (label, size) in enumerate(sizes, 1)]
        app = create_app(settings_for_tests())
        asking = Ways(server.url, sql)
        strategy = Before(asking)
        pairs = [
            *((case, clinic) for case in cases.call_cases(asking, strategy) for clinic in clinics),
            *((case, clinics[0]) for case in cached.service_cases(app, asking)),
            *((case, team) for case in cached.agent_cases(app, asking, strategy) for team in teams),
        ]
        measured = rounds.plan(pairs)
        rounds.run(measured, times)
    return measured


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the dashboard's requests.")
    parser.add_argument("--sizes", type=sizes_of, default=sizes_of("1k,10k,100k,1M"))
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    chosen = parser.parse_args()
    lines = report.lines_of(measure(chosen.sizes, chosen.rounds))
    targets = report.targets_of(lines)
    name = "bench-" + "-".join(label for label, _ in chosen.sizes)
    print(report.save(RESULTS, name, lines, targets, report.about(chosen.rounds)))
    print(f"saved as {RESULTS / name}.md and .json")
    return int(chosen.strict and not all(target.met for target in targets))


if __name__ == "__main__":
    raise SystemExit(main())
