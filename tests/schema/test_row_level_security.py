"""Each table, whatever it is: other organisations and anonymous callers have no part in it, and roles are ranked."""

import psycopg
import pytest
from psycopg import sql

from tests.schema import catalog
from tests.schema.caller import Outcome, acting, attempt
from tests.schema.rows import ROLES, SAMPLES, Clinic, insert, insertion, new_user, sample

DENIED = "42501"
ANONYMOUS = (None, None, "anon")

# The lowest role that may insert, update and delete; None: nobody through the API.
AGENTS, MANAGERS, ADMINS, NOBODY = ("agent",) * 3, ("manager",) * 3, ("admin",) * 3, (None,) * 3
WRITERS: dict[str, tuple[str | None, ...]] = {
    **dict.fromkeys(("contacts", "call_logs", "calls", "appointments", "messages", "follow_up_tasks"), AGENTS),
    **dict.fromkeys(("hot_lead_alerts", "transfer_queue", "call_tracking", "call_transcripts"), AGENTS),
    **dict.fromkeys(("services", "escalation_rules", "phone_number_mapping"), MANAGERS),
    **dict.fromkeys(("agents", "inbound_agent_config", "outbound_agent_config"), ADMINS),
    **dict.fromkeys(("integration_settings", "integrations", "org_credentials", "team_invitations"), ADMINS),
    **dict.fromkeys(("service_price_history", "sms_message_tracking", "assistant_org_mapping"), NOBODY),
    **dict.fromkeys(
        ("processed_webhook_events", "webhook_delivery_log", "webhook_dead_letters", "message_outbox"), NOBODY
    ),
    "notifications": ("agent", "viewer", "agent"),
    "audit_logs": ("viewer", None, None),
}
UNREADABLE = {"processed_webhook_events", "webhook_delivery_log", "webhook_dead_letters", "message_outbox"}
ADMINS_READ = {"audit_logs"}
# Rows that say who made them, which must be the caller.
SIGNED = {"audit_logs": "user_id"}
# Tables that are not simply the organisation's have tests of their own, in test_tenancy.py.
TENANCY = {"organizations", "profiles", "user_org_roles", "user_settings"}
# What triggers keep and nobody writes: test_rollups.py.
KEPT = {"call_rollups", "call_versions", "record_counts"}
TABLES = sorted(SAMPLES)


def test_no_table_is_forgotten() -> None:
    assert set(catalog.tables()) == set(SAMPLES) | TENANCY | KEPT
    assert set(WRITERS) == set(SAMPLES)


def test_every_table_has_row_level_security(db: psycopg.Connection) -> None:
    unprotected = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    assert db.execute(f"{unprotected} and not relrowsecurity").fetchall() == []


def test_policies_name_their_role_and_no_two_serve_one_command(db: psycopg.Connection) -> None:
    policies = db.execute(
        "select tablename, cmd, roles::text[] from pg_policies where schemaname = 'public'"
    ).fetchall()
    assert {tuple(roles) for _, _, roles in policies} == {("authenticated",)}
    assert len({(table, command) for table, command, _ in policies}) == len(policies)
    assert "ALL" not in {command for _, command, _ in policies}


def test_views_run_as_their_caller(db: psycopg.Connection) -> None:
    options = "select relname, reloptions from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v'"
    views = db.execute(options).fetchall()
    assert views
    assert all("security_invoker=true" in (settings or []) for _, settings in views)


@pytest.mark.parametrize("relation", [*catalog.tables(), *catalog.views()])
def test_anonymous_callers_reach_nothing(db: psycopg.Connection, relation: str) -> None:
    privileges = "select, insert, update, delete, truncate, references, trigger"
    held = (
        "select has_table_privilege('anon', %s, %s) or has_any_column_privilege('anon', %s, 'select, insert, update')"
    )
    name = f"public.{relation}"
    assert db.execute(held, [name, privileges, name]).fetchone() == (False,)
    assert attempt(db, ANONYMOUS, f"select from {name}") == DENIED


@pytest.mark.parametrize("sequence", catalog.sequences())
def test_sequences_are_out_of_reach(db: psycopg.Connection, sequence: str) -> None:
    for role in ("anon", "authenticated"):
        assert attempt(db, (None, None, role), "select nextval(%s)", [f"public.{sequence}"]) == DENIED


def _change(db: psycopg.Connection, table: str, where: sql.Composable) -> sql.Composed:
    """Return an update that changes nothing, of a column that callers may write if there is one."""
    columns = db.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and attgenerated = '' "
        "and attidentity = '' "
        "order by has_column_privilege('authenticated', attrelid, attnum, 'UPDATE') desc, "
        "has_column_privilege('authenticated', attrelid, attnum, 'SELECT') desc, attnum",
        [f"public.{table}"],
    )
    column = columns.fetchone()
    assert column
    return sql.SQL("update {0} set {1} = {1} where {2}").format(
        sql.Identifier("public", table), sql.Identifier(column[0]), where
    )


def _count(db: psycopg.Connection, who: tuple[str | None, str | None, str], table: str, org_id: str) -> Outcome:
    statement = sql.SQL("select from {} where org_id = %s").format(sql.Identifier("public", table))
    return attempt(db, who, statement, [org_id])


@pytest.mark.parametrize("table", TABLES)
def test_members_read_their_own_rows_only(db: psycopg.Connection, ours: Clinic, theirs: Clinic, table: str) -> None:
    for role in ROLES:
        seen = _count(db, ours.who(role), table, ours.org_id)
        if table in UNREADABLE:
            assert seen == DENIED
        elif table in ADMINS_READ and role not in {"admin", "owner"}:
            assert seen == 0
        else:
            assert int(seen) >= 1
        assert _count(db, ours.who(role), table, theirs.org_id) in (0, DENIED)


@pytest.mark.parametrize("table", TABLES)
def test_owners_change_nothing_elsewhere(db: psycopg.Connection, ours: Clinic, theirs: Clinic, table: str) -> None:
    whose = sql.SQL("org_id = {}").format(sql.Literal(theirs.org_id))
    owner = ours.who("owner")
    removal = sql.SQL("delete from {} where {}").format(sql.Identifier("public", table), whose)
    assert attempt(db, owner, _change(db, table, whose)) in (0, DENIED)
    assert attempt(db, owner, removal) in (0, DENIED)
    assert attempt(db, owner, *insertion(table, _insertable(db, theirs, table))) == DENIED


def _insertable(db: psycopg.Connection, clinic: Clinic, table: str) -> dict[str, object]:
    """Return a row that only a policy can refuse, since what it might collide with is removed."""
    db.execute(sql.SQL("delete from {} where org_id = %s").format(sql.Identifier("public", table)), [clinic.org_id])
    return sample(clinic, table)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ROLES)
def test_roles_write_what_is_theirs_to_write(db: psycopg.Connection, ours: Clinic, table: str, role: str) -> None:
    who, rank = ours.who(role), ROLES.index(role)
    inserter, changer, remover = (ROLES.index(lowest) if lowest else len(ROLES) for lowest in WRITERS[table])
    row = sql.SQL("id = {}").format(sql.Literal(ours.rows[table]))
    removal = sql.SQL("delete from {} where {}").format(sql.Identifier("public", table), row)

    changed = attempt(db, who, _change(db, table, row))
    removed = attempt(db, who, removal)
    signature = {SIGNED[table]: who[0]} if table in SIGNED else {}
    inserted = attempt(db, who, *insertion(table, {**_insertable(db, ours, table), **signature}))

    assert changed in ({1} if rank >= changer else {0, DENIED})
    assert removed in ({1} if rank >= remover else {0, DENIED})
    assert inserted in ({1} if rank >= inserter else {DENIED})


@pytest.mark.parametrize("table", TABLES)
def test_rows_stay_with_their_organisation(db: psycopg.Connection, ours: Clinic, theirs: Clinic, table: str) -> None:
    move = sql.SQL("update {} set org_id = %s where id = %s").format(sql.Identifier("public", table))
    if table == "message_outbox":  # is emptied by the tests of the sender, which takes whatever is in it
        ours.rows[table] = insert(db, table, sample(ours, table))
    with pytest.raises(psycopg.errors.IntegrityError), db.transaction():
        db.execute(move, [theirs.org_id, ours.rows[table]])


def test_a_caller_without_membership_is_a_viewer(db: psycopg.Connection, ours: Clinic) -> None:
    stranger = (new_user(db), ours.org_id, "authenticated")
    assert _count(db, stranger, "contacts", ours.org_id) == 1
    assert attempt(db, stranger, *insertion("contacts", sample(ours, "contacts"))) == DENIED


def test_a_caller_without_an_organisation_sees_nothing(db: psycopg.Connection, ours: Clinic) -> None:
    for org_id in (None, ""):
        assert _count(db, (ours.users["owner"], org_id, "authenticated"), "contacts", ours.org_id) == 0


def test_user_metadata_does_not_name_the_organisation(db: psycopg.Connection, ours: Clinic) -> None:
    with acting(db, ours.users["owner"], None):
        claims = sql.Literal(f'{{"org_id": "{ours.org_id}", "user_metadata": {{"org_id": "{ours.org_id}"}}}}')
        db.execute(sql.SQL("select set_config('request.jwt.claims', {}, true)").format(claims))
        assert db.execute("select public.auth_org_id()").fetchone() == (None,)


def test_personal_notifications_are_for_their_addressee(db: psycopg.Connection, ours: Clinic) -> None:
    statement, values = insertion("notifications", sample(ours, "notifications", user_id=ours.users["agent"]))
    db.execute(statement, values)
    assert _count(db, ours.who("agent"), "notifications", ours.org_id) == 2
    assert _count(db, ours.who("owner"), "notifications", ours.org_id) == 1


def test_secrets_are_read_through_their_function_by_admins_only(
    db: psycopg.Connection, ours: Clinic, theirs: Clinic
) -> None:
    assert attempt(db, ours.who("owner"), "select encrypted_config from public.org_credentials") == DENIED
    for role in ROLES:
        with acting(db, *ours.who(role)):
            secret = db.execute("select public.org_secret(%s, 'vapi')", [ours.org_id]).fetchone()
            foreign = db.execute("select public.org_secret(%s, 'vapi')", [theirs.org_id]).fetchone()
        assert secret == (("v1:sealed",) if role in {"admin", "owner"} else (None,))
        assert foreign == (None,)
