"""Which organisation a dialled number belongs to. Every change of a mapping goes through `changing` here.

Events name a number by the voice provider's id, so the cached answers are kept by that id. Which ids a change concerns
is known only from its reply, which may be lost; so a change invalidates all answers that name the organisation and all
that say "nobody's". The same holds for the answers about assistants and dialled numbers that `webhooks.routing` caches.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import cast

from postgrest.exceptions import APIError

from voxanne import database
from voxanne.auth import Principal
from voxanne.cache import ASSISTANT_ORG, DIALLED_ORG, INBOUND_CONFIG, NOBODY, PHONE_MAPPING, Change, cache
from voxanne.database import Row
from voxanne.errors import UNIQUE_VIOLATION, Conflict, NotFound, ValidationFailed
from voxanne.phones import to_e164
from voxanne.queries import organizations, phone_mappings
from voxanne.services import org_settings

LONGEST_ID = 200


def changing(
    org_id: str, *, number: str | None = None, phone_id: str | None = None, assistant_ids: Iterable[str | None] = ()
) -> AbstractContextManager[Change]:
    """Wrap a change of an organisation's numbers or assistants, so that no call is routed by old ones afterwards.

    What it may take over is named: until a moment ago it may have been another one's, who gave it up past the program,
    and that one's calls are somebody else's patients.
    """
    routing = ((region, owner) for region in (PHONE_MAPPING, DIALLED_ORG, ASSISTANT_ORG) for owner in (org_id, NOBODY))
    named = [(DIALLED_ORG, number), (PHONE_MAPPING, phone_id), *((ASSISTANT_ORG, one) for one in assistant_ids)]
    return cache.changing(*routing, *((region, key) for region, key in named if key), (INBOUND_CONFIG, org_id))


def organization_for(vapi_phone_number_id: str) -> str | None:
    """Return the organisation that has the number with the provider's id, or None; both answers are cached."""
    if not 0 < len(vapi_phone_number_id) <= LONGEST_ID:
        return None
    db = database.as_service(hurried=True)
    mapping = cache.load(
        PHONE_MAPPING, vapi_phone_number_id, lambda: phone_mappings.find_by_vapi_id(db, vapi_phone_number_id)
    )
    return cast(str, mapping["org_id"]) if mapping else None


def in_full(number: str, country: Callable[[], str | None]) -> str | None:
    """Return a `DialledNumber` in E.164, or None; without a country code it must be one that `country` has given out.

    In a wrong country most numbers are not, so a country that was never set hardly gets a wrong number stored.
    """
    return number if number.startswith("+") else to_e164(number, country(), assigned=True)


def own(caller: Principal, number: str) -> str | None:
    """Return a `DialledNumber` in E.164, or None; without a country code it is one of the organisation's country."""
    db = database.for_principal(caller.token)
    return in_full(number, lambda: (org_settings.load(db, caller.org_id) or {}).get("telephony_country"))


def save(caller: Principal, number: str, *, clinic_name: str | None, vapi_id: str | None) -> Row:
    """Add a number, as `own` takes it, or bring it back.

    Raises `Conflict` if another organisation uses it, `ValidationFailed` if it can't be read.
    """
    db = database.for_principal(caller.token)
    # What is stored stays, so the country is not taken from the cache: members change it past the program.
    dialled = in_full(number, lambda: organizations.get_country(db, caller.org_id))
    if dialled is None:
        message = "must be an international phone number, or one of the organisation's country"
        raise ValidationFailed(
            f"inbound_phone_number: {message}", details=[{"field": "inbound_phone_number", "message": message}]
        )
    saved = None
    with changing(caller.org_id, number=dialled, phone_id=vapi_id):
        try:
            saved = phone_mappings.save_mapping(db, caller.org_id, dialled, clinic_name=clinic_name, vapi_id=vapi_id)
        except APIError as error:
            # Caught within the block: an error that leaves it would suspend the cache for some seconds, since the write
            # might have happened. This one surely has not.
            if error.code != UNIQUE_VIOLATION:
                raise
    if saved is None:
        raise Conflict("This number is in use already.", code="NUMBER_IN_USE")
    return cast(Row, saved["mapping"])


def deactivate(caller: Principal, mapping_id: str) -> None:
    """Take a number of the caller's organisation out of use; doing it again succeeds, too."""
    with changing(caller.org_id):
        row = phone_mappings.deactivate_mapping(database.for_principal(caller.token), caller.org_id, mapping_id)
    if row is None:
        raise NotFound("phone mapping")
