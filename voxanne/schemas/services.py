"""The price list."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, field_validator

from voxanne.pagination import MAX_LIMIT, QueryNumber


def _refuse_text(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("must be a number")  # noqa: TRY004 -- pydantic understands this one
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Keyword = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Price = Annotated[
    Decimal, BeforeValidator(_refuse_text), Field(ge=0, max_digits=10, decimal_places=2, allow_inf_nan=False)
]
Keywords = Annotated[list[Keyword], Field(min_length=1, max_length=100)]


class ServiceListQuery(BaseModel):
    """Which slice of the price list."""

    limit: QueryNumber = Field(50, ge=1, le=MAX_LIMIT)
    offset: QueryNumber = Field(0, ge=0, le=1_000_000_000)


class NewService(BaseModel):
    """A service to add; its keywords are what callers say when they mean it."""

    name: Name
    price: Price
    keywords: Keywords


class ServiceChanges(BaseModel):
    """What to change; what is left out stays."""

    # Factories, as a plain default would be documented as what an omitted field becomes.
    name: Name = Field(default_factory=str)
    price: Price = Field(default_factory=Decimal)
    keywords: Keywords = Field(default_factory=list)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("can't be null: leave it out to keep it")
        return value


class Service(BaseModel):
    """A service with its price."""

    id: str
    org_id: str
    name: str
    price: float
    keywords: list[str]
    created_at: datetime
    updated_at: datetime


class SlicePagination(BaseModel):
    """Where a slice stands in the price list."""

    offset: int
    limit: int
    total: int


class ServiceList(BaseModel):
    """A slice of the price list, newest first."""

    services: list[Service]
    pagination: SlicePagination
