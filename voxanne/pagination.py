"""Page, limit and the rows of one page: used by every list."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from postgrest.exceptions import APIError
from pydantic import BaseModel, BeforeValidator, Field

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


def describe(query: PageQuery, total: int) -> dict[str, int]:
    """Build the reply's `pagination` member."""
    return {"page": query.page, "limit": query.limit, "total": total, "pages": -(-total // query.limit)}
