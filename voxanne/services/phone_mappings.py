"""Which organisation a dialled number belongs to. Every change of a mapping goes through `changing` here.

A call names its number by the voice provider's id, so the cache is kept by that id, and a change drops the id that the
mapping had as well as the one that it has now. Where the id is nobody's, `webhooks.routing` asks for the number itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from postgrest.exceptions import APIError

from voxanne import database
from voxanne.auth import Principal
from voxanne.cache import DIALLED_ORG, PHONE_MAPPING, cache
from voxanne.database import Row
from voxanne.errors import Conflict, NotFound
from voxanne.queries import phone_mappings
from voxanne.services.idempotency import UNIQUE_VIOLATION

LONGEST_ID = 200


@contextmanager
def changing(vapi_id: str | None = None, number: str | None = None) -> Iterator[Callable[[str | None], None]]:
    """Wrap a change of mappings, so that no call is routed by the old ones afterwards.

    What the mapping was before is known only from the reply to the change, so the block is given a function to call
    with each further id of the provider that the change turned out to concern.
    """

    def concerned(vapi_id: str | None) -> None:
        if vapi_id:
            cache.drop(PHONE_MAPPING, vapi_id)

    keys = [(PHONE_MAPPING, vapi_id), (DIALLED_ORG, number)]
    with cache.changing(*((region, key) for region, key in keys if key)):
        yield concerned


def organization_for(vapi_phone_number_id: str) -> str | None:
    """Return the organisation whose number was called, or None if nobody's: from the cache, and so is "nobody's"."""
    if not 0 < len(vapi_phone_number_id) <= LONGEST_ID:
        return None
    db = database.as_service(hurried=True)
    mapping = cache.load(
        PHONE_MAPPING, vapi_phone_number_id, lambda: phone_mappings.find_by_vapi_id(db, vapi_phone_number_id)
    )
    return cast(str, mapping["org_id"]) if mapping else None


def save(caller: Principal, number: str, *, clinic_name: str | None, vapi_id: str | None) -> Row:
    """Add a number to the caller's organisation or bring it back; raises `Conflict` if another one uses it."""
    db = database.for_principal(caller.token)
    try:
        with changing(vapi_id, number) as concerned:
            saved = phone_mappings.save_mapping(db, caller.org_id, number, clinic_name=clinic_name, vapi_id=vapi_id)
            concerned(saved["previous_vapi_id"])
            concerned(saved["mapping"]["vapi_phone_number_id"])
    except APIError as error:
        if error.code != UNIQUE_VIOLATION:
            raise
        raise Conflict("This number is in use already.", code="NUMBER_IN_USE") from None
    return cast(Row, saved["mapping"])


def deactivate(caller: Principal, mapping_id: str) -> None:
    """Take a number of the caller's organisation out of use; doing it again succeeds, too."""
    with changing() as concerned:
        row = phone_mappings.deactivate_mapping(database.for_principal(caller.token), caller.org_id, mapping_id)
        if row is None:
            raise NotFound("phone mapping")
        concerned(row["vapi_phone_number_id"])
        cache.drop(DIALLED_ORG, row["inbound_phone_number"])
