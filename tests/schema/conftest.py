"""A connection whose changes are undone after each test, and databases of one's own."""

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.schema.rows import Clinic, full_clinic


@pytest.fixture(scope="session")
def database_url() -> str:
    return os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as connection:
        yield connection


@pytest.fixture
def db(connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A connection within a transaction that is undone after the test."""
    yield connection
    connection.rollback()


@pytest.fixture(scope="session")
def clinics(database_url: str) -> Iterator[tuple[Clinic, Clinic]]:
    """Two organisations with a row in every table, made once; whatever a test changes of them is undone."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        with connection.transaction():
            both = full_clinic(connection), full_clinic(connection)
        yield both
        for clinic in both:
            connection.execute("delete from public.organizations where id = %s", [clinic.org_id])
            connection.execute("delete from auth.users where id = any(%s::uuid[])", [list(clinic.users.values())])


@pytest.fixture
def ours(clinics: tuple[Clinic, Clinic]) -> Clinic:
    return clinics[0]


@pytest.fixture
def theirs(clinics: tuple[Clinic, Clinic]) -> Clinic:
    return clinics[1]
