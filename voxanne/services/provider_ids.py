"""Which ids of the voice provider an organisation may name: its own, and no others.

Its own are those that are stored for it already, and those in its own account at the provider. The platform's account
holds assistants and numbers of many organisations, so finding an id there proves nothing: an organisation without a key
of its own can name only what was made, imported or mapped for it. The database lets one organisation have an id.
"""

from collections.abc import Callable, Sequence

from postgrest import SyncPostgrestClient
from postgrest.exceptions import APIError
from pydantic import SecretStr

from voxanne import database
from voxanne.auth import Principal
from voxanne.database import Row
from voxanne.errors import UNIQUE_VIOLATION, Conflict, NotFound
from voxanne.integrations import vapi
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiUnreachable
from voxanne.services import assistants

_NOUNS = {"assistant": "assistant", "phone": "phone number"}
_FIELDS = {"assistant": "vapi_assistant_id", "phone": "vapi_phone_number_id"}


def save_with_proof(
    caller: Principal, save: Callable[[SyncPostgrestClient, Sequence[str]], Row], *, new_key: SecretStr | None = None
) -> Row:
    """Save something that may name ids of the provider, and ask the provider about those that are new to us.

    `save` is called with a client and the proven ids, and returns what `queries.save_agents` does, as this does.
    `new_key` is the provider's key that `save` stores, "" if it removes it, None if the stored one stays. Raises, and
    saves nothing: `NotFound` for an id that is not the organisation's, `Conflict` for one that another organisation was
    given meanwhile, and the provider's errors.
    """
    proven: list[str] = []
    state = save(database.for_principal(caller.token), proven)
    while unproven := state.get("unproven"):
        if unproven["id"] in proven or not _has(caller.org_id, unproven, state["secrets"]["vapi"], new_key):
            raise _missing(unproven["kind"])
        proven.append(unproven["id"])
        try:
            # With the service key, from which alone the database accepts that an id is proven. It has just checked, in
            # the first call, that the caller may save this.
            state = save(database.as_service(), proven)
        except APIError as error:
            if error.code != UNIQUE_VIOLATION:
                raise
            raise Conflict("Another organisation uses this already.", code="PROVIDER_ID_IN_USE") from None
    return state


def _has(org_id: str, unproven: Row, stored: str | None, new_key: SecretStr | None) -> bool:
    if new_key is None:
        account = assistants.account(org_id, stored)
        key = account.key if account and account.own else ""
    else:
        key = new_key.get_secret_value()
    if not key:
        return False
    if unproven["kind"] == "phone":
        return any(number.get("id") == unproven["id"] for number in vapi.provider().list_phone_numbers(key))
    try:
        vapi.provider().get_assistant(key, unproven["id"])
    except (VapiUnreachable, VapiKeyRefused):
        raise
    except VapiError:  # not found, or not even an id
        return False
    return True


def _missing(kind: str) -> NotFound:
    error = NotFound(_NOUNS[kind])
    sentence = f"Your organisation has no such {_NOUNS[kind]} at the voice provider."
    error.details = [{"field": _FIELDS[kind], "message": sentence}]
    return error
