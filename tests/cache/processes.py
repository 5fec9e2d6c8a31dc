"""The near end of a worker process."""

import itertools
import multiprocessing
import threading
from concurrent.futures import Future
from pathlib import Path

from tests.cache import worker

# Forked from one that has the program in its memory: to read it anew costs each of them seconds.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([worker.__name__])


class OtherProcess:
    def __init__(self, url: str, prefix: str, directory: Path, *, patient: bool = False) -> None:
        self._near, far = _processes.Pipe()
        told = (far, url, prefix, directory, patient)
        self._process = _processes.Process(target=worker.serve, args=told, daemon=True)
        self._process.start()
        far.close()
        self._numbers = itertools.count()
        self._replies: dict[int, Future] = {}
        assert self._near.recv() == "ready"
        threading.Thread(target=self._listen, daemon=True).start()

    def begin(self, do: str, **options) -> Future:
        number = next(self._numbers)
        self._replies[number] = reply = Future()
        self._near.send((number, do, options))
        return reply

    def __getattr__(self, do: str):
        return lambda **options: self.begin(do, **options).result(timeout=60)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self.wait_for_end()

    def wait_for_end(self) -> None:
        self._process.join(timeout=60)
        assert not self._process.is_alive()

    def close(self) -> None:
        if self._process.is_alive():
            self._near.send(None)
        self.wait_for_end()

    def _listen(self) -> None:
        while True:
            try:
                number, result, error = self._near.recv()
            except (EOFError, OSError):
                return
            future = self._replies.pop(number)
            if error:
                future.set_exception(RuntimeError(error))
            else:
                future.set_result(result)
