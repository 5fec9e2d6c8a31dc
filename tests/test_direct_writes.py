"""What a browser writes to PostgREST past the program: allowed to its role, and seen when the cached value ends."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine

from tests.factories import Caller, Factory, mint_token
from tests.invalidation.instances import here
from voxanne.cache import ORG_SETTINGS, REGIONS, ROLE, SERVICES, Region

README = (Path(__file__).parent.parent / "README.md").read_text()
SECONDS = {"min": 60, "h": 3600}


def write(factory: Factory, caller: Caller, method: str, path: str, body: Any) -> None:
    settings = factory.settings
    key = settings.supabase_publishable_key.get_secret_value()
    headers = {"apikey": key, "Authorization": f"Bearer {caller.token}", "Prefer": "return=representation"}
    reply = httpx.request(method, f"{settings.supabase_base}/rest/v1/{path}", json=body, headers=headers)
    assert reply.is_success, reply.text
    assert len(reply.json()) == 1


def rename(factory: Factory, owner: Caller) -> None:
    """As the dashboard does."""
    write(factory, owner, "PATCH", f"organizations?id=eq.{owner.org_id}", {"name": "Renamed", "timezone": "Asia/Tokyo"})


def add_service(factory: Factory, owner: Caller) -> None:
    write(factory, owner, "POST", "services", {"org_id": owner.org_id, "name": "Botox", "price": 400})


def demote(factory: Factory, owner: Caller) -> None:
    factory.member(owner.org_id, "admin")
    write(factory, owner, "PATCH", f"user_org_roles?user_id=eq.{owner.user_id}", {"role": "viewer"})


@pytest.mark.parametrize(
    ("path", "region", "change"),
    [
        ("/probe/org-settings", ORG_SETTINGS, rename),
        ("/probe/price-list", SERVICES, add_service),
        ("/probe/role", ROLE, demote),
    ],
)
def test_a_direct_change_shows_within_the_values_life(
    factory: Factory, path: str, region: Region, change: Callable[[Factory, Caller], None]
) -> None:
    owner = factory.caller()
    lasting = {"user_id": owner.user_id, "org_id": owner.org_id, "exp": int(time.time()) + 3 * 3600}
    owner = replace(owner, token=mint_token(factory.settings, **lasting))
    with here(None, "unused") as instance:
        before = instance.send(owner, "GET", path)
        change(factory, owner)
        meanwhile = instance.send(owner, "GET", path)
        with time_machine.travel(time.time() + region.life):
            after = instance.send(owner, "GET", path)

    assert (before.status, after.status) == (200, 200)
    assert (meanwhile.body, meanwhile.requests) == (before.body, 0)
    assert after.body != before.body


def test_the_readme_names_every_cached_value_with_its_life() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| .+ \| (\d+) (min|h) \|$", README, re.MULTILINE)

    assert {name: int(number) * SECONDS[unit] for name, number, unit in rows} == {one.name: one.life for one in REGIONS}
