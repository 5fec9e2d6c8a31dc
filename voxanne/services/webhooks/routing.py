"""Whose an event is, and which way its call went.

By our own records of the assistant, of the provider's phone number and of the number dialled. What the payload says
about organisations (its metadata) is never read. All answers are cached, "nobody's" too.
"""

from typing import cast

from voxanne import database
from voxanne.cache import ASSISTANT_ORG, DIALLED_ORG, Region, cache
from voxanne.phones import to_e164
from voxanne.queries import call_events
from voxanne.services import call_type_detector, phone_mappings
from voxanne.services.call_type_detector import CallType
from voxanne.services.webhooks.envelope import Event


def organization_for(event: Event) -> str | None:
    """Return the organisation, or None if nobody's; raises what says that Supabase is away.

    The assistant comes first: a number may be shared between branches, an assistant is one organisation's. No request
    while the answers are cached.
    """
    return _by_assistant(event.assistant_id) or _by_phone(event.phone_number_id) or _by_number(event.our_number)


def direction_of(org_id: str, event: Event) -> CallType:
    """Return whether the call came in or went out: the provider's word, else by the number dialled, from the cache."""
    db = database.as_service()
    return call_type_detector.detect(db, org_id, provider_type=event.call_type, dialled=event.our_number) or "outbound"


def _by_assistant(assistant_id: str | None) -> str | None:
    return _load(ASSISTANT_ORG, assistant_id, assistant_id=assistant_id) if assistant_id else None


def _by_phone(phone_number_id: str | None) -> str | None:
    return phone_mappings.organization_for(phone_number_id) if phone_number_id else None


def _by_number(dialled: str | None) -> str | None:
    number = to_e164(dialled) if dialled else None
    return _load(DIALLED_ORG, number, number=number) if number else None


def _load(region: Region, key: str, *, assistant_id: str | None = None, number: str | None = None) -> str | None:
    db = database.as_service(hurried=True)
    found = cache.load(
        region, key, lambda: call_events.route(db, assistant_id=assistant_id, phone_number_id=None, number=number)
    )
    return cast(str | None, found)
