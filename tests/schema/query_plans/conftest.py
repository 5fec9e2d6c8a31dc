"""One long history for all tests of plans, as it takes a while to make."""

from collections.abc import Iterator

import pytest

from tests.schema.query_plans.reader import Reader, reading


@pytest.fixture(scope="package")
def reader(database_url: str) -> Iterator[Reader]:
    with reading(database_url) as made:
        yield made
