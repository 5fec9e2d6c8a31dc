"""Maintenance commands: `flask --app wsgi <command>`."""

from flask import Flask

from voxanne.commands.counts import rollups
from voxanne.commands.secrets import rotate_secrets
from voxanne.commands.webhook_records import letters, log, prune, status
from voxanne.commands.webhooks import webhooks

for record_command in (letters, log, prune, status):
    webhooks.add_command(record_command)


def init_app(app: Flask) -> None:
    """Register every command."""
    app.cli.add_command(rotate_secrets)
    app.cli.add_command(rollups)
    app.cli.add_command(webhooks)
