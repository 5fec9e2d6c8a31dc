"""The counts behind totals and statistics: compared with a recount, and counted anew."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
from flask.cli import with_appcontext

from voxanne import database
from voxanne.commands.terminal import bar, database_needed
from voxanne.queries import organizations
from voxanne.queries import rollups as queries
from voxanne.services import contacts

BATCH = 500
_org = click.option("--org", "org_id", type=click.UUID, help="Only those of this organisation.")


@click.group("rollups")
def rollups() -> None:
    """Compare or renew the counts that the database keeps.

    Those are calls by time, direction and status, and contacts and appointments by status.
    """


@rollups.command("check")
@_org
@with_appcontext
def check(org_id: UUID | None) -> None:
    """List what differs from a recount."""
    drifted, least = 0, ""
    with _each(org_id, "Recounting") as found:
        for org in found:
            differing = queries.drift(database.as_service(unhurried=True), org)
            drifted += len(differing)
            least = "at least " if len(differing) == queries.MOST_DRIFT else least
            for row in differing:
                by = ", ".join(str(value) for value in row["counted_by"].values())
                click.echo(f"organisation {org}: {row['rollup']} ({by}): kept {row['kept']}, counted {row['counted']}")
    if drifted:
        sys.exit(f"{least}{drifted} counts have drifted: `rollups rebuild` counts anew")
    click.echo("nothing has drifted")


@rollups.command("rebuild")
@_org
@with_appcontext
def rebuild(org_id: UUID | None) -> None:
    """Count everything anew, one organisation after the other.

    Its writers wait meanwhile, and are told to try again where that takes longer than some seconds. Processes that keep
    their cache to themselves show the former numbers of contacts for up to five minutes.
    """
    counts = clinics = 0
    with _each(org_id, "Counting") as found:
        for org in found:
            with contacts.changing(org):
                counts += queries.rebuild(database.as_service(unhurried=True), org)
            clinics += 1
    click.echo(f"{counts} counts of {clinics} organisations")


@contextmanager
def _each(org_id: UUID | None, label: str) -> Iterator[Iterator[str]]:
    one = str(org_id) if org_id else None
    with database_needed():
        total = organizations.count_organizations(database.as_service(), one)
        if one and not total:
            sys.exit("there is no such organisation")
        with bar(total, label) as progress:
            yield _walk(one, progress)


def _walk(org_id: str | None, progress: Any) -> Iterator[str]:
    if org_id:
        yield org_id
        progress.update(1)
        return
    after = None
    while batch := organizations.list_ids(database.as_service(), after=after, limit=BATCH):
        for after in batch:
            yield after
            progress.update(1)
