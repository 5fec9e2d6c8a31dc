"""A connection whose changes are undone after each test, and databases of one's own."""

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.schema.rows import Clinic, full_clinic


@pytest.fixture(scope="session")
def database_url() -> str:
    return os.environ["DATABASE_URL"]


@pytest.fixture
def db(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def ours(db: psycopg.Connection) -> Clinic:
    return full_clinic(db)


@pytest.fixture
def theirs(db: psycopg.Connection) -> Clinic:
    return full_clinic(db)
