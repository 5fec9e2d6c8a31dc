"""Members and roles: who may change them, and that an organisation never loses its last owner or admin."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.schema.caller import acting, attempt
from tests.schema.rows import ROLES, Clinic, new_clinic, new_user

DENIED, REFUSED = "42501", "23514"
CHANGE = "update public.user_org_roles set role = %s where user_id = %s"
REMOVE = "delete from public.user_org_roles where user_id = %s"


def app_data(db: psycopg.Connection, user_id: str) -> dict[str, str]:
    found = db.execute("select raw_app_meta_data from auth.users where id = %s", [user_id]).fetchone()
    assert found
    return dict(found[0])


def demote_all_but(db: psycopg.Connection, clinic: Clinic, role: str) -> None:
    keep = clinic.users[role]
    db.execute(
        "update public.user_org_roles set role = 'viewer' where org_id = %s and user_id <> %s", [clinic.org_id, keep]
    )


@pytest.mark.parametrize("role", ROLES)
def test_only_admins_change_roles(db: psycopg.Connection, ours: Clinic, role: str) -> None:
    expected = 1 if role in {"admin", "owner"} else 0
    assert attempt(db, ours.who(role), CHANGE, ["manager", ours.users["agent"]]) == expected
    assert attempt(db, ours.who(role), REMOVE, [ours.users["agent"]]) == expected


def test_nobody_rises_above_themselves(db: psycopg.Connection, ours: Clinic) -> None:
    admin = ours.who("admin")
    assert attempt(db, admin, CHANGE, ["owner", ours.users["admin"]]) == DENIED
    assert attempt(db, admin, CHANGE, ["owner", ours.users["viewer"]]) == DENIED
    assert attempt(db, admin, CHANGE, ["viewer", ours.users["owner"]]) == 0
    assert attempt(db, admin, REMOVE, [ours.users["owner"]]) == 0


@pytest.mark.parametrize("role", ROLES)
def test_only_admins_invite_and_only_as_pending(db: psycopg.Connection, ours: Clinic, role: str) -> None:
    guest = new_user(db)
    invite = "insert into public.user_org_roles (user_id, org_id, role) values (%s, %s, 'agent')"
    accepted = "insert into public.user_org_roles (user_id, org_id, role, accepted_at) values (%s, %s, 'agent', now())"
    assert attempt(db, ours.who(role), invite, [guest, ours.org_id]) == (1 if role in {"admin", "owner"} else DENIED)
    assert attempt(db, ours.who(role), accepted, [guest, ours.org_id]) == DENIED


def test_a_pending_member_has_no_rank(db: psycopg.Connection, ours: Clinic) -> None:
    db.execute("update public.user_org_roles set accepted_at = null where user_id = %s", [ours.users["manager"]])
    with acting(db, *ours.who("manager")):
        assert db.execute("select public.auth_role_rank()").fetchone() == (0,)


def test_a_role_elsewhere_counts_for_nothing(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    with acting(db, ours.users["owner"], theirs.org_id):
        assert db.execute("select public.auth_role_rank()").fetchone() == (0,)


@pytest.mark.parametrize("role", ["admin", "owner"])
def test_the_last_admin_stays(db: psycopg.Connection, ours: Clinic, role: str) -> None:
    demote_all_but(db, ours, role)
    assert attempt(db, ours.who(role), CHANGE, ["agent", ours.users[role]]) == REFUSED
    assert attempt(db, ours.who(role), REMOVE, [ours.users[role]]) == REFUSED
    suspend = "update public.user_org_roles set accepted_at = null where user_id = %s"
    assert attempt(db, (None, None, "service_role"), suspend, [ours.users[role]]) == REFUSED


def test_all_admins_at_once_stay_as_well(db: psycopg.Connection, ours: Clinic) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
        db.execute("delete from public.user_org_roles where org_id = %s", [ours.org_id])


def test_an_organisation_or_an_account_can_still_be_deleted(db: psycopg.Connection, ours: Clinic) -> None:
    demote_all_but(db, ours, "owner")
    db.execute("delete from auth.users where id = %s", [ours.users["owner"]])
    db.execute("delete from public.organizations where id = %s", [ours.org_id])
    assert db.execute("select from public.user_org_roles where org_id = %s", [ours.org_id]).fetchall() == []
    assert "org_id" not in app_data(db, ours.users["viewer"])


@pytest.fixture
def committed_clinic(database_url: str) -> Iterator[Clinic]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        clinic = new_clinic(connection)
        demote = "update public.user_org_roles set role = 'viewer' where org_id = %s and role not in ('owner', 'admin')"
        connection.execute(demote, [clinic.org_id])
        yield clinic
        connection.execute("delete from public.organizations where id = %s", [clinic.org_id])
        connection.execute("delete from auth.users where id = any(%s::uuid[])", [list(clinic.users.values())])


def test_two_admins_cannot_remove_each_other(database_url: str, committed_clinic: Clinic) -> None:
    users = committed_clinic.users
    with psycopg.connect(database_url) as first, psycopg.connect(database_url) as second:
        first.execute(REMOVE, [users["owner"]])
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(second.execute, REMOVE, [users["admin"]])
            with pytest.raises(TimeoutError):
                later.result(timeout=0.5)
            first.commit()
            assert isinstance(later.exception(timeout=30), psycopg.errors.CheckViolation)


def test_the_token_follows_the_membership(db: psycopg.Connection, ours: Clinic) -> None:
    agent = ours.users["agent"]
    db.execute(CHANGE, ["admin", agent])
    assert app_data(db, agent)["role"] == "admin"
    db.execute(CHANGE, ["manager", agent])
    assert app_data(db, agent)["role"] == "manager"
    db.execute(REMOVE, [agent])
    assert not {"org_id", "role"} & set(app_data(db, agent))
    assert db.execute("select org_id from public.profiles where id = %s", [agent]).fetchone() == (None,)


def test_members_see_their_organisation_and_admins_rename_it(
    db: psycopg.Connection, ours: Clinic, theirs: Clinic
) -> None:
    rename = "update public.organizations set name = 'Renamed' where id = %s"
    for role in ROLES:
        who = ours.who(role)
        assert attempt(db, who, "select from public.organizations") == 1
        assert attempt(db, who, rename, [ours.org_id]) == (1 if role in {"admin", "owner"} else 0)
        assert attempt(db, who, rename, [theirs.org_id]) == 0
    for forbidden in ("update public.organizations set status = 'active'", "delete from public.organizations"):
        assert attempt(db, ours.who("owner"), forbidden) == DENIED


def test_members_see_their_colleagues_only(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    for table in ("profiles", "user_org_roles"):
        assert attempt(db, ours.who("viewer"), f"select from public.{table}") == len(ROLES)
    assert attempt(db, ours.who("owner"), REMOVE, [theirs.users["agent"]]) == 0
    assert attempt(db, ours.who("owner"), "update public.profiles set full_name = 'Anna'") == 1
    assert attempt(db, ours.who("owner"), "update public.profiles set org_id = %s", [theirs.org_id]) == DENIED


def test_personal_settings_are_personal(db: psycopg.Connection, ours: Clinic) -> None:
    owner, agent = ours.who("owner"), ours.users["agent"]
    assert attempt(db, owner, "select from public.user_settings") == 1
    assert attempt(db, owner, "delete from public.user_settings where user_id = %s", [agent]) == 0
    db.execute("delete from public.user_settings")
    assert attempt(db, owner, "insert into public.user_settings (user_id) values (%s)", [agent]) == DENIED
    assert attempt(db, owner, "insert into public.user_settings (user_id) values (%s)", [owner[0]]) == 1


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Kathmandu", "Etc/GMT+5", "UTC"])
def test_time_zones_of_the_world_are_accepted(db: psycopg.Connection, ours: Clinic, zone: str) -> None:
    db.execute("update public.organizations set timezone = %s where id = %s", [zone, ours.org_id])


@pytest.mark.parametrize("zone", ["Mars/Olympus", "europe/london", "Foo/Bar3", "+02:00", "", "EST5EDT4"])
def test_other_time_zones_are_refused(db: psycopg.Connection, ours: Clinic, zone: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("update public.organizations set timezone = %s where id = %s", [zone, ours.org_id])
