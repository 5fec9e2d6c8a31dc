"""Paging, as every list does it: page and limit, the rows of one page with the total, and cursors."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from cryptography.fernet import Fernet, InvalidToken
from postgrest.exceptions import APIError
from pydantic import BaseModel, BeforeValidator, Field

from voxanne.errors import ValidationFailed

MAX_LIMIT = 100
MAX_PAGE = 10_000_000
RANGE_PAST_THE_END = "PGRST103"
_DIGITS = re.compile(r"-?[0-9]{1,18}")


def _plain(value: Any) -> Any:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


QueryNumber = Annotated[int, BeforeValidator(_plain)]
"""A whole number in a query string, in plain digits: Python would read 1.0, +1 and 1_000 as well."""


class PageQuery(BaseModel):
    """The paging part of a list's query; a value out of bounds is refused and never clamped."""

    page: QueryNumber = Field(1, ge=1, le=MAX_PAGE, description="Number of the page, from 1.")
    limit: QueryNumber = Field(20, ge=1, le=MAX_LIMIT, description="Rows per page.")

    @property
    def offset(self) -> int:
        """The number of rows before this page."""
        return (self.page - 1) * self.limit


class Pagination(BaseModel):
    """Where a page stands in its list."""

    page: int
    limit: int
    total: int
    pages: int


class CursorPagination(Pagination):
    """Where a page stands in a list that can also be continued from a cursor."""

    total_is_estimate: bool = Field(
        description="Whether the total is estimated: that of a search that more than 1,000 calls match, or more than "
        "200 in the newest months of a long history alone."
    )
    has_more: bool
    next_cursor: str | None


@dataclass(frozen=True)
class Slice:
    """The rows of one page, and how many rows the whole list has."""

    rows: list[dict[str, Any]]
    total: int


def fetch_slice(build: Callable[[], Any], offset: int, limit: int) -> Slice:
    """Fetch one page and the total, in one request; `build` makes the counted select without its range.

    PostgREST answers a page past the end with an error, which has no total but in its message. Such a page is returned
    empty, and a second request finds out the total.
    """
    try:
        result = build().range(offset, offset + limit - 1).execute()
    except APIError as error:
        if error.code != RANGE_PAST_THE_END:
            raise
        return Slice([], build().range(0, 0).execute().count or 0)
    return Slice(result.data, result.count or 0)


class Cursors:
    """Writes and reads the cursors of one list, which no other list accepts.

    `scope` identifies the list: organisation, order and filters. A cursor holds the sort keys of a page's last row,
    encrypted, since a caller's name may be among them and proxies log addresses.
    """

    def __init__(self, secret: str, *scope: object) -> None:
        key = hashlib.sha256(f"cursor:{secret}:{scope!r}".encode()).digest()
        self._cipher = Fernet(base64.urlsafe_b64encode(key))

    def write(self, keys: dict[str, Any]) -> str:
        """Return the cursor of the rows after the one with these keys."""
        return self._cipher.encrypt(orjson.dumps(keys)).decode()

    def read(self, cursor: str) -> dict[str, Any]:
        """Return the keys in a cursor; raises `ValidationFailed` if it does not belong to this list."""
        try:
            return dict(orjson.loads(self._cipher.decrypt(cursor)))
        except (InvalidToken, ValueError):  # a character beyond ASCII is no InvalidToken
            sentence = "does not belong to this list; begin again without it"
            raise ValidationFailed(f"cursor: {sentence}", details=[{"field": "cursor", "message": sentence}]) from None


def describe(query: PageQuery, total: int) -> dict[str, int]:
    """Build the reply's `pagination` member."""
    return {"page": query.page, "limit": query.limit, "total": total, "pages": -(-total // query.limit)}
