"""How the command speaks: mistakes in one line, progress as a bar on a terminal and as lines elsewhere."""

import os
import pty
import subprocess

import pytest

from tests.seed.conftest import CALLS, run_seed, seed_command


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--orgs", "0"], '--orgs must be a whole number from 1, not "0"'),
        (["--calls", "many"], '--calls must be a whole number from 0, not "many"'),
        (["--org-calls", "one=5"], '--org-calls must look like 01=1000000, not "one=5"'),
        (["--now", "soon"], '--now must be a date such as 2026-01-31T12:00:00Z, not "soon"'),
        (["--clinics", "3"], "Unknown option '--clinics'"),
    ],
)
def test_wrong_option_is_explained(args: list[str], message: str) -> None:
    done = run_seed(*args, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(message)


def test_missing_environment_is_named() -> None:
    done = run_seed("--orgs", "1", check=False, DATABASE_URL="", SUPABASE_SERVICE_ROLE_KEY="")
    assert done.returncode == 2
    assert done.stderr.startswith("not set in the environment: DATABASE_URL, SUPABASE_SERVICE_ROLE_KEY\n")


def test_dead_database_is_a_plain_message() -> None:
    done = run_seed("--orgs", "1", check=False, DATABASE_URL="postgresql://postgres:x@127.0.0.1:9/postgres")
    assert done.returncode == 1
    assert done.stderr.startswith("The seed failed: ")
    assert "ECONNREFUSED" in done.stderr
    assert "    at " not in done.stderr


def test_progress_is_a_bar_on_a_terminal(clinics: list[str]) -> None:
    shown = on_terminal(seed_command("--orgs", "1", "--calls", str(CALLS), "--replace"))
    assert "\r\x1b[K[" in shown
    assert f"of {CALLS + round(CALLS * 0.18)} rows" in shown


def on_terminal(command: list[str]) -> str:
    leader, follower = pty.openpty()
    process = subprocess.Popen(command, stderr=follower, stdout=subprocess.DEVNULL)
    os.close(follower)
    shown = b""
    try:
        while chunk := os.read(leader, 65536):
            shown += chunk
    except OSError:  # Linux's way to say that the other side is closed
        pass
    os.close(leader)
    assert process.wait() == 0
    return shown.decode()


def test_progress_is_plain_lines_elsewhere(clinics: list[str]) -> None:
    done = run_seed("--orgs", "1", "--calls", str(CALLS), "--replace")
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert f"of {CALLS + round(CALLS * 0.18)} rows" in done.stderr
    assert done.stdout.startswith(f"Demo data: 1 clinic with {CALLS} calls in ")
