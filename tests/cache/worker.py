"""Another process of the application: takes commands as lines of JSON, runs each in a thread, answers with lines."""

import json
import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cache.apps import make_cache
from tests.cache.origin import Origin
from voxanne.cache import SERVICES, Cache


class Worker:
    def __init__(self, cache: Cache, origin: Origin) -> None:
        self.cache = cache
        self.origin = origin

    def load(self, key: str = "org", **options) -> object:
        return self.cache.load(SERVICES, key, lambda: self.origin.load(**options))

    def change(self, value: int, key: str = "org") -> None:
        with self.cache.changing((SERVICES, key)):
            self.origin.write(value)

    def change_and_die(self, value: int, key: str = "org") -> None:
        with self.cache.changing((SERVICES, key)):
            self.origin.write(value)
            os._exit(1)

    def burst(self, threads: int, seconds: float, key: str = "org") -> list[object]:
        ready = threading.Barrier(threads)

        def read() -> object:
            ready.wait()
            return self.load(key, seconds=seconds)

        with ThreadPoolExecutor(threads) as pool:
            return [job.result() for job in [pool.submit(read) for _ in range(threads)]]

    def watch(self, seconds: float, key: str = "org", every: float = 0.002) -> dict[str, object]:
        """Read all the time and say how it went; a value older than the one that was there before the read is wrong."""
        until = time.monotonic() + seconds
        reads, wrong, errors, latencies = 0, [], [], []
        while time.monotonic() < until:
            before, begun = self.origin.read(), time.perf_counter()
            try:
                seen = self.load(key)["value"]
                if seen < before:
                    wrong.append([round(seconds - (until - time.monotonic()), 3), before, seen])
            except Exception as error:  # noqa: BLE001
                errors.append(repr(error))
            latencies.append(time.perf_counter() - begun)
            reads += 1
            time.sleep(every)
        slow = sum(1 for latency in latencies if latency > 0.15)
        return {"reads": reads, "wrong": wrong, "errors": errors, "slowest": max(latencies), "slow": slow}

    def stats(self) -> object:
        return self.cache.stats()

    def answers(self) -> bool:
        return self.cache.engine.store.answers()


def main(url: str, prefix: str, directory: str) -> None:
    logging.disable()
    worker = Worker(make_cache(url, prefix=prefix), Origin(Path(directory)))
    print(json.dumps({"ready": True}), flush=True)

    def run(command: dict) -> None:
        name, number = command.pop("do"), command.pop("id")
        try:
            reply = {"id": number, "result": getattr(worker, name)(**command)}
        except Exception as error:  # noqa: BLE001
            reply = {"id": number, "error": repr(error)}
        print(json.dumps(reply), flush=True)

    with ThreadPoolExecutor(16) as pool:
        for line in sys.stdin:
            pool.submit(run, json.loads(line))
    worker.cache.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
