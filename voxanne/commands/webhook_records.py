"""What is recorded of events: looked at, counted, and deleted when it is old. Never what an event says."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import click
from flask import current_app
from flask.cli import with_appcontext

from voxanne import database
from voxanne.commands.terminal import bar, database_needed, listed
from voxanne.commands.webhooks import open_calls
from voxanne.database import Row
from voxanne.queries import webhook_counts, webhook_log
from voxanne.services.webhooks import spool

_ID = re.compile(r"[A-Za-z0-9-]{1,200}")


@click.command("letters")
@click.option("--org", "org_id", type=click.UUID, help="Only those of this organisation.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@with_appcontext
def letters(org_id: UUID | None, limit: int) -> None:
    """List the dead letters that wait.

    Oldest first, each with its reason. `replay` applies them.
    """
    with database_needed():
        db, org = database.as_service(), str(org_id) if org_id else None
        found = webhook_log.list_dead_letters(db, org, limit=limit)
        waiting = webhook_counts.dead_letters(db, org)
    for letter in found:
        click.echo(
            f"{letter['id']}  {_time(letter['received_at'])}  organisation {letter['org_id'] or 'unknown'}  "
            f"{letter['event_type'] or 'no event'} {letter['event_id'] or ''}  {_tries(letter)}: {letter['reason']}"
        )
    click.echo(f"{len(found)} of {waiting}" if waiting else "no dead letter waits", err=True)


@click.command("log")
@click.option("--org", "org_id", type=click.UUID, required=True, help="The organisation.")
@click.option("--call", "call_id", help="Only events of this call, by the provider's id.")
@click.option("--failed", is_flag=True, help="Only those that have not been applied.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@with_appcontext
def log(org_id: UUID, call_id: str | None, *, failed: bool, limit: int) -> None:
    """Show an organisation's delivery log.

    The latest first: when each event came and was applied, after how many attempts, and what kept it from being so.
    """
    if call_id is not None and not _ID.fullmatch(call_id):
        raise click.BadParameter("ids are letters, digits and dashes", param_hint="--call")
    with database_needed():
        found = webhook_log.list_deliveries(
            database.as_service(), str(org_id), call_id=call_id, failed=failed, limit=limit
        )
    for row in found:
        applied = f"applied {_time(row['completed_at'])}" if row["completed_at"] else row["error_message"] or "-"
        click.echo(
            f"{_time(row['received_at'])}  {row['event_type']} {row['event_id']}  "
            f"{row['status'].replace('_', ' ')}, {_tries(row)}: {applied}"
        )
    if not found:
        click.echo("nothing is recorded", err=True)


@click.command("prune")
@click.option("--days", type=click.IntRange(7), default=30, show_default=True, help="Keep what is younger.")
@with_appcontext
def prune(days: int) -> None:
    """Delete old records.

    Those of the ledger, of the delivery log, and dead letters that have been replayed; those that wait are kept.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    deleted: Counter[str] = Counter()
    with database_needed(), bar(webhook_counts.prunable(database.as_service(), before), "Deleting") as progress:
        while any((batch := webhook_log.prune(database.as_service(), before)).values()):
            deleted.update(batch)
            progress.update(sum(batch.values()))
    click.echo(f"deleted: {listed(deleted)}" if deleted.total() else "nothing is that old")


@click.command("status")
@with_appcontext
def status() -> None:
    """Show what waits on this machine and in the database."""
    kept_in = spool.of(current_app)
    if kept_in is None:
        click.echo("spool: none, events are refused while the database is away (see WEBHOOK_SPOOL_DIR)")
    else:
        size = kept_in.size()
        click.echo(f"spool: {size.events} events, {size.failed} of them tried in vain, {size.bytes / 1e6:.1f} MB")
    with database_needed():
        db = database.as_service()
        click.echo(f"dead letters: {webhook_counts.dead_letters(db)}")
        click.echo(f"texts to be sent: {webhook_counts.waiting_texts(db)}")
        for word in ("completed", "dead_letter"):
            click.echo(f"deliveries {word.replace('_', ' ')}: {webhook_counts.deliveries(db, word)}")
        click.echo(f"calls without a report after 30 minutes: {open_calls()}")


def _time(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tries(row: Row) -> str:
    return f"{row['attempts']} attempt{'' if row['attempts'] == 1 else 's'}"
