"""Phone mappings as the console reads and changes them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from voxanne.schemas.common import DialledNumber

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewPhoneMapping(BaseModel):
    """A number to add or to bring back; what is left out stays as it was."""

    inbound_phone_number: DialledNumber
    clinic_name: Label | None = None
    vapi_phone_number_id: Label | None = None


class PhoneMapping(BaseModel):
    """A number of the organisation."""

    id: str
    org_id: str
    inbound_phone_number: str
    clinic_name: str | None
    vapi_phone_number_id: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class SavedPhoneMapping(BaseModel):
    """The number as it is stored."""

    success: bool
    message: str
    mapping: PhoneMapping


class PhoneMappings(BaseModel):
    """The active numbers, newest first."""

    success: bool
    mappings: list[PhoneMapping]
    count: int


class PhoneLookup(BaseModel):
    """The clinic behind a number of the organisation."""

    success: bool
    org_id: str
    clinic_name: str | None
    inbound_phone_number: str
