"""The same seed gives the same rows, and a clinic is there whole or not at all."""

import subprocess
import time

import psycopg

from tests.seed.conftest import CALLS, TWO_CLINICS, all_digests, run_seed, seed_command

Digests = list[dict[str, str]]


def test_same_seed_gives_identical_rows(sql: psycopg.Connection, before: Digests) -> None:
    run_seed(*TWO_CLINICS, "--replace")
    assert all_digests(sql) == before
    assert all(not digest.startswith("0 ") for clinic in before for digest in clinic.values())


def test_clinics_differ_from_each_other(before: Digests) -> None:
    first, second = before
    assert {table for table in first if first[table] == second[table]} == set()


def test_a_clinic_does_not_depend_on_how_many_are_made(sql: psycopg.Connection, before: Digests) -> None:
    run_seed("--orgs", "1", "--calls", str(CALLS), "--replace")
    assert all_digests(sql) == before


def test_another_seed_gives_other_rows(sql: psycopg.Connection, before: Digests) -> None:
    run_seed(*TWO_CLINICS, "--seed", "2", "--replace")
    after = all_digests(sql)
    assert not {
        table for table in ("contacts", "call_logs", "calls", "appointments") if after[1][table] == before[1][table]
    }


def test_full_clinics_stay_as_they_are(sql: psycopg.Connection, before: Digests) -> None:
    done = run_seed(*TWO_CLINICS, "--seed", "5")
    assert all_digests(sql) == before
    assert "2 of 2 clinics hold calls already and stay as they are" in done.stderr


def test_org_calls_sets_the_number_for_one_clinic(sql: psycopg.Connection, before: Digests, clinics: list[str]) -> None:
    run_seed(*TWO_CLINICS, "--org-calls", "02=90", "--replace")
    count = "select count(*) from calls_feed where org_id = %s"
    assert [sql.execute(count, [org_id]).fetchone()["count"] for org_id in clinics] == [CALLS, 90]


def test_killed_seed_leaves_the_clinic_as_it_was(sql: psycopg.Connection, before: Digests) -> None:
    command = seed_command("--orgs", "1", "--calls", "300000", "--replace")
    seed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for_copy(sql)
    seed.kill()
    seed.wait()
    assert all_digests(sql) == before


def wait_for_copy(sql: psycopg.Connection) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        row = sql.execute("select max(tuples_processed) as rows from pg_stat_progress_copy").fetchone()
        if (row["rows"] or 0) > 1000:
            return
        time.sleep(0.05)
    raise AssertionError("no COPY was seen")


def test_if_empty_leaves_a_database_in_use_alone(sql: psycopg.Connection, before: Digests) -> None:
    done = run_seed("--orgs", "12", "--if-empty")
    assert (done.stdout, done.stderr) == ("", "")
    assert all_digests(sql) == before


def test_if_empty_finishes_an_interrupted_seed(sql: psycopg.Connection, before: Digests, clinics: list[str]) -> None:
    sql.execute("delete from organizations where id = %s", [clinics[1]])
    sql.execute("delete from auth.users where email like '%%@clinic-02.example'")
    run_seed(*TWO_CLINICS, "--if-empty")
    assert all_digests(sql) == before


def test_if_empty_adds_accounts_that_were_not_made(
    sql: psycopg.Connection, before: Digests, clinics: list[str]
) -> None:
    sql.execute("delete from auth.users where email like '%%@clinic-02.example'")
    run_seed(*TWO_CLINICS, "--if-empty")
    members = sql.execute("select count(*) from user_org_roles where org_id = %s", [clinics[1]]).fetchone()
    assert members["count"] == 8
