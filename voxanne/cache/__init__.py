"""The cache: right after every change, one origin request for any number of readers, and only slower when it fails.

    cache.load(SERVICES, org_id, lambda: fetch_services(db, org_id))
    with cache.changing((SERVICES, org_id)):
        insert_service(db, org_id, values)

How it stays right: each organisation has a ticket per region. A reader notes it before it loads and stores the value
under it; a value counts only while its ticket is the present one. A change replaces the ticket before the write (and
marks it busy, so that a writer who dies leaves nothing stored) and again after it. So whatever was loaded before a
change ended is never served afterwards, however late it is stored. A lost ticket (Redis flushed, restarted, replaced)
is made up anew at random, which outdates what was stored under it.

While a process cannot reach Redis it reads from the origin and keeps a list of its changes, which it tells Redis before
using it again. So that the others, who may reach Redis, serve nothing that it changes, each process holds a lease in
Redis: once one lapses, all values are outdated and nothing is stored until that process is back, known to be dead, or
missing for a minute (`scripts.py` says why). The first change in an outage is answered when the lease must have lapsed.

What is read is loaded anew in the background: shortly before its end, and after a change that drops it. That makes one
load in each life, whether or not a reader happens to come near its end (`upkeep.py`). A write that knows the value it
leaves tells it (`Change.tell`), which spares the load.

`store.py` says what a store does, `memory.py` and `shared.py` are the two; `engine.py` reads through one.
"""

from voxanne.cache.errors import CacheConfigError, OriginUnavailableError
from voxanne.cache.facade import Cache, Change
from voxanne.cache.regions import (
    AGENTS,
    ASSISTANT_ORG,
    CONTACT_STATS,
    DIALLED_ORG,
    INBOUND_CONFIG,
    NOBODY,
    ORG_SECRETS,
    ORG_SETTINGS,
    PHONE_MAPPING,
    REGIONS,
    ROLE,
    SERVICES,
    Region,
)
from voxanne.cache.signals import cache_event

cache = Cache()

__all__ = [
    "AGENTS",
    "ASSISTANT_ORG",
    "CONTACT_STATS",
    "DIALLED_ORG",
    "INBOUND_CONFIG",
    "NOBODY",
    "ORG_SECRETS",
    "ORG_SETTINGS",
    "PHONE_MAPPING",
    "REGIONS",
    "ROLE",
    "SERVICES",
    "Cache",
    "CacheConfigError",
    "Change",
    "OriginUnavailableError",
    "Region",
    "cache",
    "cache_event",
]
