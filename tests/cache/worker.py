"""Another process of the application: takes commands from a pipe, runs each in a thread, and sends back the results."""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from tests.cache.apps import make_cache, wait_for_ever
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
        self.origin.changed(value)

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

    def watch(self, until: str, key: str = "org", every: float = 0.002) -> dict[str, object]:
        """Read until it is let go, and say how it went; a value from before a change that was over is wrong."""
        reads, wrong, errors, paid = 0, [], [], self._time_outs()
        while not self.origin.may_go(until):
            before = self.origin.last_change
            try:
                seen = self.load(key)["value"]
                if seen < before:
                    wrong.append([before, seen])
            except Exception as error:  # noqa: BLE001
                errors.append(repr(error))
            reads += 1
            time.sleep(every)
        return {"reads": reads, "wrong": wrong, "errors": errors, "paid": len(paid)}

    def _time_outs(self) -> list[Exception]:
        """What this thread meets when it asks Redis."""
        link, met, thread = self.cache.engine.store.link, [], threading.current_thread()
        fail = link._fail

        def record(error: Exception) -> None:
            if threading.current_thread() is thread:
                met.append(error)
            fail(error)

        link._fail = record
        return met

    def stats(self) -> object:
        return self.cache.stats()

    def answers(self) -> bool:
        return self.cache.engine.store.answers()


def serve(far: Connection, url: str, prefix: str, directory: Path, patient: bool) -> None:
    logging.disable()
    if patient:
        wait_for_ever()
    worker, sending = Worker(make_cache(url, prefix=prefix), Origin(directory)), threading.Lock()

    def run(number: int, name: str, options: dict) -> None:
        result = error = None
        try:
            result = getattr(worker, name)(**options)
        except Exception as raised:  # noqa: BLE001
            error = repr(raised)
        with sending:
            far.send((number, result, error))

    far.send("ready")
    with ThreadPoolExecutor(16) as pool, suppress(EOFError):
        while command := far.recv():
            pool.submit(run, *command)
    worker.cache.close()
