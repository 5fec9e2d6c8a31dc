"""The gunicorn entry: `gunicorn wsgi:app -c voxanne/gunicorn.py`."""

import sys

from voxanne import create_app
from voxanne.config import ConfigError, load_settings
from voxanne.observability import logs

try:
    settings = load_settings()
    logs.configure(settings)
    app = create_app(settings)
except ConfigError as error:
    sys.exit(f"voxanne: {error}")
