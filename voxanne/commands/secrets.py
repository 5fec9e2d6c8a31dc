"""Re-encrypts what is stored under an old key."""

import contextlib
import sys
from collections.abc import Iterator

import click
import orjson
from flask import current_app
from flask.cli import with_appcontext

from voxanne import database
from voxanne.commands.terminal import bar, database_needed
from voxanne.database import Row
from voxanne.queries import credentials
from voxanne.services import org_settings, secrets
from voxanne.services.webhooks import spool

BATCH = 200


@click.command("rotate-secrets")
@with_appcontext
def rotate_secrets() -> None:
    """Re-encrypt every stored secret, and the events kept on this machine, with the first of ENCRYPTION_KEYS.

    Can be repeated and interrupted at will: what is under the first key already stays as it is. The other keys may be
    taken out of ENCRYPTION_KEYS once this reports nothing unreadable and the caches have forgotten the old ones.
    """
    with database_needed():
        missed = _rotate_stored()
    for row in missed:
        click.echo(f"unreadable: {row['provider']} of organisation {row['org_id']}", err=True)
    kept_in = spool.of(current_app)
    lost = kept_in.rotate()[1] if kept_in else 0
    if lost:
        click.echo(f"unreadable: {lost} events kept in WEBHOOK_SPOOL_DIR", err=True)
    if missed or lost:
        sys.exit(1)


def _rotate_stored() -> list[Row]:
    """Re-encrypt what the database holds, and return what can't be read."""
    total = credentials.count_credentials(database.as_service())
    click.echo(f"{total} sets of secrets")
    rotated = current = 0
    missed: list[Row] = []
    with bar(total, "Re-encrypting") as progress:
        for batch in _batches():
            fresh, unreadable = _rotated(batch)
            done = _replace(batch, fresh)
            missed += unreadable
            rotated += len(done)
            current += len(batch) - len(fresh) - len(unreadable)
            changed_meanwhile = len(fresh) - len(done)
            if changed_meanwhile:
                click.echo(f"{changed_meanwhile} changed meanwhile: run this again")
            progress.update(len(batch))
    click.echo(f"{rotated} re-encrypted, {current} were up to date, {len(missed)} unreadable")
    return missed


def _batches() -> Iterator[list[Row]]:
    after = None
    while batch := credentials.list_credentials(database.as_service(), after=after, limit=BATCH):
        yield batch
        after = batch[-1]["id"]


def _rotated(batch: list[Row]) -> tuple[list[Row], list[Row]]:
    fresh, unreadable = [], []
    for row in batch:
        old = row["encrypted_config"]
        fields = secrets.fields_of(old)
        try:
            new = {name: secrets.rotate(ciphertext) for name, ciphertext in fields.items()}
        except secrets.SecretUnreadableError:
            unreadable.append(row)
            continue
        if not fields:
            unreadable.append(row)
        elif new != fields:
            fresh.append({"id": row["id"], "old": old, "new": orjson.dumps(new).decode()})
    return fresh, unreadable


def _replace(batch: list[Row], fresh: list[Row]) -> set[str]:
    if not fresh:
        return set()
    touched = {row["id"] for row in fresh}
    with contextlib.ExitStack() as changes:
        for org_id in {row["org_id"] for row in batch if row["id"] in touched}:
            changes.enter_context(org_settings.changing(org_id))
        return credentials.replace_ciphertexts(database.as_service(), fresh)
