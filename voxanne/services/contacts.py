"""Contacts: their numbers from the cache, dropped by every change or replaced by what it reports."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def changing(org_id: str) -> Iterator[Callable[[Row], None]]:
    """Wrap a change of contacts, a webhook's included, so that nobody reads the old numbers afterwards.

    It yields what takes the change's result: the numbers that it may hold as `contact_stats` are the next to be read.
    """
    with cache.changing((CONTACT_STATS, org_id)) as change:

        def tell(result: Row) -> None:
            if "contact_stats" in result:
                change.tell(CONTACT_STATS, org_id, result["contact_stats"])

        yield tell
