"""Numbers of contacts, cached until the contacts change."""

from contextlib import AbstractContextManager
from typing import cast

from voxanne import database
from voxanne.auth import Principal
from voxanne.cache import CONTACT_STATS, cache
from voxanne.database import Row
from voxanne.queries import contacts


def stats(caller: Principal) -> Row:
    """Return how many contacts the organisation has, in all and by lead status; and their `version`."""
    db = database.for_principal(caller.token)
    return cast(Row, cache.load(CONTACT_STATS, caller.org_id, lambda: contacts.get_stats(db, caller.org_id)))


def changing(org_id: str) -> AbstractContextManager[None]:
    """Wrap every change of contacts, also by a webhook, so that nobody reads the old numbers afterwards."""
    return cache.changing((CONTACT_STATS, org_id))
