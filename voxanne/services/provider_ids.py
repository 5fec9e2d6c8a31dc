"""Which ids of the voice provider an organisation may name: those that are its own, and no others.

Its own are those that it has already, and those that its own account at the provider has. In the platform's account lie
other organisations' assistants and numbers too, so that an id is there proves nothing: an organisation without a key of
its own can name only what was made, imported or mapped for it. The database keeps an id to one organisation.
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


def proving(
    caller: Principal, save: Callable[[SyncPostgrestClient, Sequence[str]], Row], *, new_key: SecretStr | None = None
) -> Row:
    """Save what may name ids of the provider, asking the provider about the new ones; returns what `save` does.

    `save` gets a client and the ids that are proven, and returns what `queries.save_agents` does. `new_key` is the key
    that it saves, "" where it takes the key away, None where the stored one stays. Raises `NotFound` for an id that is
    not the organisation's, whoever's it is, `Conflict` for one that another organisation got hold of first, and the
    provider's errors; then nothing is saved.
    """
    proven: list[str] = []
    state = save(database.for_principal(caller.token), proven)
    while unproven := state.get("unproven"):
        if unproven["id"] in proven or not _has(caller.org_id, unproven, state["secrets"]["vapi"], new_key):
            raise _missing(unproven["kind"])
        proven.append(unproven["id"])
        try:
            # The database has just let the caller in; that an id is proven it believes no browser.
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
    except VapiError:  # not found, or no id at all in the provider's eyes
        return False
    return True


def _missing(kind: str) -> NotFound:
    error = NotFound(_NOUNS[kind])
    sentence = f"Your organisation has no such {_NOUNS[kind]} at the voice provider."
    error.details = [{"field": _FIELDS[kind], "message": sentence}]
    return error
