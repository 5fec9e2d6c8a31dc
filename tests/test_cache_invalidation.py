"""Whatever route makes a change, the very next read shows it: from a warm cache, on either store, in either process."""

import contextlib
import os
import uuid
from collections.abc import Iterator

import pytest

from tests.conftest import settings_for_tests
from tests.factories import Factory
from tests.invalidation.cases import CACHED, CASES, CHANGES_NOTHING
from tests.invalidation.change import Change, Read
from tests.invalidation.instances import Here, Instance, Reply, here, there
from tests.invalidation.lost_replies import lost_replies
from voxanne import create_app
from voxanne.cache import Cache, facade

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}

pytestmark = pytest.mark.usefixtures("upkeep_on", "patient")


def changing_endpoints() -> set[str]:
    rules = create_app(settings_for_tests()).url_map.iter_rules()
    return {rule.endpoint for rule in rules if CHANGING & (rule.methods or set())}


@pytest.fixture(scope="module")
def memory() -> Iterator[list[Instance]]:
    with here(None, "unused") as instance:
        yield [instance]


@pytest.fixture(scope="module")
def redis() -> Iterator[list[Instance]]:
    url, prefix = os.environ["REDIS_URL"], f"test-{uuid.uuid4().hex[:8]}"
    with here(url, prefix) as first, there(url, prefix, first.app) as second:
        yield [first, second]


@pytest.fixture(scope="module")
def cold() -> Iterator[Here]:
    """An instance that has cached nothing of a case's organisation before the change: its answers are the truth."""
    with here(None, "unused") as instance:
        yield instance


def ask(instance: Instance, read: Read) -> Reply:
    return instance.send(read.caller, "GET", read.path)


def warm_up(instances: list[Instance], change: Change) -> list[Reply]:
    """Ask every instance for everything until it is warm; return the answers, which cost nothing and agree."""
    for instance in instances:
        for read in change.reads:
            ask(instance, read)
    answers = [[ask(instance, read) for read in change.reads] for instance in instances]
    for replies in answers:
        for read, reply, first in zip(change.reads, replies, answers[0], strict=True):
            assert (reply.status, reply.body) == (200, first.body), read.path
            assert not (read.cached and reply.requests), f"{read.path} is not cached"
    return answers[0]


def check(writer: Instance, readers: list[Instance], truth: Here, change: Change) -> None:
    before = warm_up(readers, change)

    done = writer.send(change.caller, change.method, change.path, change.body)
    assert done.status in {200, 201, 204}, done

    check_reads(readers, truth, change, before)


def check_reads(readers: list[Instance], truth: Here, change: Change, before: list[Reply]) -> None:
    for reader in readers:
        for read, old in zip(change.reads, before, strict=True):
            new, true = ask(reader, read), ask(truth, read)
            assert (new.status, new.body) == (true.status, true.body), read.path
            assert (new.status, new.body) != (old.status, old.body), f"{read.path} does not show the change at all"


def test_every_changing_route_has_its_case_and_none_that_is_gone() -> None:
    assert changing_endpoints() == {case.partition(",")[0] for case in CASES} | set(CHANGES_NOTHING)


@pytest.mark.parametrize("endpoint", CASES)
def test_in_process(factory: Factory, memory: list[Instance], cold: Here, endpoint: str) -> None:
    check(memory[0], memory, cold, CASES[endpoint](factory))


@pytest.mark.parametrize("endpoint", CASES)
def test_on_redis_by_this_process(factory: Factory, redis: list[Instance], cold: Here, endpoint: str) -> None:
    check(redis[0], redis[::-1], cold, CASES[endpoint](factory))


@pytest.mark.parametrize("endpoint", CASES)
def test_on_redis_by_the_other_process(factory: Factory, redis: list[Instance], cold: Here, endpoint: str) -> None:
    check(redis[1], redis, cold, CASES[endpoint](factory))


@pytest.mark.parametrize("endpoint", CACHED)
@pytest.mark.parametrize("store", ["memory", "redis"])
def test_a_change_whose_reply_is_lost(
    request: pytest.FixtureRequest,
    factory: Factory,
    cold: Here,
    monkeypatch: pytest.MonkeyPatch,
    *,
    store: str,
    endpoint: str,
) -> None:
    """The write lands and its reply is never seen: what only the reply tells must not be needed."""
    monkeypatch.setattr(facade, "SETTLE", 0.0)  # else nothing of the next case is stored for a while
    readers: list[Instance] = request.getfixturevalue(store)
    change = CASES[endpoint](factory)
    before = warm_up(readers, change)

    with lost_replies() as lost:
        done = readers[0].send(change.caller, change.method, change.path, change.body)
    assert (done.status, len(lost)) == (503, 1), (done, lost)

    check_reads(readers[::-1], cold, change, before)


@pytest.mark.parametrize("endpoint", CACHED)
def test_a_change_that_forgets_the_cache_is_found_out(
    factory: Factory, memory: list[Instance], cold: Here, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    """The walk itself must fail for every one of these, once nothing is dropped any more."""
    change = CASES[endpoint](factory)
    monkeypatch.setattr(Cache, "changing", lambda *_: contextlib.nullcontext(facade.Change()))
    monkeypatch.setattr(Cache, "drop", lambda *_: None)

    with pytest.raises(AssertionError, match=r"^/"):
        check(memory[0], memory, cold, change)
