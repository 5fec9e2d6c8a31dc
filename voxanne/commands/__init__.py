"""Maintenance commands: `flask --app wsgi <command>`."""

from flask import Flask

from voxanne.commands.secrets import rotate_secrets


def init_app(app: Flask) -> None:
    """Register every command."""
    app.cli.add_command(rotate_secrets)
