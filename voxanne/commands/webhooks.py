"""Events that were kept, could not be applied or never came; `flask --app wsgi webhooks --help`."""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import with_appcontext

from voxanne import database
from voxanne.commands.terminal import bar, database_needed, listed
from voxanne.database import Row
from voxanne.errors import is_unavailable
from voxanne.queries import webhook_counts, webhook_log
from voxanne.services.webhooks import drainer, handler, reconcile, spool, unheard
from voxanne.services.webhooks.deliveries import Delivery, Outcome
from voxanne.services.webhooks.reconcile import Found
from voxanne.services.webhooks.spool import SqliteSpool

LETTERS, CALLS = 50, 500
_STEPS = 1000
_NOT_APPLIED = {Outcome.UNKNOWN: "nobody's assistant", Outcome.REFUSED: "not signed by Twilio"}
_TROUBLES = (Found.UNREACHABLE, Found.FAILED, Found.NO_KEY, Found.KEY_REFUSED)
_FIRST_ID = str(UUID(int=0))


@click.group("webhooks")
def webhooks() -> None:
    """Events of providers: kept, refused, missing, and what waits."""


@webhooks.command("drain")
@with_appcontext
def drain() -> None:
    """Apply the events that this machine has kept.

    They came while the database was away. The serving processes do so by themselves; this is for when none runs.
    """
    kept_in = _spool()
    waiting = kept_in.size().events
    with database_needed(), bar(waiting, "Applying") as progress:
        outcomes = drainer.drain(kept_in, seen=lambda _: progress.update(1))
    if outcomes is None:
        sys.exit("another process is applying them")
    unreadable = outcomes.pop(None, 0)
    click.echo(listed({outcome.value: count for outcome, count in outcomes.items() if outcome}) or "nothing was kept")
    if unreadable:
        sys.exit(f"{unreadable} can't be decrypted: the key they were kept with is not in ENCRYPTION_KEYS")


@webhooks.command("replay")
@click.option("--id", "ids", multiple=True, type=click.UUID, help="Only this dead letter; may be repeated.")
@click.option("--org", "org_id", type=click.UUID, help="Only those of this organisation.")
@with_appcontext
def replay(ids: tuple[UUID, ...], org_id: UUID | None) -> None:
    """Apply the dead letters.

    Those are events that could not be applied; `letters` shows them. To be used once their reason has been removed.
    """
    wanted, org = [str(one) for one in dict.fromkeys(ids)], str(org_id) if org_id else None
    failed: list[tuple[Row, str]] = []
    found = 0
    with database_needed():
        waiting = len(wanted) or webhook_counts.dead_letters(database.as_service(), org)
        with bar(waiting, "Replaying") as progress:
            for letter in _letters(wanted or None, org):
                found += 1
                reason = _replay(letter)
                failed += [(letter, reason)] if reason else []
                progress.update(1)
    click.echo(f"{found - len(failed)} replayed, {len(failed)} failed again")
    for letter, reason in failed:
        click.echo(f"{letter['id']} ({letter['event_type'] or 'no event'}): {reason}", err=True)
    missing = len(wanted) - found
    if missing > 0:
        click.echo(f"{missing} of the given ones do not wait", err=True)
    if failed or missing > 0:
        sys.exit(1)


@webhooks.command("reconcile")
@click.option("--minutes", type=click.IntRange(1), default=30, show_default=True, help="Calls that began before that.")
@click.option("--days", type=click.IntRange(1), default=7, show_default=True, help="Calls that began within these.")
@click.option(
    "--hours",
    type=click.IntRange(0, 168),
    default=24,
    show_default=True,
    help="Of which hours the provider's lists are looked through for calls that are not known; 0: of none.",
)
@with_appcontext
def reconcile_calls(minutes: int, days: int, hours: int) -> None:
    """Ask the voice provider what became of calls.

    Those whose report never came are closed if they have ended. Those that ended and are not known at all, because none
    of their events came, are added: for that the lists of the platform's account and of organisations' own are read.
    """
    results: Counter[Found] = Counter()
    with database_needed():
        calls = list(_unfinished(timedelta(minutes=minutes), timedelta(days=days)))
        with bar(len(calls), "Asking") as progress:
            for call in calls:
                _count(results, reconcile.close(call), f"call {call['vapi_call_id']} of organisation {call['org_id']}")
                progress.update(1)
        until = datetime.now(UTC) - timedelta(minutes=minutes)
        since = datetime.now(UTC) - timedelta(hours=hours)
        if since < until:
            _add_unheard(results, since, until)
    click.echo(listed({str(found): results[found] for found in Found if results[found]}) or "no call is open")
    if any(results[found] for found in _TROUBLES):
        sys.exit(1)


def _add_unheard(results: Counter[Found], since: datetime, until: datetime) -> None:
    accounts = unheard.accounts()
    if not accounts:
        click.echo(
            "no account at the provider is known: VAPI_PRIVATE_KEY is not set, no organisation has a key", err=True
        )
        return
    with bar(len(accounts) * _STEPS, "Looking for calls that are not known") as progress:
        for number, account in enumerate(accounts, 1):
            move = partial(_move, progress, number)
            for what, result in unheard.note(account, since, until, seen=move):
                _count(results, result, what)
            move(1.0)


def _move(progress: Any, account: int, share: float) -> None:
    progress.update(round((account - 1 + share) * _STEPS) - progress.pos)


def _count(results: Counter[Found], result: Found, what: str) -> None:
    results[result] += 1
    if result not in {Found.CLOSED, Found.GOING, Found.ADDED, Found.NOT_OURS}:
        click.echo(f"{what}: {result}", err=True)


def _spool() -> SqliteSpool:
    kept_in = spool.of(current_app)
    if kept_in is None:
        sys.exit("there is no spool: set WEBHOOK_SPOOL_DIR")
    return kept_in


def _letters(ids: list[str] | None, org_id: str | None) -> Iterable[Row]:
    after = None
    while batch := webhook_log.dead_letters(database.as_service(), ids=ids, org_id=org_id, limit=LETTERS, after=after):
        yield from batch
        after = batch[-1]


def _replay(letter: Row) -> str | None:
    """Apply a dead letter; returns why that failed again, and notes it."""
    received_at = datetime.fromisoformat(letter["received_at"])
    again = Delivery(letter["source"], letter["org_id"], letter["payload"], received_at, letter["attempts"] + 1)
    try:
        outcome = handler.apply(again)
    except Exception as error:
        if is_unavailable(error):
            raise
        reason = handler.describe(error)
    else:
        if outcome not in _NOT_APPLIED:
            webhook_log.mark_replayed(database.as_service(), letter["id"])
            return None
        reason = _NOT_APPLIED[outcome]
    webhook_log.note_replay(database.as_service(), letter["id"], reason)
    return reason


def _unfinished(older: timedelta, younger: timedelta) -> Iterable[Row]:
    now = datetime.now(UTC)
    after: Row = {"began": (now - younger).isoformat(), "id": _FIRST_ID}
    while batch := webhook_log.unfinished_calls(database.as_service(), now - older, limit=CALLS, after=after):
        yield from batch
        after = batch[-1]


def open_calls() -> int:
    """Count the calls that ought to have been reported by now."""
    return sum(1 for _ in _unfinished(timedelta(minutes=30), timedelta(days=7)))
