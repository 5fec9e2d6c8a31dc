"""A part of the stack that dies comes back, or the stack ends: it is never dead in silence."""

import os
import signal
import time

import httpx
import psycopg
import pytest

from tests.stack.launcher import launch, processes_of, refuses, wait_until
from tests.stack.test_durability import command_line, descendants, on_linux

PROGRAMS = {"/postgrest": "PostgREST", "bin/postgres": "Postgres", "redis-server": "Redis"}


@pytest.fixture
def stack(clone):
    """A throw-away stack that is gone after the test, whatever the test did to it."""
    launched = launch(clone, "--ephemeral", "--redis")
    yield launched
    launched.stop(signal.SIGKILL)


def running(stack, program):
    """The number of the stack's program of this name, or None."""
    found = (pid for pid in descendants(stack.process.pid) if program in command_line(pid).split("\0")[0])
    return next(found, None)


def kill(stack, program):
    pid = running(stack, program)
    os.kill(pid, signal.SIGKILL)
    return wait_until(lambda: running(stack, program) not in {None, pid})


def works(stack):
    headers = {"apikey": stack.env["SUPABASE_SERVICE_ROLE_KEY"]}
    try:
        with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
            connection.execute("select 1 from public.kept")
        read = httpx.get(f"{stack.env['SUPABASE_URL']}/rest/v1/kept", headers=headers, timeout=20).status_code
        listed = httpx.get(f"{stack.env['SUPABASE_URL']}/auth/v1/admin/users", headers=headers, timeout=20).status_code
    except (psycopg.Error, httpx.HTTPError):
        return False
    return (read, listed) == (200, 200) and not refuses(stack.env["REDIS_URL"])


@on_linux
@pytest.mark.parametrize("program", PROGRAMS)
def test_dead_part_is_told_and_started_again(clone, stack, program):
    with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
        # A throw-away Postgres commits asynchronously: the last migrations would be lost with it.
        connection.execute("set local synchronous_commit = on")
        connection.execute("comment on table public.kept is 'written, with all that came before'")
    assert kill(stack, program)
    # PostgREST waits longer before each try to find Postgres again: 1 s, 2 s, 4 s, up to 32 s.
    assert wait_until(lambda: works(stack), seconds=100)
    assert stack.stop() != 0
    told = [line for line in stack.process.stdout if "has ended unasked" in line]
    assert told == [f"{PROGRAMS[program]} has ended unasked (SIGKILL); starting it again.\n"]
    assert wait_until(lambda: not processes_of(clone))


@on_linux
def test_part_that_keeps_dying_ends_the_stack(clone, stack):
    for _ in range(4):
        assert kill(stack, "redis-server")
        time.sleep(0.5)
    os.kill(running(stack, "redis-server"), signal.SIGKILL)
    assert stack.process.wait(timeout=60) == 1
    assert stack.process.stdout.read().splitlines()[-1].startswith("Redis ended 5 times within a minute")
    assert wait_until(lambda: not processes_of(clone))
