"""Page, limit and the rows of one page: used by every list."""

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
"""A whole number in a query, in digits: not 1.0, +1 or 1_000, all of which Python would read."""


class PageQuery(BaseModel):
    """The paging part of a list's query; out of bounds is refused, never clamped."""

    page: QueryNumber = Field(1, ge=1, le=MAX_PAGE, description="Number of the page, from 1.")
    limit: QueryNumber = Field(20, ge=1, le=MAX_LIMIT, description="Rows per page.")

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.limit


class Pagination(BaseModel):
    """Where a page stands in its list."""

    page: int
    limit: int
    total: int
    pages: int


class CursorPagination(Pagination):
    """Where a page stands in a list that can also be read on from a cursor."""

    total_is_estimate: bool
    has_more: bool
    next_cursor: str | None


@dataclass(frozen=True)
class Slice:
    """The rows of one page with the total of the list that they are from."""

    rows: list[dict[str, Any]]
    total: int


def fetch_slice(build: Callable[[], Any], offset: int, limit: int) -> Slice:
    """Run a counted select for one page, rows and total in one request; `build` makes the query without its range.

    PostgREST refuses a page past the end, and tells the total only in a sentence. Only then is the first row asked
    for as well, so that such a page is empty and its total right.
    """
    try:
        result = build().range(offset, offset + limit - 1).execute()
    except APIError as error:
        if error.code != RANGE_PAST_THE_END:
            raise
        return Slice([], build().range(0, 0).execute().count or 0)
    return Slice(result.data, result.count or 0)


class Cursors:
    """Writes and reads the cursors of one list: good for that list only, and encrypted, since they hold a row's keys.

    `scope` is what makes the list: organisation, order and filters. A cursor holds the keys of the last row seen; a
    name among them must not show in an address, where proxies log it.
    """

    def __init__(self, secret: str, *scope: object) -> None:
        key = hashlib.sha256(f"cursor:{secret}:{scope!r}".encode()).digest()
        self._cipher = Fernet(base64.urlsafe_b64encode(key))

    def write(self, keys: dict[str, Any]) -> str:
        """Return the cursor that leads on from a row with these keys."""
        return self._cipher.encrypt(orjson.dumps(keys)).decode()

    def read(self, cursor: str) -> dict[str, Any]:
        """Return the keys of a cursor; raises `ValidationFailed` if it is not one of this list."""
        try:
            return dict(orjson.loads(self._cipher.decrypt(cursor)))
        except (InvalidToken, ValueError):  # a character beyond ASCII is no InvalidToken
            sentence = "does not belong to this list; begin again without it"
            raise ValidationFailed(f"cursor: {sentence}", details=[{"field": "cursor", "message": sentence}]) from None


def describe(query: PageQuery, total: int) -> dict[str, int]:
    """Build the reply's `pagination` member."""
    return {"page": query.page, "limit": query.limit, "total": total, "pages": -(-total // query.limit)}
