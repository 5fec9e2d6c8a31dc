"""The price list, cached until it changes."""

from contextlib import AbstractContextManager
from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.cache import SERVICES, Change, cache
from voxanne.database import Row
from voxanne.queries import services


def price_list(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return the organisation's services, newest first, with price and keywords."""
    return cast(list[Row], cache.load(SERVICES, org_id, lambda: services.list_pricing(db, org_id)))


def changing(org_id: str) -> AbstractContextManager[Change]:
    """Wrap a change of the price list, so that nobody reads the old one afterwards."""
    return cache.changing((SERVICES, org_id))
