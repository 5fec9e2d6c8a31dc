"""What scripts rely on: ids, names, assistants, accounts that can sign in, and recordings that can be played."""

import os

import httpx
import psycopg
import pytest

URL = os.environ.get("SUPABASE_URL", "")
SERVICE = {"apikey": os.environ.get("SUPABASE_SERVICE_ROLE_KEY", "")}
ROLES = ["owner", "admin", "manager", "agent", "viewer"]


def sign_in(email: str, password: str) -> httpx.Response:
    headers = {"apikey": os.environ["SUPABASE_PUBLISHABLE_KEY"]}
    body = {"email": email, "password": password}
    return httpx.post(f"{URL}/auth/v1/token", params={"grant_type": "password"}, headers=headers, json=body)


@pytest.mark.parametrize("number", [1, 2])
def test_clinic_can_be_found_by_its_handle(sql: psycopg.Connection, clinics: list[str], number: int) -> None:
    row = sql.execute("select * from organizations where settings ->> 'handle' = %s", [f"clinic-0{number}"]).fetchone()
    assert str(row["id"]) == f"a0000000-0000-0000-0000-00000000000{number}"
    assert row["name"].endswith(f"(clinic-0{number})")
    assert row["timezone"] == ["Europe/London", "America/New_York"][number - 1]


@pytest.mark.parametrize("role", ["inbound", "outbound"])
@pytest.mark.parametrize("number", [1, 2])
def test_assistants_are_known_everywhere(sql: psycopg.Connection, clinics: list[str], number: int, role: str) -> None:
    found = sql.execute(
        f"""select a.org_id, a.role, m.assistant_role, c.twilio_phone_number = p.inbound_phone_number as same_number
        from agents a join assistant_org_mapping m using (org_id, vapi_assistant_id)
        join {role}_agent_config c using (org_id, vapi_assistant_id) join phone_number_mapping p using (org_id)
        where vapi_assistant_id = %s""",
        [f"demo-assistant-0{number}-{role}"],
    ).fetchone()
    assert (str(found["org_id"]), found["role"], found["assistant_role"]) == (clinics[number - 1], role, role)
    assert found["same_number"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("number", [1, 2])
def test_account_of_each_role_signs_in(sql: psycopg.Connection, clinics: list[str], number: int, role: str) -> None:
    reply = sign_in(f"{role}@clinic-0{number}.example", "receptionist")
    assert reply.status_code == 200
    user = reply.json()["user"]
    assert user["app_metadata"]["org_id"] == clinics[number - 1]
    member = sql.execute("select role, accepted_at from user_org_roles where user_id = %s", [user["id"]]).fetchone()
    assert member["role"] == role
    assert member["accepted_at"] is not None


def test_wrong_password_is_refused(clinics: list[str]) -> None:
    assert sign_in("owner@clinic-01.example", "receptionists").status_code == 400


def test_members_are_added_as_agents(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select p.email from user_org_roles r join profiles p on p.id = r.user_id
      where r.org_id = %s and r.role = 'agent' order by 1"""
    boxes = [row["email"].removesuffix("@clinic-01.example") for row in sql.execute(query, [clinics[0]])]
    assert boxes == ["agent-001", "agent-002", "agent-003", "agent"]


def test_recording_of_a_call_can_be_played(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = "select distinct recording_storage_path as path from calls_feed where org_id = %s and has_recording"
    (row,) = sql.execute(query, [clinics[0]]).fetchall()
    signed = httpx.post(
        f"{URL}/storage/v1/object/sign/call-recordings/{row['path']}", headers=SERVICE, json={"expiresIn": 60}
    )
    sound = httpx.get(f"{URL}/storage/v1{signed.json()['signedURL']}")
    assert sound.status_code == 200
    assert sound.content[:4] == b"RIFF"
    assert len(sound.content) == 44 + 2 * 8000 * 2
