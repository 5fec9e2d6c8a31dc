"""Updates the voice provider after a change of settings or assistants, and stores how far that got."""

import logging
from dataclasses import dataclass, field
from typing import cast

from postgrest.exceptions import APIError

from voxanne import database
from voxanne.database import Row
from voxanne.errors import UNIQUE_VIOLATION
from voxanne.integrations import vapi
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiUnreachable
from voxanne.queries import org_settings as queries
from voxanne.services import assistants, org_settings, phone_mappings, secrets
from voxanne.services.assistants import Account, KeyUnreadable, SyncResult

logger = logging.getLogger(__name__)

# After these further requests would fail alike, and only make the caller wait.
_FINAL_ERRORS = (VapiUnreachable, VapiKeyRefused, KeyUnreadable)


class IdInUse(VapiError):
    """The provider's id of the number is stored for another organisation."""

    reason = "id in use"

    def __init__(self) -> None:
        super().__init__("The phone number is in use by another organisation at the voice provider.")


@dataclass
class Progress:
    """How much of what is stored the provider has."""

    account: Account | None = None
    agents: list[SyncResult] = field(default_factory=list)
    number_id: str | None = None
    number_error: VapiError | None = None
    error: VapiError | None = None

    @property
    def agents_synced(self) -> bool:
        """Whether there are assistants and the provider has all of them as they are stored."""
        return bool(self.agents) and all(synced.error is None for synced in self.agents)

    @property
    def first_error(self) -> VapiError | None:
        """The first thing that went wrong."""
        return next(filter(None, [self.error, *(synced.error for synced in self.agents), self.number_error]), None)


def sync(org_id: str, state: Row, *, roles: set[str] | None = None, number: bool = False) -> Progress:
    """Send the assistants of those roles (all by default) to the provider and, if asked, connect the phone number.

    `state` is what `queries.save_settings` or `save_agents` returned, which have checked the caller's role. Errors of
    the provider are in the result and never raised. The outcome is stored, so that pages can show what is not synced.
    """
    agents = [agent for agent in state["agents"] if roles is None or agent["role"] in roles]
    progress = Progress()
    try:
        progress.account = assistants.account(org_id, state["secrets"]["vapi"])
    except KeyUnreadable as error:
        progress.error = error
        progress.agents = [SyncResult(agent, agent["vapi_assistant_id"], error) for agent in agents]
    if progress.account is not None:
        _push_all(org_id, agents, progress.account, progress)
        if number and not isinstance(progress.first_error, _FINAL_ERRORS):
            _connect_number(org_id, state, progress.account, progress)
    if progress.agents or progress.number_id:
        _record(org_id, progress, (state["settings"] or {}).get("twilio_from_number"))
    return progress


def _push_all(org_id: str, agents: list[Row], account: Account, progress: Progress) -> None:
    for agent in agents:
        if isinstance(progress.first_error, _FINAL_ERRORS):
            progress.agents.append(SyncResult(agent, agent["vapi_assistant_id"], progress.first_error))
        else:
            progress.agents.append(assistants.push(org_id, agent, account))


def _connect_number(org_id: str, state: Row, account: Account, progress: Progress) -> None:
    settings = state["settings"] or {}
    number, account_sid = settings.get("twilio_from_number"), settings.get("twilio_account_sid")
    try:
        token = secrets.decrypt_one(org_id, "twilio", "auth_token", state["secrets"]["twilio"])
    except secrets.SecretUnreadableError as error:
        progress.number_error = KeyUnreadable(error)
        return
    if not (number and account_sid and token):
        return
    content = {"provider": "twilio", "number": number, "twilioAccountSid": account_sid, "twilioAuthToken": token}
    try:
        progress.number_id = _number_id(account, number, settings.get("vapi_phone_number_id"), content)
        inbound = next((synced for synced in progress.agents if synced.agent["role"] == "inbound"), None)
        changes = {"twilioAccountSid": account_sid, "twilioAuthToken": token}
        if inbound is not None and inbound.assistant_id:
            changes["assistantId"] = inbound.assistant_id
        vapi.provider().update_phone_number(account.key, progress.number_id, changes)
    except VapiError as error:
        progress.number_error = error


def _number_id(account: Account, number: str, known_id: str | None, content: Row) -> str:
    """Return the provider's id of the number, importing it if need be.

    The platform's account holds numbers of many organisations: of those only the one with the known id counts as this
    organisation's. Importing another one proves that it is, since the provider checks the Twilio credentials.
    """
    for listed in vapi.provider().list_phone_numbers(account.key):
        if listed.get("number") == number and (account.own or listed["id"] == known_id):
            return str(listed["id"])
    return str(vapi.provider().import_phone_number(account.key, content)["id"])


def _record(org_id: str, progress: Progress, number: str | None) -> None:
    try:
        stored = _store(org_id, progress, number)
    except APIError as error:
        if error.code != UNIQUE_VIOLATION or progress.number_id is None:
            raise
        progress.number_id, progress.number_error = None, IdInUse()
        stored = _store(org_id, progress, number)
    present = {agent["vapi_assistant_id"] for agent in stored}
    for synced in progress.agents:
        if synced.created and synced.assistant_id and synced.assistant_id not in present and progress.account:
            _discard(progress.account.key, synced.assistant_id)


def _store(org_id: str, progress: Progress, number: str | None) -> list[Row]:
    # With the service key: callers may not write the provider's ids, which only the provider's answers tell.
    db = database.as_service()
    verified = progress.account is not None and progress.account.own and progress.first_error is None
    told = [synced.record() for synced in progress.agents]
    ids = [synced.assistant_id for synced in progress.agents]
    routing = phone_mappings.changing(org_id, number=number, phone_id=progress.number_id, assistant_ids=ids)
    with org_settings.changing(org_id), routing:
        stored = queries.record_sync(
            db, org_id, told, phone_number=number, phone_number_id=progress.number_id, verified=verified
        )
    return cast(list[Row], stored["agents"])


def _discard(key: str, assistant_id: str) -> None:
    """Delete an assistant just created, because another request has created and stored one meanwhile."""
    try:
        vapi.provider().delete_assistant(key, assistant_id)
    except VapiError:
        logger.warning("superfluous assistant stays at the voice provider", extra={"assistant_id": assistant_id})
