"""An origin that several processes share: one value in a file, and a count of the loads."""

import os
import time
from pathlib import Path


class Origin:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._value = directory / "value"
        self._loads = directory / "loads"
        if not self._loads.exists():
            self._loads.touch()
            self.write(0)

    @property
    def loads(self) -> int:
        return self._loads.stat().st_size

    def write(self, value: object) -> None:
        draft = self._value.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}")
        draft.write_text(str(value))
        draft.replace(self._value)

    def read(self) -> int:
        return int(self._value.read_text())

    def load(self, *, hold: str | None = None, seconds: float = 0.0) -> dict[str, int]:
        """Read the value; with `hold`, give it back only when `let_go` was called."""
        with self._loads.open("ab") as log:
            log.write(b".")
        value = self.read()
        time.sleep(seconds)
        if hold:
            (self.directory / f"{hold}.held").touch()
            wait_for((self.directory / f"{hold}.go").exists)
        return {"value": value}

    def wait_until_held(self, hold: str) -> None:
        wait_for((self.directory / f"{hold}.held").exists)

    def let_go(self, hold: str) -> None:
        (self.directory / f"{hold}.go").touch()


def wait_for(condition, seconds: float = 10.0, every: float = 0.005) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
