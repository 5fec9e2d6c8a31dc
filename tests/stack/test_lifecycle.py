"""Starting, stopping, starting twice, and what is left behind: nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.stack.launcher import (
    clean_environment,
    copy_repository,
    launch,
    processes_of,
    refuses,
    run,
    stack_command,
    wait_until,
)


def is_down(stack):
    return refuses(stack.env["SUPABASE_URL"]) and refuses(stack.env["DATABASE_URL"])


def test_command_gets_the_names_and_its_code_is_passed_on(clone):
    names = [
        "SUPABASE_URL",
        "SUPABASE_PUBLISHABLE_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "SUPABASE_JWT_SECRET",
        "DATABASE_URL",
        "REDIS_URL",
    ]
    script = f"import os, sys; print([bool(os.environ[name]) for name in {names}]); sys.exit(7)"
    ended = run(clone, "--ephemeral", "--redis", "--", sys.executable, "-c", script)
    assert ended.returncode == 7
    assert str([True] * 6) in ended.stdout
    assert not (clone / ".local").exists()
    assert not processes_of(clone)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signal_to_the_parent_only_ends_everything(clone, how):
    stack = launch(clone, "--ephemeral")
    assert stack.stop(how) == 128 + how or stack.process.returncode == 1
    assert is_down(stack)
    assert wait_until(lambda: not processes_of(clone))


def test_interrupt_of_the_whole_group_lets_the_command_finish_first(clone):
    handler = "lambda *_: (time.sleep(0.5), os._exit(5))"
    script = f"import os, signal, time; signal.signal(2, {handler}); print('ENV {{}}', flush=True); time.sleep(60)"
    stack = launch(clone, "--ephemeral", command=(sys.executable, "-c", script))
    os.killpg(stack.process.pid, signal.SIGINT)
    assert stack.process.wait(timeout=60) == 5
    assert wait_until(lambda: not processes_of(clone))


def test_kill_of_the_parent_leaves_no_process_and_no_directory(clone, open_place):
    scratch = make(open_place / "scratch")
    stack = launch(clone, "--ephemeral", "--redis", extra={"TMPDIR": str(scratch)})
    assert list(scratch.iterdir())
    stack.stop(signal.SIGKILL)
    assert wait_until(lambda: is_down(stack) and refuses(stack.env["REDIS_URL"]))
    assert wait_until(lambda: not processes_of(clone))
    assert wait_until(lambda: not list(scratch.iterdir()))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see how far the start is")
def test_signal_during_the_start_calls_it_off(clone):
    (clone / "supabase" / "migrations" / "20260101000001_slow.sql").write_text("select pg_sleep(60);\n")
    stack = run_in_background(clone)
    assert wait_until(lambda: any("postgres" in name for name in commands_of(stack.pid)))
    stack.send_signal(signal.SIGTERM)
    assert stack.wait(timeout=50) == 143  # before the migration is over
    assert wait_until(lambda: not processes_of(clone))


def run_in_background(clone):
    command = stack_command(clone, "--ephemeral", "--", "true")
    return subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def commands_of(parent):
    names = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"PPid:\t{parent}\n" in (entry / "status").read_text():
                names.append((entry / "comm").read_text())
        except OSError:
            continue
    return names


def test_failing_migration_is_told_in_plain_words(clone):
    (clone / "supabase" / "migrations" / "20260101000001_bad.sql").write_text("create table public.kept (id int);\n")
    ended = run(clone, "--ephemeral", "--", "true")
    assert ended.returncode == 1
    assert "supabase db push failed" in ended.stderr
    assert "already exists" in ended.stderr
    assert not processes_of(clone)


def test_an_address_that_is_none_is_named(clone):
    ended = run(clone, "--", "true", SUPABASE_URL="not an address")
    assert ended.returncode == 1
    assert "SUPABASE_URL" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_missing_program_is_told_in_one_line(clone):
    ended = run(clone, "--ephemeral", "--", "no-such-program")
    assert ended.returncode == 1
    assert "there is no such program" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_second_durable_start_repeats_the_addresses(clone):
    stack = launch(clone)
    try:
        again = run(clone, "--", "false")
        assert again.returncode == 0
        assert "already runs" in again.stdout
        assert stack.env["SUPABASE_URL"] in again.stdout
        script = "import os; print(os.environ['DATABASE_URL'], os.environ['APP_ENV'])"
        attached = run(clone, "--attach", "--", sys.executable, "-c", script)
        assert attached.stdout.split() == [stack.env["DATABASE_URL"], "development"]
    finally:
        stack.stop()
    assert not (clone / ".local" / "stack.json").exists()


def test_taken_ports_are_replaced_and_told(clone):
    with socket.socket() as first, socket.socket() as second:
        for taken in (first, second):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
        ports = (first.getsockname()[1], second.getsockname()[1])
        stack = launch(clone, ports=ports)
        assert stack.stop() != 0
    assert sum("is taken by another program" in line for line in stack.lines) == 2
    assert str(ports[0]) not in stack.env["SUPABASE_URL"]
    assert str(ports[1]) not in stack.env["DATABASE_URL"]


def test_taken_app_port_is_one_clear_line(clone):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(clone, "--app", "--", "true", PORT=str(port))
    assert ended.returncode == 1
    assert "PORT=" in ended.stderr
    assert not processes_of(clone)


def test_hosted_project_in_dotenv_starts_nothing(clone):
    (clone / ".env").write_text(
        "SUPABASE_URL=https://project.supabase.example\nSUPABASE_PUBLISHABLE_KEY='quoted' # why\n"
    )
    script = "import json, os; print(json.dumps([os.environ['SUPABASE_URL'], os.environ['SUPABASE_PUBLISHABLE_KEY']]))"
    ended = run(clone, "--", "false", "--then", sys.executable, "-c", script)
    assert json.loads(ended.stdout) == ["https://project.supabase.example", "quoted"]
    refused = run(clone, "--local-only", "--", "true")
    assert refused.returncode == 1
    assert not (clone / ".local").exists()


def test_commands_run_in_turn_until_one_fails(clone):
    ended = run(clone, "--ephemeral", "--", "echo", "one", "--then", "sh", "-c", "exit 4", "--then", "echo", "three")
    assert ended.returncode == 4
    assert "one" in ended.stdout
    assert "three" not in ended.stdout


def test_control_makes_supabase_slow_or_dead_and_well_again(clone):
    stack = launch(clone, "--ephemeral", "--redis")
    url, key = stack.env["SUPABASE_URL"], stack.env["SUPABASE_SERVICE_ROLE_KEY"]

    def control(action, name):
        assert httpx.post(f"{url}/__control/{action}/{name}", timeout=30).status_code == 200

    def kept(timeout=30):
        return httpx.get(f"{url}/rest/v1/kept", headers={"apikey": key}, timeout=timeout).status_code

    try:
        assert kept() == 200
        for name in ("rest", "postgres"):
            control("pause", name)
            with pytest.raises(httpx.ReadTimeout):
                kept(timeout=httpx.Timeout(30, read=1))
            control("resume", name)
            assert wait_until(lambda: kept() == 200)
            control("stop", name)
            assert kept() >= 500
            control("start", name)
            assert wait_until(lambda: kept() == 200)
        control("stop", "redis")
        assert refuses(stack.env["REDIS_URL"])
        assert httpx.post(f"{url}/__control/stop/nothing").status_code == 404
    finally:
        stack.stop()


def test_durable_stack_has_no_control(clone):
    stack = launch(clone)
    try:
        assert httpx.post(f"{stack.env['SUPABASE_URL']}/__control/stop/rest").status_code == 404
    finally:
        stack.stop()


def test_throw_away_stacks_run_side_by_side(open_place):
    clones = [copy_repository(make(open_place / name)) for name in ("one", "two")]
    stacks = [launch(clone, "--ephemeral") for clone in clones]
    try:
        for number, stack in enumerate(stacks):
            with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
                connection.execute("insert into public.kept values (%s)", [number])
        with psycopg.connect(stacks[0].env["DATABASE_URL"]) as connection:
            assert connection.execute("select id from public.kept").fetchall() == [(0,)]
    finally:
        for stack in stacks:
            stack.stop()


def make(directory):
    directory.mkdir(parents=True)
    return directory


def test_unknown_option_is_refused(clone):
    ended = run(clone, "--epheremal", "--", "true")
    assert ended.returncode == 1
    assert "--epheremal" in ended.stderr
