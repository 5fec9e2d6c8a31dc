"""Keys, CORS and the database's settings as the door shows them."""

import os
import time

import httpx
import jwt
import psycopg
import pytest

ORIGIN = "http://localhost:3000"
ASKED = "authorization,apikey,content-type,x-client-info,x-supabase-api-version,prefer,accept-profile,content-profile"
PLACES = [
    "/rest/v1/organizations",
    "/rest/v1/no_such_table",
    "/auth/v1/user",
    "/auth/v1/nothing",
    "/storage/v1/object/no/where",
    "/nothing",
]


def legacy(role):
    return jwt.encode(
        {"role": role, "iss": "supabase-demo", "exp": int(time.time()) + 600},
        os.environ["SUPABASE_JWT_SECRET"],
        algorithm="HS256",
    )


def rest(path="/rest/v1/organizations?select=id&limit=1", **headers):
    return httpx.get(os.environ["SUPABASE_URL"] + path, headers=headers, timeout=30)


def test_without_a_key_nobody_gets_in():
    for path in ("/rest/v1/organizations", "/auth/v1/user", "/storage/v1/bucket"):
        assert rest(path).status_code == 401
        assert rest(path, apikey="sb_publishable_wrong").status_code == 401


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__", "hasOwnProperty"])
def test_name_that_every_object_has_is_no_key(name, publishable):
    for path in ("/rest/v1/organizations", "/auth/v1/settings", "/storage/v1/bucket"):
        assert rest(path, apikey=name).status_code == 401
        assert (
            rest(path, apikey=os.environ["SUPABASE_PUBLISHABLE_KEY"], Authorization=f"Bearer {name}").status_code < 500
        )


def test_service_key_reads_what_the_public_key_cannot(session, publishable, secret):
    assert rest(apikey=publishable).status_code in {200, 401, 403}
    assert not isinstance(rest(apikey=publishable).json(), list) or rest(apikey=publishable).json() == []
    for key in (secret, legacy("service_role")):
        assert len(rest(apikey=key).json()) == 1
        assert len(rest(apikey=key, Authorization=f"Bearer {key}").json()) == 1
        assert len(rest(apikey=publishable, Authorization=f"Bearer {key}").json()) == 1


def test_legacy_public_key_is_the_public_role(session, publishable):
    assert rest(apikey=legacy("anon")).status_code == rest(apikey=publishable).status_code


def test_user_token_wins_over_the_api_key(session, secret):
    reply = rest(
        path="/rest/v1/organizations?select=id", apikey=secret, Authorization=f"Bearer {session['access_token']}"
    )
    assert [row["id"] for row in reply.json()] == [session["user"]["app_metadata"]["org_id"]]


def test_key_may_stand_in_the_query(session, secret):
    assert len(rest(f"/rest/v1/organizations?select=id&apikey={secret}&limit=1").json()) == 1


@pytest.mark.parametrize("path", PLACES)
def test_preflight_allows_what_the_browser_asks(path):
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": ASKED}
    reply = httpx.options(os.environ["SUPABASE_URL"] + path, headers=headers)
    assert reply.is_success
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert reply.headers["access-control-allow-headers"] == ASKED
    assert "PATCH" in reply.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", PLACES)
def test_errors_can_be_read_from_another_origin(door, path):
    for key in ({}, {"apikey": door.headers["apikey"]}):
        reply = httpx.get(os.environ["SUPABASE_URL"] + path, headers={"Origin": ORIGIN, **key})
        assert reply.headers.get_list("access-control-allow-origin") == [ORIGIN]
    assert "content-range" in reply.headers["access-control-expose-headers"]


def test_replies_stop_at_a_thousand_rows_and_count_exactly(service):
    users = [{"id": number} for number in range(1100)]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create table if not exists public.stack_rows (id int primary key)")
        connection.execute("alter table public.stack_rows enable row level security")
        try:
            assert insert_once_known(service, users).status_code == 201
            reply = service.get("/rest/v1/stack_rows", headers={"Prefer": "count=exact"})
            assert len(reply.json()) == 1000
            assert reply.headers["content-range"] == "0-999/1100"
        finally:
            connection.execute("drop table public.stack_rows")


def insert_once_known(service, rows):
    """A new table shows in the REST API without anybody asking for it."""
    return once_known(lambda: service.post("/rest/v1/stack_rows", json=rows))


def once_known(ask):
    deadline = time.monotonic() + 60
    while (reply := ask()).status_code == 404 and time.monotonic() < deadline:
        time.sleep(0.05)
    return reply


def test_database_has_the_roles_and_extensions_of_a_hosted_one():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        roles = dict(connection.execute("select rolname, rolsuper from pg_roles").fetchall())
        assert {
            "anon",
            "authenticated",
            "service_role",
            "authenticator",
            "supabase_admin",
            "supabase_auth_admin",
        } <= roles.keys()
        assert roles["postgres"] is False
        timeouts = dict(
            connection.execute(
                "select rolname, array_to_string(rolconfig, ';') from pg_roles where rolconfig is not null"
            ).fetchall()
        )
        assert "statement_timeout=8s" in timeouts["authenticated"]
        assert "statement_timeout=3s" in timeouts["anon"]
        available = {row[0] for row in connection.execute("select name from pg_available_extensions").fetchall()}
        assert {"pg_trgm", "btree_gin", "btree_gist", "pgcrypto", "pg_stat_statements"} <= available
        assert connection.execute("select count(*) >= 0 from extensions.pg_stat_statements").fetchone() == (True,)
        assert connection.execute("show server_version_num").fetchone()[0].startswith("17")


def test_slow_statement_of_a_user_is_cut_off(session, publishable):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "create or replace function public.stack_sleep() returns void language sql as 'select pg_sleep(5)'"
        )
        connection.execute("notify pgrst, 'reload schema'")
        try:
            reply = slow_call(publishable)
            assert reply.json()["code"] == "57014"
        finally:
            connection.execute("drop function public.stack_sleep()")


def slow_call(key):
    url = os.environ["SUPABASE_URL"] + "/rest/v1/rpc/stack_sleep"
    return once_known(lambda: httpx.post(url, headers={"apikey": key}, timeout=30))
