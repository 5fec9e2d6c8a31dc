"""Numbers as people read them."""

import pytest

from voxanne.services.readable import percent, share


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"), (0, "0"), (0.02, "< 0.1"), (0.1, "0.1"), (12.34, "12.3"), (99.7, "99.7"),
        (99.99, "> 99.9"), (100, "100"),
    ],
)  # fmt: skip
def test_a_share_looks_like_nothing_or_all_only_where_it_is(value: float | None, text: str) -> None:
    assert share(value) == text
    assert percent(value) == (text if value is None else f"{text} %")
