"""Starts stacks of a test's own, from a light copy of the repository."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
LEFT_OUT = ("SUPABASE_", "DATABASE_URL", "REDIS_URL", "APP_ENV", "HOST", "PORT")
MIGRATION = "create table public.kept (id bigint primary key);\n"
REPORT = ("node", "-e", "console.log('ENV ' + JSON.stringify(process.env)); setTimeout(() => {}, 120000)")


def free_port():
    """Return a port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def copy_repository(target):
    """Make a clone with one small migration and the installed packages."""
    local = target / "supabase" / "local"
    shutil.copytree(REPO / "supabase" / "local", local, ignore=shutil.ignore_patterns("node_modules", "seed"))
    (local / "node_modules").symlink_to(REPO / "supabase" / "local" / "node_modules")
    (target / ".venv").symlink_to(REPO / ".venv")
    shutil.copy(REPO / "supabase" / "config.toml", target / "supabase" / "config.toml")
    migrations = target / "supabase" / "migrations"
    migrations.mkdir()
    (migrations / "20260101000000_kept.sql").write_text(MIGRATION)
    return target


def clean_environment(**extra):
    """The environment without what `make test` has set for the stack around this test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    return {**kept, **extra}


def stack_command(clone, *words):
    return ["node", str(clone / "supabase" / "local" / "main.mjs"), *words]


@dataclass
class Launched:
    """A stack in the background; `env` is what its command was given."""

    process: subprocess.Popen
    env: dict = field(default_factory=dict)
    lines: list = field(default_factory=list)

    def wait_for_env(self):
        for line in self.process.stdout:
            if line.startswith("ENV "):
                self.env = json.loads(line[4:])
                return self
            self.lines.append(line.rstrip())
        raise AssertionError("the stack ended: " + "\n".join(self.lines))

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=60)


def launch(clone, *flags, command=REPORT, ports=None, extra=None, **options):
    """Start a stack and return once its command runs."""
    api, database = ports or (free_port(), free_port())
    env = clean_environment(LOCAL_SUPABASE_PORT=str(api), LOCAL_DATABASE_PORT=str(database), **(extra or {}))
    process = subprocess.Popen(
        stack_command(clone, *flags, "--", *command),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        start_new_session=True,
        **options,
    )
    return Launched(process).wait_for_env()


def run(clone, *words, timeout=120, **extra):
    """Run a stack to its end and return the finished process."""
    env = clean_environment(LOCAL_SUPABASE_PORT=str(free_port()), LOCAL_DATABASE_PORT=str(free_port()), **extra)
    return subprocess.run(
        stack_command(clone, *words),
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
        cwd="/",
    )


def processes_of(clone, *places):
    """Numbers of the processes whose command line or environment names the clone or one of these places."""
    found = []
    wanted = [str(clone).encode(), *(str(place).encode() for place in places)]
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            known = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(entry.name) != os.getpid() and any(place in known for place in wanted):
            found.append(int(entry.name))
    return found


def wait_until(condition, seconds=60):
    """Poll until the condition holds, and return whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def refuses(url):
    """Tell whether nothing listens at the URL's port any more."""
    port = int(url.split("@")[-1].split(":")[-1].split("/")[0])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
