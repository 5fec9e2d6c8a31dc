"""The voices that assistants can have."""
# ruff: noqa: N815

from pydantic import BaseModel


class VoiceLabel(BaseModel):
    """A voice of the default provider."""

    id: str
    label: str
    provider: str
    gender: str


class VoiceLabels(BaseModel):
    """The default provider's voices."""

    provider: str
    voices: list[VoiceLabel]
    default: str


class VoiceInfo(BaseModel):
    """A voice as the agent page shows it."""

    id: str
    name: str
    provider: str
    gender: str
    language: str
    characteristics: str
    accent: str
    bestFor: str
    latency: str
    quality: str
    isDefault: bool
    requiresApiKey: bool


class VoiceList(BaseModel):
    """All voices."""

    voices: list[VoiceInfo]
