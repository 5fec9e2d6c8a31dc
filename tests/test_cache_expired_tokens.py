"""A value is loaded anew with the token of its last reader, which may have expired: then nothing comes of it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.factories import Factory, mint_token
from voxanne import database
from voxanne.auth import Principal
from voxanne.cache import AGENTS, CONTACT_STATS, INBOUND_CONFIG, ORG_SETTINGS, ROLE, SERVICES, Region, cache
from voxanne.config import Settings
from voxanne.services import contacts, inbound_config, org_settings, pricing, team

Read = Callable[[Principal], Any]
READS: dict[Region, Read] = {
    SERVICES: lambda caller: pricing.price_list(database.for_principal(caller.token), caller.org_id),
    ORG_SETTINGS: lambda caller: org_settings.load(database.for_principal(caller.token), caller.org_id),
    INBOUND_CONFIG: lambda caller: inbound_config.load(database.for_principal(caller.token), caller.org_id),
    CONTACT_STATS: contacts.stats,
    AGENTS: team.agents,
    ROLE: lambda caller: caller.role,
}

pytestmark = pytest.mark.usefixtures("upkeep_on")


@pytest.mark.parametrize("region", READS, ids=lambda region: region.name)
def test_an_expired_token_leaves_nothing_in_the_cache(
    app: Flask, factory: Factory, settings: Settings, region: Region
) -> None:
    org_id, read = factory.org(), READS[region]
    factory.service(org_id)
    factory.insert("public.contacts", org_id=org_id, name="Anna", phone="+14155550188")
    factory.insert("public.agents", org_id=org_id, role="inbound", name="Eve")
    factory.member(org_id, "agent")
    member = factory.member(org_id, "manager")
    expired = mint_token(settings, user_id=member.user_id, org_id=org_id, exp=int(time.time()) - 3600)
    present, former = (Principal(member.user_id, None, org_id, token) for token in (member.token, expired))
    with app.app_context():
        known = read(present)
        assert known
        assert read(former) == known, "it comes from the cache"
        before = cache.stats()["errors"]

        with cache.changing((region, org_id)):
            pass
        cache.engine.wait_for_refreshes()

        assert cache.stats()["errors"] == before + 1, "the token was refused"
        assert read(present) == known
