"""Reads, writes, drops, late readers and overlapping writers in any order, against the plainest model there is.

Writers tell what they have written. What was read is fetched in the background meanwhile.
"""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule, run_state_machine_as_test

from tests.cache.apps import make_cache
from voxanne.cache import AGENTS, SERVICES, Cache, Change, engine

REGIONS = st.sampled_from([SERVICES, AGENTS])
KEYS = st.sampled_from(["a", "b"])
FAR = 4e9
RUNS = itertools.count()


class Machine(RuleBasedStateMachine):
    """One process or two, taking turns, and an origin that is a dictionary."""

    caches: tuple[Cache, ...] = ()
    readers = Bundle("readers")
    writers = Bundle("writers")

    def __init__(self) -> None:
        super().__init__()
        self.origin: dict[tuple[str, str], int] = {}
        self.numbers = itertools.count(1)
        self.run = next(RUNS)
        self.turns = itertools.cycle(self.caches)
        self.open_blocks: list[AbstractContextManager[Change]] = []

    def teardown(self) -> None:
        for block in self.open_blocks:
            block.__exit__(None, None, None)

    def key(self, key: str) -> str:
        return f"{self.run}:{key}"

    @rule(region=REGIONS, key=KEYS)
    def read(self, region, key) -> None:
        now = self.origin.get((region.name, key))
        assert next(self.turns).load(region, self.key(key), lambda: self.origin.get((region.name, key))) == now

    @rule(region=REGIONS, key=KEYS)
    def write(self, region, key) -> None:
        with next(self.turns).changing((region, self.key(key))):
            self.origin[region.name, key] = next(self.numbers)

    @rule(region=REGIONS, key=KEYS)
    def write_and_tell(self, region, key) -> None:
        with next(self.turns).changing((region, self.key(key))) as change:
            self.origin[region.name, key] = next(self.numbers)
            change.tell(region, self.key(key), self.origin[region.name, key])

    @rule(region=REGIONS, key=KEYS)
    def write_then_drop(self, region, key) -> None:
        self.origin[region.name, key] = next(self.numbers)
        next(self.turns).drop(region, self.key(key))

    @rule(target=readers, region=REGIONS, key=KEYS)
    def begin_to_read(self, region, key):
        store = next(self.turns).engine.store
        claim = store.claim(region, self.key(key))
        return store, region, key, claim, self.origin.get((region.name, key))

    @rule(reader=consumes(readers))
    def store_late(self, reader) -> None:
        store, region, key, claim, value = reader
        store.put(region, self.key(key), claim, [claim.ticket, FAR, FAR, value], 60)

    @rule(target=writers, region=REGIONS, key=KEYS)
    def begin_to_write(self, region, key):
        block = next(self.turns).changing((region, self.key(key)))
        change = block.__enter__()
        self.open_blocks.append(block)
        return block, change, region, key

    @rule(writer=writers)
    def write_inside(self, writer) -> None:
        _, change, region, key = writer
        self.origin[region.name, key] = next(self.numbers)
        change.tell(region, self.key(key), self.origin[region.name, key])

    @rule(writer=consumes(writers))
    def end_the_write(self, writer) -> None:
        block, *_ = writer
        self.open_blocks.remove(block)
        block.__exit__(None, None, None)


@pytest.fixture(params=["memory", "redis"])
def caches(request: pytest.FixtureRequest, prefix: str) -> Iterator[tuple[Cache, ...]]:
    if request.param == "memory":
        made = (make_cache(),)
    else:
        url = request.getfixturevalue("shared_redis")
        made = (make_cache(url, prefix=prefix), make_cache(url, prefix=prefix))
    yield made
    for cache in made:
        cache.close()


def test_any_order_of_events_shows_the_origin_as_it_is(
    caches: tuple[Cache, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Machine, "caches", caches)
    monkeypatch.setattr(engine, "LOCK_WAIT", 0.0)  # readers that never come back hold the turn; nobody waits for them
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None, database=None)
    )
