"""Fixtures for tests of the embedded Supabase."""

import os
import tempfile
import uuid
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.stack.launcher import copy_repository

PASSWORD = "receptionist"


@pytest.fixture(scope="session")
def publishable():
    return os.environ["SUPABASE_PUBLISHABLE_KEY"]


@pytest.fixture(scope="session")
def secret():
    return os.environ["SUPABASE_SERVICE_ROLE_KEY"]


@pytest.fixture(scope="session")
def door():
    """The stack that `make test` runs in, with the publishable key."""
    headers = {"apikey": os.environ["SUPABASE_PUBLISHABLE_KEY"]}
    with httpx.Client(base_url=os.environ["SUPABASE_URL"], headers=headers, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def service(secret):
    """The same with the service key."""
    headers = {"apikey": secret, "Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=os.environ["SUPABASE_URL"], headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
def email():
    return f"stack-{uuid.uuid4().hex[:12]}@clinic.example"


@pytest.fixture
def session(door, email):
    """Sign somebody up and return the session."""
    reply = door.post(
        "/auth/v1/signup", json={"email": email, "password": PASSWORD, "data": {"business_name": "Clinic S"}}
    )
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def bearer(session):
    return {"Authorization": f"Bearer {session['access_token']}"}


@pytest.fixture
def open_place():
    """An empty directory that every account can enter (pytest's own ones are closed)."""
    with tempfile.TemporaryDirectory(prefix="voxanne-test-", dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


@pytest.fixture
def clone(open_place):
    """A clone of one's own, with nothing running from it."""
    return copy_repository(open_place)


@pytest.fixture
def age_refresh_tokens():
    """Make the spent refresh tokens of a user look a minute old."""

    def age(user_id):
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(
                "update auth.refresh_tokens set updated_at = now() - interval '1 min' where revoked and user_id = %s",
                [str(user_id)],
            )

    return age
