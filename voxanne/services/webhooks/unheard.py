"""Calls that we never heard of: looked for in the provider's lists, and noted as their report would have had it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app

from voxanne import database
from voxanne.config import Settings
from voxanne.integrations import vapi
from voxanne.integrations.vapi import VapiError, VapiKeyRefused
from voxanne.queries import credentials, webhook_log
from voxanne.services import secrets
from voxanne.services.secrets import SecretUnreadableError
from voxanne.services.webhooks import envelope, handler, routing, statuses
from voxanne.services.webhooks.deliveries import Delivery, Outcome
from voxanne.services.webhooks.envelope import END_REPORT
from voxanne.services.webhooks.reconcile import Found

PAGE = 100
_ACCOUNTS = 200


@dataclass(frozen=True)
class Account:
    """An account at the provider: an organisation's own, or the platform's; `key` is None if it can't be read."""

    key: str | None
    org_id: str | None

    def __repr__(self) -> str:
        return f"account of organisation {self.org_id}" if self.org_id else "the platform's account"


def accounts() -> list[Account]:
    """Return every account that organisations' calls may be in."""
    settings: Settings = current_app.config["SETTINGS"]
    found = [Account(settings.platform_vapi_key, None)] if settings.platform_vapi_key else []
    after = None
    while batch := credentials.list_credentials(database.as_service(), after=after, limit=_ACCOUNTS):
        found += [
            Account(_key(row["org_id"], row["encrypted_config"]), row["org_id"])
            for row in batch
            if row["provider"] == "vapi" and "api_key" in secrets.fields_of(row["encrypted_config"])
        ]
        after = batch[-1]["id"]
    return found


def note(
    account: Account, since: datetime, until: datetime, *, seen: Callable[[float], None] = lambda _: None
) -> Iterator[tuple[str, Found]]:
    """Note the calls of an account that began in that time, have ended and are not known.

    Yields each one in words and what came of it, and what keeps the account from being read. `seen` is told which share
    of the time has been looked through. Raises what says that the database is away; what has been noted by then stays.
    """
    if account.key is None:
        yield str(account), Found.NO_KEY
        return
    try:
        for page, oldest in _pages(account.key, since, until):
            over = {str(call["id"]): call for call in page if call.get("status") == statuses.ENDED_WORD}
            for call_id in webhook_log.unknown_calls(database.as_service(), list(over)) if over else ():
                yield f"call {call_id} in {account}", _note(account, over[call_id])
            seen((until - oldest) / (until - since))
    except VapiError as error:
        yield str(account), Found.KEY_REFUSED if isinstance(error, VapiKeyRefused) else Found.UNREACHABLE


def _pages(key: str, since: datetime, until: datetime) -> Iterator[tuple[list[dict[str, Any]], datetime]]:
    """Go back in time, page by page, each with the time that its oldest call began (the last one: `since`)."""
    known: set[str] = set()
    while True:
        listed = vapi.provider().list_calls(key, since=since, until=until, limit=PAGE)
        fresh = [call for call in listed if str(call["id"]) not in known]
        if len(listed) < PAGE:
            yield fresh, since
            return
        oldest = min((_created(call) for call in listed), default=since)
        if oldest > until:
            raise VapiError("The voice provider's list of calls does not end.")  # it is not what was asked for
        yield fresh, oldest
        # Those of one moment may stand on two pages; a page that is full of them is left behind.
        until = oldest if fresh and oldest < until else oldest - timedelta(milliseconds=1)
        known = {str(call["id"]) for call in listed}
        if until < since:
            return


def _note(account: Account, call: dict[str, Any]) -> Found:
    payload = {"message": {"type": END_REPORT, "call": call}}
    org_id = routing.organization_for(envelope.head(payload))
    if org_id is None or account.org_id not in {None, org_id}:
        # What an organisation keeps in its own account is no proof of another's call.
        return Found.NOT_OURS
    # Dated as the provider dates it: a call that nobody answered has no other time.
    outcome = handler.process(Delivery("vapi", org_id, payload, _created(call)))
    return Found.ADDED if outcome in {Outcome.APPLIED, Outcome.DUPLICATE} else Found.FAILED


def _created(call: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(call["createdAt"])
    except (KeyError, TypeError, ValueError):
        raise VapiError("The voice provider's list of calls can't be read.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _key(org_id: str, stored: str) -> str | None:
    try:
        return secrets.decrypt_one(org_id, "vapi", "api_key", stored)
    except SecretUnreadableError:
        return None
