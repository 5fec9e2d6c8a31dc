"""Fields of the founder console's requests."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints

from voxanne import voices
from voxanne.schemas.common import read_number

AgentRole = Literal["inbound", "outbound"]
MAX_SECRET = 500


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _number(value: str) -> str:
    return read_number(value) if value else ""


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) > MAX_SECRET or not (text.isprintable() and " " not in text):
        raise ValueError(f"must be at most {MAX_SECRET} characters without spaces")
    return value


def _voice(value: str) -> str:
    voice = voices.find(value)
    if voice is None:
        raise ValueError("is not a voice: GET /api/assistants/voices/available lists them")
    return voice.id


def _language(value: str) -> str:
    if value not in voices.LANGUAGES:
        raise ValueError(f"must be one of {', '.join(voices.LANGUAGES)}")
    return value


def without_blanks(values: Any) -> Any:
    """Leave out what is null or empty, except a phone number, which null clears, so that the other spelling counts."""
    if not isinstance(values, dict):
        return values
    return {
        name: value
        for name, value in values.items()
        if name in _CLEARABLE or not (value is None or (isinstance(value, str) and not value.strip()))
    }


_CLEARABLE = {"vapiPhoneNumberId", "vapi_phone_number_id"}

Secret = Annotated[SecretStr, BeforeValidator(_stripped), AfterValidator(_secret)]
"""A key of another service; "" takes it away."""

ClearableNumber = Annotated[str, BeforeValidator(_stripped), AfterValidator(_number)]
"""A phone number in E.164; "" takes it away."""

ClearableId = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
"""An identifier at another service; "" takes it away."""

SecretFields = dict[str, dict[str, SecretStr]]
"""Secrets by service and field."""

Voice = Annotated[str, AfterValidator(_voice)]
"""A voice by its id or one of its other names; becomes its id."""

Language = Annotated[str, AfterValidator(_language)]
"""A language that assistants speak."""


def given_secrets(given: dict[str, dict[str, SecretStr | None]]) -> SecretFields:
    """Leave out what was not sent."""
    return {
        provider: {name: value for name, value in fields.items() if value is not None}
        for provider, fields in given.items()
    }
