"""An origin that several processes share: one value in a file, and a count of the loads."""

import os
import time
from pathlib import Path


class Origin:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._value = directory / "value"
        self._loads = directory / "loads"
        self._changed = directory / "changed"
        if not self._loads.exists():
            self._loads.touch()
            self.write(0)

    @property
    def loads(self) -> int:
        return self._loads.stat().st_size

    def write(self, value: object) -> None:
        _replace(self._value, value)

    def changed(self, value: int) -> None:
        """Note that a change is over."""
        _replace(self._changed, value)

    @property
    def last_change(self) -> int:
        """The value that the last change which is over has left."""
        return int(self._changed.read_text()) if self._changed.exists() else 0

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
            wait_for(lambda: self.may_go(hold))
        return {"value": value}

    def wait_until_held(self, hold: str) -> None:
        wait_for((self.directory / f"{hold}.held").exists)

    def may_go(self, hold: str) -> bool:
        return (self.directory / f"{hold}.go").exists()

    def let_go(self, hold: str) -> None:
        (self.directory / f"{hold}.go").touch()


def wait_for(condition, seconds: float = 60.0, every: float = 0.005) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)


def _replace(file: Path, value: object) -> None:
    draft = file.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}")
    draft.write_text(str(value))
    draft.replace(file)
