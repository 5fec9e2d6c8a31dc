"""A reader who has loaded before a change and stores after it must not win, whatever route makes the change.

For every cached read that a changing route alters, that order is forced: the load is held after the database has
answered, the change is made and done, and only then may the reader store.
"""

import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import Factory
from tests.invalidation.cases import CACHED, CASES
from tests.invalidation.instances import Here, here

LATE = "late-reader"
QUERIES = {
    "/probe/price-list": "voxanne.queries.services.list_pricing",
    "/probe/role": "voxanne.queries.members.get_role",
    "/probe/organization-for": "voxanne.queries.phone_mappings.find_by_vapi_id",
    "/probe/org-settings": "voxanne.queries.org_settings.get_settings",
    "/probe/secret": "voxanne.queries.org_settings.list_ciphertexts",
    "/probe/inbound-config": "voxanne.queries.org_settings.get_inbound_config",
    "/api/founder-console/settings": "voxanne.queries.org_settings.get_settings",
    "/api/contacts/stats": "voxanne.queries.contacts.get_stats",
    "/api/agents": "voxanne.queries.members.list_agents",
}
"""What loads the value behind an address that begins so."""

pytestmark = pytest.mark.usefixtures("upkeep_on", "patient")


class Gate:
    """Holds the late reader's load between the database's answer and the store."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
        self.loaded, self.go = threading.Event(), threading.Event()
        (target,) = [target for start, target in QUERIES.items() if path.startswith(start)]
        module, name = target.rsplit(".", 1)
        query = getattr(__import__(module, fromlist=[name]), name)

        def held(*args, **kwargs):
            value = query(*args, **kwargs)
            if threading.current_thread().name.startswith(LATE):
                self.loaded.set()
                assert self.go.wait(60)
            return value

        monkeypatch.setattr(target, held)


@pytest.fixture(scope="module", params=["memory", "redis"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Here, Here]]:
    """A reader and a writer: one instance in process, two that share Redis."""
    url, prefix = os.environ["REDIS_URL"], f"test-{uuid.uuid4().hex[:8]}"
    if request.param == "memory":
        with here(None, prefix) as only:
            yield only, only
    else:
        with here(url, prefix) as reader, here(url, prefix) as writer:
            yield reader, writer


@pytest.fixture(scope="module")
def cold() -> Iterator[Here]:
    with here(None, "unused") as instance:
        yield instance


def cached_reads(factory: Factory, endpoint: str) -> int:
    number = sum(read.cached for read in CASES[endpoint](factory).reads)
    assert number
    return number


@pytest.mark.parametrize("endpoint", CACHED)
def test_a_late_reader_does_not_win(
    factory: Factory, pair: tuple[Here, Here], cold: Here, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    reader, writer = pair
    for number in range(cached_reads(factory, endpoint)):
        change = CASES[endpoint](factory)
        read = [one for one in change.reads if one.cached][number]
        with monkeypatch.context() as patch, ThreadPoolExecutor(1, thread_name_prefix=LATE) as pool:
            gate = Gate(patch, read.path)
            late = pool.submit(reader.send, read.caller, "GET", read.path)
            assert gate.loaded.wait(60), read.path
            done = writer.send(change.caller, change.method, change.path, change.body)
            gate.go.set()
            old = late.result()

        new, true = (one.send(read.caller, "GET", read.path) for one in (reader, cold))

        assert done.status in {200, 201, 204}, done
        assert new.body == true.body, read.path
        assert new.body != old.body, f"{read.path}: the reader was not late"
