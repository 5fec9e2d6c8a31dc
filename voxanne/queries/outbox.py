"""Texts that wait to be sent, and what Twilio says of those that were. All of it needs the service key."""

from typing import Literal

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import call_row, call_rows

Ending = Literal["sent", "failed", "retry", "unknown"]


def claim(db: SyncPostgrestClient, *, limit: int, lease_seconds: int) -> list[Row]:
    """Take texts that are due, for as long as the lease.

    Rows of `id`, `org_id`, `recipient`, `content`, `attempts` (with this one), `purpose`, `call_id` and
    `uncertain_since`: when the first claim began of which nobody knows whether the text went out, or None.
    """
    arguments = {"p_limit": limit, "p_lease_seconds": lease_seconds}
    return call_rows(db, "claim_messages", arguments)


def finish(
    db: SyncPostgrestClient,
    message_id: str,
    ending: Ending,
    *,
    external_id: str | None = None,
    error: str | None = None,
    retry_seconds: int | None = None,
) -> bool:
    """Note how an attempt ended; False if the text had been settled before.

    "retry" means that it surely did not go out, "unknown" that it may have; both are due again after `retry_seconds`.
    """
    arguments = {
        "p_id": message_id,
        "p_status": ending,
        "p_external_id": external_id,
        "p_error": error,
        "p_retry_seconds": retry_seconds,
    }
    settled: bool = call_function(db, "finish_message", arguments)
    return settled


def owner_of(db: SyncPostgrestClient, sid: str, account_sid: str | None) -> str | None:
    """Return the organisation of a text by our record of it, else the only one with that Twilio account."""
    org_id: str | None = call_function(db, "sms_owner", {"p_sid": sid, "p_account_sid": account_sid})
    return org_id


def apply_status(
    db: SyncPostgrestClient, org_id: str, sid: str, status: str, *, error_code: str | None, error_message: str | None
) -> Row:
    """Note what Twilio says of an organisation's text, forward only: `known` (we have the message) and `applied`.

    What is said of a text before `finish` has noted its id is kept, and takes effect then.
    """
    arguments = {
        "p_sid": sid,
        "p_status": status,
        "p_error_code": error_code,
        "p_error_message": error_message,
        "p_org_id": org_id,
    }
    return call_row(db, "apply_sms_status", arguments)
