"""The back end of Voxanne, an AI receptionist that answers the phone for clinics."""

from flask import Flask

from voxanne import auth, commands, csrf, database, errors, http, json_provider, limits, routes
from voxanne.cache import cache
from voxanne.config import Settings, load_settings
from voxanne.integrations import twilio, vapi
from voxanne.observability import requests
from voxanne.services import last_known
from voxanne.services.webhooks import drainer, spool


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application; raises `ConfigError` if a setting is missing or wrong."""
    settings = settings or load_settings()
    app = Flask(__name__, static_folder=None)
    app.config["SETTINGS"] = settings
    app.testing = settings.app_env == "test"
    json_provider.init_app(app)
    errors.init_app(app)
    # From here on the order is that of a request's way in: name, CSRF, guard, limit; the clock runs around all of it.
    http.init_app(app)
    csrf.init_app(app)
    database.init_app(app)
    cache.init_app(app, unavailable=errors.is_unavailable)
    requests.init_app(app)
    last_known.init_app(app)
    vapi.init_app(app)
    twilio.init_app(app)
    spool.init_app(app)
    drainer.init_app(app)
    auth.init_app(app)
    routes.init_app(app)
    limits.init_app(app, webhooks=routes.WEBHOOKS)
    commands.init_app(app)
    return app
