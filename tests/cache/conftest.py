"""Both stores, an origin that processes share, and a Redis to break."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import time_machine

from tests.cache.apps import make_cache
from tests.cache.origin import Origin
from tests.cache.processes import OtherProcess
from tests.cache.redis_server import RedisServer
from voxanne.cache import Cache
from voxanne.cache.shared import RedisStore

BROKEN = {"redis_server", "durable_redis"}


@pytest.fixture(autouse=True)
def _as_outside_of_tests(upkeep_on: None) -> None:
    pass


@pytest.fixture(autouse=True)
def _patient(request: pytest.FixtureRequest) -> None:
    """Everywhere but where Redis is broken on purpose."""
    if not BROKEN & set(request.fixturenames):
        request.getfixturevalue("patient")


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that nobody breaks: the one of REDIS_URL, or our own."""
    if os.environ.get("REDIS_URL"):
        yield os.environ["REDIS_URL"]
        return
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis to break."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def durable_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis to break, that has its values back after a restart."""
    server = RedisServer(tmp_path, durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest, prefix: str) -> Iterator[Cache]:
    url = request.getfixturevalue("shared_redis") if request.param == "redis" else None
    cache = make_cache(url, prefix=prefix)
    take_lease(cache)
    yield cache
    cache.close()


def take_lease(cache: Cache) -> None:
    """Let it have its own before the first reader, who would give it a short one."""
    if isinstance(cache.engine.store, RedisStore):
        assert cache.engine.store.link.beat_now()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Makes values old without waiting; Redis goes by its own clock, by which they live long enough."""
    with time_machine.travel(time.time()) as clock:
        yield clock


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


@pytest.fixture
def start(origin: Origin, prefix: str) -> Iterator[Callable[..., OtherProcess]]:
    """Start another process of the application on a Redis; a patient one takes no delay for a trouble."""
    with ExitStack() as running:

        def begin(url: str, *, patient: bool = False) -> OtherProcess:
            process = OtherProcess(url, prefix, origin.directory, patient=patient)
            running.callback(process.close)
            return process

        yield begin
