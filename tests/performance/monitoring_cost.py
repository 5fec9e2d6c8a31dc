"""What the monitoring adds to a request: the same requests with it and without, in turns, in two processes of one run.

    python -m tests.performance.monitoring_cost [--rounds 200] [--requests 20]

Supabase is a transport that answers at once, so that only this program's own time is left; it is processor time, which
a busy machine does not lengthen. With monitoring the metrics go to a directory as under gunicorn, and the log line is
written to /dev/null; without it there is neither clock nor line nor header. Fails if a kind of request costs more than
0.2 ms more.
"""

import argparse
import importlib
import logging
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from blinker import ANY

LIMIT_MS = 0.2
MODULES = (
    "tests.factories", "tests.conftest", "voxanne", "voxanne.observability.logs", "voxanne.observability.requests",
)  # fmt: skip
SIGNALS = ("voxanne.signals", "voxanne.cache.signals")
KINDS = {
    "no database, no cache": "/api/team/roles",
    "answered by the cache": "/api/agents",
    "one database request": "/api/services",
    "unknown address": "/nowhere",
}
USER, ORG = "22222222-2222-4222-8222-222222222222", "11111111-1111-4111-8111-111111111111"


def serve(pipe: Connection, *, on: bool, folder: str) -> None:
    """Answer the requests that the pipe asks for, and tell the processor time of each batch in seconds."""
    if on:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    client, headers = _client(on=on)
    for path in KINDS.values():
        for _ in range(100):
            client.get(path, headers=headers)
    pipe.send(None)
    while (asked := pipe.recv()) is not None:
        path, times = asked
        begun = time.process_time()
        for _ in range(times):
            client.get(path, headers=headers)
        pipe.send(time.process_time() - begun)


def _client(*, on: bool) -> tuple[Any, dict[str, str]]:
    # Only now: prometheus_client looks at the environment when it is imported.
    factories, conftest, voxanne, logs, requests = (importlib.import_module(name) for name in MODULES)

    def answer(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        reply = {"Content-Type": "application/json", "Content-Range": "*/0"}
        return httpx.Response(200, headers=reply, content=b"[]", request=request)

    httpx.HTTPTransport.handle_request = answer
    if not on:
        requests.init_app = lambda app: None
    settings = conftest.settings_for_tests(log_level="INFO")
    app = voxanne.create_app(settings)
    logs.configure(settings)
    logging.getLogger().handlers[0].setStream(Path(os.devnull).open("w"))  # noqa: SIM115 -- for good
    if not on:
        _deafen()
    token = factories.mint_token(settings, user_id=USER, org_id=ORG)
    reply = app.test_client().get("/api/agents", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 200, reply.text
    assert ("Server-Timing" in reply.headers) is on
    return app.test_client(), {"Authorization": f"Bearer {token}"}


def _deafen() -> None:
    """Take every receiver off our signals."""
    for module in map(importlib.import_module, SIGNALS):
        for signal in module._signals.values():
            for receiver in list(signal.receivers_for(ANY)):
                signal.disconnect(receiver)


def measure(rounds: int, times: int, folder: str) -> dict[str, dict[bool, list[float]]]:
    """Return the processor time of a request in milliseconds, by kind, with (True) and without, a figure a round."""
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for on in (True, False):
        pipes[on], theirs = context.Pipe()
        context.Process(target=serve, args=[theirs], kwargs={"on": on, "folder": folder}, daemon=True).start()
    for pipe in pipes.values():
        pipe.recv()
    found: dict[str, dict[bool, list[float]]] = {kind: {True: [], False: []} for kind in KINDS}
    for number in range(rounds):
        for kind, path in KINDS.items():
            for on in (True, False) if number % 2 else (False, True):
                pipes[on].send((path, times))
                found[kind][on].append(pipes[on].recv() / times * 1000)
    for pipe in pipes.values():
        pipe.send(None)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--requests", type=int, default=20)
    chosen = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="monitoring-cost-")
    try:
        found = measure(chosen.rounds, chosen.requests, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{chosen.rounds} rounds of {chosen.requests} requests each, processor time of a request in ms")
    print(f"{'lower quartile of rounds':28}{'off':>9}{'on':>9}{'added':>9}   (added, median of all rounds)")
    worst = 0.0
    for kind, times in found.items():
        # Neighbours on the machine can only add, to both: what the calmer rounds show is the program's own.
        off, on = (statistics.quantiles(times[which], n=4)[0] for which in (False, True))
        middle = statistics.median(a - b for a, b in zip(times[True], times[False], strict=True))
        print(f"{kind:28}{off:9.3f}{on:9.3f}{on - off:9.3f}   ({middle:.3f})")
        worst = max(worst, on - off)
    print(f"most added: {worst:.3f} ms; allowed: {LIMIT_MS} ms")
    return int(worst > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
