"""A durable stack loses nothing that it has acknowledged, and starts again whatever it was killed by."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from tests.stack.launcher import clean_environment, copy_repository, launch, processes_of, run, wait_until

as_root = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can be somebody else; for others every test here shows it"
)


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find every process")


def write_until_killed(url, written):
    """Insert row after row and note each number once its commit is acknowledged."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            for number in range(1_000_000):
                connection.execute("insert into public.kept values (%s)", [number])
                written.append(number)
    except psycopg.Error:
        return


def kill_everything(stack, clone):
    for pid in [stack.process.pid, *descendants(stack.process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    stack.process.wait(timeout=60)


def descendants(root):
    table = subprocess.run(
        ["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null"], capture_output=True, text=True, check=False
    ).stdout
    parents = {}
    for line in table.splitlines():
        head, _, tail = line.rpartition(") ")
        parents[int(head.split(" ", 1)[0])] = int(tail.split()[1])
    found = [root]
    for _ in range(6):
        found += [pid for pid, parent in parents.items() if parent in found and pid not in found]
    return found[1:]


@on_linux
def test_kill_of_the_entire_stack_loses_no_acknowledged_row(clone, open_place):
    scratch = make_for(open_place / "scratch", os.getuid())
    stack = launch(clone, extra={"TMPDIR": str(scratch)})
    written = []
    writer = Thread(target=write_until_killed, args=(stack.env["DATABASE_URL"], written))
    writer.start()
    assert wait_until(lambda: len(written) > 100)
    kill_everything(stack, clone)
    writer.join(timeout=60)
    again = launch(clone)
    try:
        with psycopg.connect(again.env["DATABASE_URL"]) as connection:
            kept = {row[0] for row in connection.execute("select id from public.kept").fetchall()}
            assert connection.execute("show fsync").fetchone() == ("on",)
    finally:
        again.stop()
    assert not list(scratch.iterdir())
    assert set(written) <= kept


@on_linux
def test_orphans_of_a_killed_parent_do_not_hinder_the_next_start(clone):
    stack = launch(clone)
    guard = next(pid for pid in descendants(stack.process.pid) if "guard.sh" in command_line(pid))
    os.kill(guard, signal.SIGKILL)
    orphans = descendants(stack.process.pid)
    stack.stop(signal.SIGKILL)
    assert any("postgres" in command_line(pid) for pid in orphans)
    again = launch(clone)
    try:
        with psycopg.connect(again.env["DATABASE_URL"]) as connection:
            assert connection.execute("select count(*) from public.kept").fetchone() == (0,)
        assert not [pid for pid in orphans if command_line(pid)]
    finally:
        again.stop()
    assert wait_until(lambda: not processes_of(clone))


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""


def test_second_start_does_nothing_again(clone):
    run(clone, "--", "true")
    made = (clone / ".local" / "data" / "PG_VERSION").stat()
    ended = run(clone, "--", "true")
    assert ended.returncode == 0
    assert "migrations are up to date" in ended.stdout
    assert (clone / ".local" / "data" / "PG_VERSION").stat().st_ino == made.st_ino


def test_reset_wipes_only_when_told_and_not_while_running(clone):
    reset = ["node", str(clone / "supabase" / "local" / "reset.mjs")]

    def say(*words):
        return subprocess.run(
            [*reset, *words],
            env=clean_environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    stack = launch(clone)
    assert "stop it first" in say("--force").stderr
    stack.stop()
    assert say().returncode == 1
    assert (clone / ".local" / "data" / "PG_VERSION").exists()
    assert say("--force").returncode == 0
    assert not (clone / ".local" / "data").exists()


def test_push_applies_new_migrations_to_the_running_stack(clone):
    stack = launch(clone)
    try:
        (clone / "supabase" / "migrations" / "20260101000002_more.sql").write_text(
            "create table public.more (id int);\n"
        )
        push = ["node", str(clone / "supabase" / "local" / "push.mjs")]
        ended = subprocess.run(push, env=clean_environment(), capture_output=True, text=True, check=False)
        assert "1 migrations applied" in ended.stdout, ended.stderr
        with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
            assert connection.execute("select count(*) from public.more").fetchone() == (0,)
    finally:
        stack.stop()


@as_root
def test_ordinary_account_runs_a_stack(open_place):
    clone = copy_repository(make_for(open_place / "nobody", 65534))
    subprocess.run(["chown", "-R", "-h", "65534:65534", str(clone)], check=True)
    stack = launch(clone, user=65534, group=65534, extra_groups=[])
    assert stack.env["SUPABASE_URL"]
    assert stack.stop() != 0
    assert (clone / ".local" / "data").stat().st_uid == 65534


def make_for(directory, uid):
    directory.mkdir()
    os.chown(directory, uid, uid)
    return directory


@as_root
def test_root_runs_a_stack_below_a_home_that_nobody_else_can_enter(open_place):
    home = open_place / "home"
    home.mkdir(mode=0o700)
    clone = copy_repository(make_for(home / "clone", 0))
    run(clone, "--", "true")
    stack = launch(clone)
    data = (clone / ".local" / "data").resolve()
    stack.stop()
    assert data.is_relative_to("/var/lib/voxanne-local")
    subprocess.run(
        ["node", str(clone / "supabase" / "local" / "reset.mjs"), "--force"], env=clean_environment(), check=True
    )
    assert not data.exists()
