"""The commands of the Makefile: what they are, and what they say on a machine that is too old."""

import os
import re
import subprocess

import pytest

from tests.stack.launcher import REPO, clean_environment

TARGETS = {"help", "setup", "run", "test", "seed", "db-push", "reset", "lint"}
OLD = '#!/bin/sh\n[ "$1" = --version ] && echo "{version}" && exit 0\nexit 1\n'


def make(*words, **extra):
    return subprocess.run(
        ["make", "-C", str(REPO), *words], env=clean_environment(**extra), capture_output=True, text=True, check=False
    )


def test_help_lists_every_target_with_a_line():
    listed = dict(re.findall(r"^  make (\S+)\s+(\S.*)$", make("help").stdout, re.MULTILINE))
    assert listed.keys() >= TARGETS


def seed_command(*words):
    shown = make("--dry-run", "--old-file=setup", "seed", *words).stdout
    return re.search(r"seed/main\.mjs (.*)", shown)[1].split()


def test_seed_passes_its_options_on():
    assert seed_command() == ["--orgs", "12", "--calls", "1200"]
    options = ["--seed", "7", "--replace", "--org-calls", "01=1000000", "--org-calls", "02=5"]
    assert seed_command("SEED=7", "REPLACE=1", "ORG_CALLS=01=1000000 02=5")[4:] == options
    assert all(name in make("help").stdout for name in ("REPLACE=1", "SEED=1", "ORG_CALLS=01=1000000"))


def test_a_maintenance_command_runs_beside_the_stack_or_with_one_of_its_own():
    shown = make("--dry-run", "--old-file=setup", "flask", "ARGS=webhooks log --org 1").stdout
    assert re.search(r"main\.mjs (.*)", shown)[1].split() == [
        "--attach", "--", ".venv/bin/flask", "--app", "wsgi", "webhooks", "log", "--org", "1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("program", "version", "told"),
    [("python3", "Python 3.9.2", "Python 3.11 or newer is needed"), ("node", "v18.1.0", "Node 20 or newer is needed")],
)
def test_old_program_is_one_clear_line(open_place, program, version, told):
    fake = open_place / program
    fake.write_text(OLD.format(version=version))
    fake.chmod(0o755)
    ended = make("tools", PATH=f"{open_place}{os.pathsep}{os.environ['PATH']}")
    assert ended.returncode == 2
    first, *rest = ended.stderr.strip().splitlines()
    assert told in first
    assert version in first
    assert all(line.startswith("make") for line in rest)
