"""Sign-up: the account, its organisation, profile and role together, or nothing."""

import uuid

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.schema.rows import Clinic, new_clinic, new_user

UPDATE = "update auth.users set raw_app_meta_data = %s where id = %s"


def one(db: psycopg.Connection, query: str, *values: object) -> tuple:
    found = db.execute(query, values).fetchall()
    assert len(found) == 1
    return found[0]


def org_of(db: psycopg.Connection, user_id: str) -> str:
    return one(db, "select raw_app_meta_data ->> 'org_id' from auth.users where id = %s", user_id)[0]


def count(db: psycopg.Connection, table: str) -> int:
    return one(db, f"select count(*) from {table}")[0]


def test_a_new_account_founds_its_organisation(db: psycopg.Connection) -> None:
    user_id = new_user(db, {"provider": "email"}, business_name="  Harley Street Dental ")
    org_id = org_of(db, user_id)
    email = one(db, "select email from auth.users where id = %s", user_id)[0]
    named = one(db, "select name, email, status, timezone from public.organizations where id = %s", org_id)
    assert named == ("Harley Street Dental", email, "active", "UTC")
    profile = one(db, "select org_id::text, email from public.profiles where id = %s", user_id)
    assert profile == (org_id, email)
    role = one(
        db, "select org_id::text, role, accepted_at is not null from public.user_org_roles where user_id = %s", user_id
    )
    assert role == (org_id, "owner", True)
    data = one(db, "select raw_app_meta_data from auth.users where id = %s", user_id)[0]
    assert data == {"provider": "email", "org_id": org_id, "role": "admin"}


def test_without_a_name_the_organisation_is_called_by_the_address(db: psycopg.Connection) -> None:
    user_id = new_user(db, business_name=" ")
    email = one(db, "select email from auth.users where id = %s", user_id)[0]
    assert one(db, "select name from public.organizations where id = %s", org_of(db, user_id)) == (email,)


def test_user_metadata_cannot_name_an_organisation(db: psycopg.Connection, ours: Clinic) -> None:
    user_id = new_user(db, {}, org_id=ours.org_id, role="owner")
    assert org_of(db, user_id) != ours.org_id


@pytest.mark.parametrize(
    ("role", "token_role"), [("owner", "admin"), ("admin", "admin"), ("manager", "manager"), ("agent", "agent")]
)
def test_an_invited_account_joins(db: psycopg.Connection, ours: Clinic, role: str, token_role: str) -> None:
    before = count(db, "public.organizations")
    user_id = new_user(db, {"org_id": ours.org_id, "role": role})
    assert count(db, "public.organizations") == before
    joined = one(db, "select org_id::text, role from public.user_org_roles where user_id = %s", user_id)
    assert joined == (ours.org_id, role)
    assert one(db, "select raw_app_meta_data ->> 'role' from auth.users where id = %s", user_id) == (token_role,)


def test_an_invited_account_is_a_viewer_unless_told_otherwise(db: psycopg.Connection, ours: Clinic) -> None:
    user_id = new_user(db, {"org_id": ours.org_id})
    assert one(db, "select role from public.user_org_roles where user_id = %s", user_id) == ("viewer",)


NO_SUCH_ORGANISATION = str(uuid.uuid4())


@pytest.mark.parametrize(
    ("org_id", "role"), [(NO_SUCH_ORGANISATION, "agent"), ("clinic-01", "agent"), ("ours", "king"), ("ours", "")]
)
def test_a_failure_leaves_nothing(db: psycopg.Connection, ours: Clinic, org_id: str, role: str) -> None:
    app_data = {"org_id": ours.org_id if org_id == "ours" else org_id, "role": role}
    tables = ("auth.users", "public.organizations", "public.profiles", "public.user_org_roles")
    before = [count(db, table) for table in tables]
    with pytest.raises(psycopg.Error), db.transaction():
        new_user(db, app_data)
    assert [count(db, table) for table in tables] == before


def test_auths_second_write_in_a_sign_up_keeps_the_organisation(db: psycopg.Connection) -> None:
    user_id = new_user(db, {"provider": "email"})
    org_id = org_of(db, user_id)
    db.execute(UPDATE, [Jsonb({"provider": "email", "providers": ["email"]}), user_id])
    data = one(db, "select raw_app_meta_data from auth.users where id = %s", user_id)[0]
    assert data == {"provider": "email", "providers": ["email"], "org_id": org_id, "role": "admin"}


def test_auths_second_write_may_name_the_organisation(db: psycopg.Connection, ours: Clinic) -> None:
    user_id = new_user(db, {"provider": "email"})
    founded = org_of(db, user_id)
    db.execute(UPDATE, [Jsonb({"provider": "email", "org_id": ours.org_id, "role": "agent"}), user_id])
    assert one(db, "select org_id::text, role from public.user_org_roles where user_id = %s", user_id) == (
        ours.org_id,
        "agent",
    )
    assert one(db, "select org_id::text from public.profiles where id = %s", user_id) == (ours.org_id,)
    assert db.execute("select from public.organizations where id = %s", [founded]).fetchall() == []


@pytest.fixture
def committed(database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        clinic, user_id = new_clinic(connection), new_user(connection)
        founded = org_of(connection, user_id)
        yield connection, clinic, user_id, founded
        connection.execute("delete from public.organizations where id = any(%s::uuid[])", [[clinic.org_id, founded]])
        connection.execute("delete from auth.users where id = any(%s::uuid[])", [[*clinic.users.values(), user_id]])


def test_a_later_move_keeps_the_organisation_that_was_left(committed: tuple) -> None:
    db, clinic, user_id, founded = committed
    db.execute(UPDATE, [Jsonb({"org_id": clinic.org_id, "role": "manager"}), user_id])
    memberships = db.execute("select org_id::text, role from public.user_org_roles where user_id = %s", [user_id])
    assert set(memberships.fetchall()) == {(founded, "owner"), (clinic.org_id, "manager")}
    assert one(db, "select org_id::text from public.profiles where id = %s", user_id) == (clinic.org_id,)


def test_a_later_write_may_take_the_organisation_away(committed: tuple) -> None:
    db, _, user_id, _ = committed
    db.execute(UPDATE, [Jsonb({"provider": "email"}), user_id])
    assert org_of(db, user_id) is None


def test_the_profile_follows_the_address(db: psycopg.Connection) -> None:
    user_id = new_user(db)
    db.execute("update auth.users set email = 'new@clinic.example' where id = %s", [user_id])
    assert one(db, "select email from public.profiles where id = %s", user_id) == ("new@clinic.example",)


def test_the_auth_server_signs_people_up_without_rights_of_its_own(db: psycopg.Connection) -> None:
    held = "select has_table_privilege('supabase_auth_admin', 'public.organizations', 'insert')"
    assert one(db, held) == (False,)
    triggers = db.execute(
        "select proname, prosecdef from pg_trigger join pg_proc on pg_proc.oid = tgfoid "
        "where tgrelid = 'auth.users'::regclass and pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert triggers
    assert all(definer for _, definer in triggers)
