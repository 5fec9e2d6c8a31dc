"""The log as it is written under gunicorn."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from voxanne.config import Settings
from voxanne.observability import logs


@pytest.fixture
def output(settings: Settings) -> Iterator[io.StringIO]:
    """What the program writes when its logs are set up as under gunicorn, with everything switched on."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    logs.configure(settings.model_copy(update={"log_level": "DEBUG"}))
    root.handlers[0].setStream(stream := io.StringIO())  # type: ignore[attr-defined]
    yield stream
    root.handlers, _ = before, root.setLevel(level)
    logging.getLogger("voxanne").setLevel(logging.NOTSET)


def lines(output: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in output.getvalue().splitlines()]
