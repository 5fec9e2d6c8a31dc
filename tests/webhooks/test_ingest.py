"""`make ingest`, small: calls come in over HTTP to real gunicorn while Postgres is stopped, and each is there once."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_call_is_lost_or_doubled_while_the_database_is_stopped() -> None:
    # A stack of its own: stopping Postgres would end the other tests' connections.
    stack = ["node", "supabase/local/main.mjs", "--ephemeral", "--"]
    command = [*stack, sys.executable, "-m", "tests.performance.ingest", "--calls", "300", "--outage", "3"]
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("SUPABASE_", "DATABASE_", "REDIS_"))
    }
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "all calls are there, each once" in done.stdout
    assert " spooled" in done.stdout
