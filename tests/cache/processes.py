"""The near end of a worker process."""

import itertools
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

ROOT = Path(__file__).parents[2]


class OtherProcess:
    def __init__(self, url: str, prefix: str, directory: Path) -> None:
        command = [sys.executable, "-m", "tests.cache.worker", url, prefix, str(directory)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        self._numbers = itertools.count()
        self._replies: dict[int, Future] = {}
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline()) == {"ready": True}
        threading.Thread(target=self._listen, daemon=True).start()

    def begin(self, do: str, **options) -> Future:
        number = next(self._numbers)
        self._replies[number] = reply = Future()
        self._process.stdin.write(json.dumps({"id": number, "do": do, **options}) + "\n")
        self._process.stdin.flush()
        return reply

    def __getattr__(self, do: str):
        return lambda **options: self.begin(do, **options).result(timeout=60)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for_end(self) -> None:
        self._process.wait(timeout=10)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait(timeout=20)

    def _listen(self) -> None:
        for line in self._process.stdout:
            reply = json.loads(line)
            future = self._replies.pop(reply["id"])
            if "error" in reply:
                future.set_exception(RuntimeError(reply["error"]))
            else:
                future.set_result(reply["result"])
