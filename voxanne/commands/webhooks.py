"""Events that were kept, could not be applied or never came; `flask --app wsgi webhooks --help`."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import with_appcontext

from voxanne import database
from voxanne.database import Row
from voxanne.errors import is_unavailable
from voxanne.queries import webhook_counts, webhook_log
from voxanne.services.webhooks import drainer, handler, reconcile, spool, unheard
from voxanne.services.webhooks.deliveries import Delivery, Outcome
from voxanne.services.webhooks.reconcile import Found
from voxanne.services.webhooks.spool import SqliteSpool

LETTERS, CALLS = 50, 500
_STEPS = 1000
_TROUBLES = (Found.UNREACHABLE, Found.FAILED, Found.NO_KEY, Found.KEY_REFUSED, Found.UNREADABLE)
_FIRST_ID = str(UUID(int=0))


@click.group("webhooks")
def webhooks() -> None:
    """Events of the voice provider: kept, refused, missing, and what waits."""


@webhooks.command("drain")
@with_appcontext
def drain() -> None:
    """Apply the events that this machine has kept while the database was away.

    The serving processes do so by themselves; this is for when none of them runs.
    """
    kept_in = _spool()
    waiting = kept_in.size().events
    with _database_needed(), _bar(waiting, "Applying") as bar:
        outcomes = drainer.drain(kept_in, seen=lambda _: bar.update(1))
    if outcomes is None:
        sys.exit("another process is applying them")
    unreadable = outcomes.pop(None, 0)
    click.echo(_listed({outcome.value: count for outcome, count in outcomes.items() if outcome}) or "nothing was kept")
    if unreadable:
        sys.exit(f"{unreadable} can't be decrypted: the key they were kept with is not in ENCRYPTION_KEYS")


@webhooks.command("replay")
@click.option("--id", "ids", multiple=True, type=click.UUID, help="Only this dead letter; may be repeated.")
@click.option("--org", "org_id", type=click.UUID, help="Only those of this organisation.")
@with_appcontext
def replay(ids: tuple[UUID, ...], org_id: UUID | None) -> None:
    """Apply the dead letters, events that could not be applied, once their reason has been removed."""
    wanted = {str(one) for one in ids}
    failed: list[tuple[Row, str]] = []
    found = 0
    with _database_needed(), _bar(webhook_counts.dead_letters(database.as_service()), "Replaying") as bar:
        for letter in _letters():
            if (not wanted or letter["id"] in wanted) and (org_id is None or letter["org_id"] == str(org_id)):
                found += 1
                reason = _replay(letter)
                failed += [(letter, reason)] if reason else []
            bar.update(1)
    click.echo(f"{found - len(failed)} replayed, {len(failed)} failed again")
    for letter, reason in failed:
        click.echo(f"{letter['id']} ({letter['event_type'] or 'no event'}): {reason}", err=True)
    if failed or (wanted and found < len(wanted)):
        sys.exit("not all of them are waiting" if not failed else 1)


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
    with _database_needed():
        calls = list(_unfinished(timedelta(minutes=minutes), timedelta(days=days)))
        with _bar(len(calls), "Asking") as bar:
            for call in calls:
                _count(results, reconcile.close(call), f"call {call['vapi_call_id']} of organisation {call['org_id']}")
                bar.update(1)
        until = datetime.now(UTC) - timedelta(minutes=minutes)
        since = datetime.now(UTC) - timedelta(hours=hours)
        if since < until:
            _add_unheard(results, since, until)
    click.echo(_listed({str(found): results[found] for found in Found if results[found]}) or "no call is open")
    if any(results[found] for found in _TROUBLES):
        sys.exit(1)


def _add_unheard(results: Counter[Found], since: datetime, until: datetime) -> None:
    accounts = unheard.accounts()
    with _bar(len(accounts) * _STEPS, "Looking for calls that are not known") as bar:
        for number, account in enumerate(accounts, 1):
            move = partial(_move, bar, number)
            for what, result in unheard.note(account, since, until, seen=move):
                _count(results, result, what)
            move(1.0)


def _move(bar: Any, account: int, share: float) -> None:
    bar.update(round((account - 1 + share) * _STEPS) - bar.pos)


def _count(results: Counter[Found], result: Found, what: str) -> None:
    results[result] += 1
    if result not in {Found.CLOSED, Found.GOING, Found.ADDED, Found.NOT_OURS}:
        click.echo(f"{what}: {result}", err=True)


@webhooks.command("prune")
@click.option("--days", type=click.IntRange(7), default=30, show_default=True, help="Keep what is younger.")
@with_appcontext
def prune(days: int) -> None:
    """Delete old records: the ledger, the delivery log and dead letters that have been replayed."""
    before = datetime.now(UTC) - timedelta(days=days)
    deleted: Counter[str] = Counter()
    with _database_needed():
        while any((batch := webhook_log.prune(database.as_service(), before)).values()):
            deleted.update(batch)
            click.echo(f"{deleted.total()} deleted ...", err=True)
    click.echo(_listed(deleted) or "nothing is that old")


@webhooks.command("status")
@with_appcontext
def status() -> None:
    """Show what waits on this machine and in the database."""
    kept_in = spool.of(current_app)
    if kept_in is None:
        click.echo("spool: none, events are refused while the database is away (see WEBHOOK_SPOOL_DIR)")
    else:
        size = kept_in.size()
        click.echo(f"spool: {size.events} events, {size.failed} of them tried in vain, {size.bytes / 1e6:.1f} MB")
    with _database_needed():
        db = database.as_service()
        click.echo(f"dead letters: {webhook_counts.dead_letters(db)}")
        click.echo(f"texts to be sent: {webhook_counts.waiting_texts(db)}")
        for word in ("completed", "failed", "dead_letter"):
            click.echo(f"deliveries {word.replace('_', ' ')}: {webhook_counts.deliveries(db, word)}")
        click.echo(f"calls without a report after 30 minutes: {_open_calls()}")


def _spool() -> SqliteSpool:
    kept_in = spool.of(current_app)
    if kept_in is None:
        sys.exit("there is no spool: set WEBHOOK_SPOOL_DIR")
    return kept_in


@contextmanager
def _database_needed() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            raise
        sys.exit("the database can't be reached; what has been done so far holds, the rest is still kept")


def _bar(length: int, label: str) -> Any:
    return click.progressbar(length=length, label=label, file=sys.stderr)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _letters() -> Iterable[Row]:
    after = None
    while batch := webhook_log.dead_letters(database.as_service(), limit=LETTERS, after=after):
        yield from batch
        after = batch[-1]


def _replay(letter: Row) -> str | None:
    """Apply a dead letter; returns why that failed again."""
    received_at = datetime.fromisoformat(letter["received_at"])
    again = Delivery(letter["source"], letter["org_id"], letter["payload"], received_at, letter["attempts"] + 1)
    try:
        outcome = handler.apply(again)
    except Exception as error:
        if is_unavailable(error):
            raise
        return handler.describe(error)
    if outcome is Outcome.UNKNOWN:
        return "nobody's assistant"
    webhook_log.mark_replayed(database.as_service(), letter["id"])
    return None


def _unfinished(older: timedelta, younger: timedelta) -> Iterable[Row]:
    now = datetime.now(UTC)
    after: Row = {"began": (now - younger).isoformat(), "id": _FIRST_ID}
    while batch := webhook_log.unfinished_calls(database.as_service(), now - older, limit=CALLS, after=after):
        yield from batch
        after = batch[-1]


def _open_calls() -> int:
    return sum(1 for _ in _unfinished(timedelta(minutes=30), timedelta(days=7)))
