"""The team as the settings page reads and changes it."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, StringConstraints

RoleName = Literal["owner", "admin", "manager", "agent", "viewer"]
_EMAIL = re.compile(r"[^\s@<>\",;]+@[^\s@<>\",;]+\.[^\s@<>\",;.]+")


def _check_email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError("must be an e-mail address such as name@clinic.example")
    return value


EmailAddress = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=320), AfterValidator(_check_email)
]
"""An e-mail address in lower case; whether it can be reached only a message to it shows."""


class Agent(BaseModel):
    """A member of the team with the role agent."""

    id: str
    email: str
    created_at: datetime


class Account(BaseModel):
    """The account behind a membership."""

    id: str
    email: str | None
    created_at: datetime


class Member(BaseModel):
    """A membership, or an invitation that nobody has accepted yet (`pending`)."""

    id: str
    user_id: str | None
    org_id: str
    role: RoleName
    email: str | None
    pending: bool
    invited_by: str | None
    invited_at: datetime
    accepted_at: datetime | None
    created_at: datetime
    updated_at: datetime
    user: Account | None


class NewMember(BaseModel):
    """Whom to invite, and as what."""

    email: EmailAddress
    role: RoleName


class RoleChange(BaseModel):
    """The role to have from now on."""

    role: RoleName


class RoleDescription(BaseModel):
    """A role and what it is for."""

    role: RoleName
    name: str
    description: str


class Invitation(BaseModel):
    """An invitation to the caller."""

    id: str
    org_id: str
    organization_name: str
    role: RoleName
    invited_at: datetime


class Acceptance(BaseModel):
    """Which invitation to accept."""

    invitation_id: UUID


class Joined(BaseModel):
    """The caller is a member now."""

    success: bool
    org_id: str
    role: RoleName
    message: str
