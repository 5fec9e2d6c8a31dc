"""Bringing the voice provider in step with what has been stored, and noting how far that got."""

import logging
from dataclasses import dataclass, field
from typing import cast

from postgrest.exceptions import APIError

from voxanne import database
from voxanne.database import Row
from voxanne.integrations import vapi
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiUnreachable
from voxanne.queries import org_settings as queries
from voxanne.services import assistants, org_settings, phone_mappings, secrets
from voxanne.services.assistants import Account, KeyUnreadable, Synced
from voxanne.services.idempotency import UNIQUE_VIOLATION

logger = logging.getLogger(__name__)

# Asking again right away would only make the caller wait for the same answer.
_HOPELESS = (VapiUnreachable, VapiKeyRefused, KeyUnreadable)


class IdInUse(VapiError):
    """The provider calls the number by an id that stands for another organisation's."""

    reason = "id in use"

    def __init__(self) -> None:
        super().__init__("The phone number is in use by another organisation at the voice provider.")


@dataclass
class Progress:
    """How far the provider has taken over what is stored."""

    account: Account | None = None
    agents: list[Synced] = field(default_factory=list)
    number_id: str | None = None
    number_error: VapiError | None = None
    error: VapiError | None = None

    @property
    def agents_synced(self) -> bool:
        """Whether there are assistants and the provider has taken all of them over."""
        return bool(self.agents) and all(synced.error is None for synced in self.agents)

    @property
    def first_error(self) -> VapiError | None:
        """The first thing that went wrong."""
        return next(filter(None, [self.error, *(synced.error for synced in self.agents), self.number_error]), None)


def bring_in_step(org_id: str, state: Row, *, roles: set[str] | None = None, number: bool = False) -> Progress:
    """Tell the provider about the assistants of those roles (all by default) and, if asked, about the number.

    `state` is what saving returned, so the caller may do this. Nothing of the provider's trouble is raised, it is all
    in the result; what came of it is stored, so that a page can show what the provider does not have yet.
    """
    agents = [agent for agent in state["agents"] if roles is None or agent["role"] in roles]
    progress = Progress()
    try:
        progress.account = assistants.account(org_id, state["secrets"]["vapi"])
    except KeyUnreadable as error:
        progress.error = error
        progress.agents = [Synced(agent, agent["vapi_assistant_id"], error) for agent in agents]
    if progress.account is not None:
        _push_all(org_id, agents, progress.account, progress)
        if number and not isinstance(progress.first_error, _HOPELESS):
            _connect_number(org_id, state, progress.account, progress)
    if progress.agents or progress.number_id:
        _record(org_id, progress, (state["settings"] or {}).get("twilio_from_number"))
    return progress


def _push_all(org_id: str, agents: list[Row], account: Account, progress: Progress) -> None:
    for agent in agents:
        if isinstance(progress.first_error, _HOPELESS):
            progress.agents.append(Synced(agent, agent["vapi_assistant_id"], progress.first_error))
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
    """Return the provider's id of the number, imported if need be.

    In the platform's account lie other organisations' numbers too: there only the one that was imported for this
    organisation counts as its own, and importing proves the rest, as the provider checks the Twilio credentials.
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
    # With the service key: ids of the provider are written by who has spoken with the provider, and by no browser.
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
    """Remove an assistant that somebody else's save was faster with."""
    try:
        vapi.provider().delete_assistant(key, assistant_id)
    except VapiError:
        logger.warning("superfluous assistant stays at the voice provider", extra={"assistant_id": assistant_id})
