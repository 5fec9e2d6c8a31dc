"""`make load`: people at work in 12 clinics of 1,200 calls, in three scenes. Exits with 1 on a missed target.

Runs inside a stack of its own; with REDIS_URL in the environment the cache is on Redis, and two processes serve.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from tqdm import tqdm

from tests.performance.load.report import Scene, Target, save
from tests.performance.load.watch import Seen, watching
from tests.performance.seed import org_id_of, owner_of, seed, settle
from tests.performance.server import RESULTS, ROOT, Server, serving

CLINICS, CALLS = 12, 1200
P95_MS, CONNECTIONS = 500, 0.8
GRACE_SECONDS = 30


@dataclass(frozen=True)
class Play:
    """One scene: which people of the locustfile, how many, how many arrive in a second, and how long it goes on."""

    name: str
    people: str
    count: int
    arrivals: int
    seconds: int


PLAYS = (
    Play("50 people page through calls", "Paging", 50, 25, 60),
    Play("an ordinary day", "Dashboard", 30, 10, 45),
    Play("a morning peak", "Morning", 60, 10, 30),
)


def people(sql: psycopg.Connection) -> list[dict[str, Any]]:
    """One owner for each clinic, with names to search for."""
    query = """
      select array_agg(name) from (select distinct split_part(caller_name, ' ', 1) as name from public.calls_feed
        where org_id = %s and length(caller_name) > 4 limit 20) as names"""
    found = []
    for number in range(1, CLINICS + 1):
        owner = owner_of(sql, org_id_of(number))
        names = sql.execute(query, [owner.org_id]).fetchone()
        assert names
        found.append({"token": owner.token, "names": [name for name in names[0] if len(name) > 2]})
    return found


def perform(play: Play, server: Server, members: Path) -> tuple[dict[str, Any], Seen]:
    """Let locust play the scene; returns what it measured, and what the database saw."""
    with tempfile.TemporaryDirectory() as directory, (RESULTS / "locust.log").open("wb") as log, watching() as seen:
        result = Path(directory) / "result.json"
        environment = {**os.environ, "LOAD_PEOPLE": str(members), "LOAD_RESULT": str(result)}
        command = [
            sys.executable, "-m", "locust", "-f", "tests/performance/load/locustfile.py", play.people, "--headless",
            "--host", server.url, "-u", str(play.count), "-r", str(play.arrivals), "-t", f"{play.seconds}s",
            "--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0",
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log)
        _show(play, process)
        if process.wait() != 0:
            raise SystemExit(f"locust failed with {process.returncode}")
        return json.loads(result.read_text()), seen


def _show(play: Play, process: subprocess.Popen[bytes]) -> None:
    limit = play.seconds + GRACE_SECONDS
    with tqdm(total=play.seconds, desc=play.name, unit="s", bar_format="{desc}: {bar} {n_fmt}/{total_fmt} s") as bar:
        for second in range(limit):
            if process.poll() is not None:
                return
            time.sleep(1)
            bar.update(int(second < play.seconds))
    process.terminate()


def cache_hit_rate(server: Server, token: str) -> float:
    url = f"{server.url}/api/monitoring/cache-stats"
    reply = httpx.get(url, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    return float(reply.json()["cache"]["hitRate"])


def judge(scene: Scene) -> list[Target]:
    total, seen = scene.total, scene.seen
    return [
        Target(f"{scene.name}: p95 under {P95_MS} ms", f"{total['p95']:.0f} ms", met=total["p95"] < P95_MS),
        Target(f"{scene.name}: no errors", f"{total['errors']} of {total['requests']}", met=total["errors"] == 0),
        Target(
            f"{scene.name}: connections under {CONNECTIONS:.0%} of {seen.limit}",
            str(seen.connections),
            met=seen.share < CONNECTIONS,
        ),
    ]


def main() -> int:
    seed(*[CALLS] * CLINICS)
    on_redis = "REDIS_URL" in os.environ
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as sql:
        settle(sql)
        members = people(sql)
    with tempfile.TemporaryDirectory() as directory, serving(web_concurrency=2 if on_redis else 1) as server:
        listed = Path(directory) / "people.json"
        listed.write_text(json.dumps(members))
        scenes = []
        for play in PLAYS:
            measured, seen = perform(play, server, listed)
            rate = cache_hit_rate(server, members[0]["token"])
            scenes.append(
                Scene(
                    play.name,
                    measured["total"],
                    measured["entries"],
                    measured["errors"],
                    seen,
                    rate,
                    server.memory_mb(),
                )
            )
    targets = [target for scene in scenes for target in judge(scene)]
    cache = "Redis, two processes" if on_redis else "in process, one process"
    print(save(RESULTS, scenes, targets, cache))
    print(f"saved as {RESULTS / 'load.md'} and .json")
    return int(not all(target.met for target in targets))


if __name__ == "__main__":
    raise SystemExit(main())
