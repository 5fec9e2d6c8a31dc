"""Voice assistants: what can be changed of them, how they are shown, and what became of telling the voice provider."""
# ruff: noqa: N815

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, Field, StringConstraints, model_validator

from voxanne import voices
from voxanne.schemas.console_fields import AgentRole, Language, Voice, without_blanks


class AgentChanges(BaseModel):
    """What to change of an assistant; null or empty means unchanged."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None
    system_prompt: str | None = Field(
        None, max_length=100_000, validation_alias=AliasChoices("systemPrompt", "system_prompt")
    )
    first_message: str | None = Field(
        None, max_length=5000, validation_alias=AliasChoices("firstMessage", "first_message")
    )
    voice: Voice | None = Field(None, validation_alias=AliasChoices("voiceId", "voice", "voice_id"))
    language: Language | None = None
    max_call_duration: int | None = Field(
        None,
        ge=60,
        le=43_200,
        validation_alias=AliasChoices(
            "maxDurationSeconds", "maxCallDuration", "max_call_duration", "max_duration_seconds"
        ),
    )

    _blanks = model_validator(mode="before")(without_blanks)

    def columns(self) -> dict[str, Any]:
        """Return the columns to change."""
        changes = self.model_dump(exclude_unset=True)
        if self.voice and (voice := voices.find(self.voice)):
            changes["voice_provider"] = voice.provider
        return changes


class OutboundAgentChanges(AgentChanges):
    """The same, with the number to call out from; null clears that."""

    vapi_phone_number_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = Field(
        None, validation_alias=AliasChoices("vapiPhoneNumberId", "vapi_phone_number_id")
    )

    def columns(self) -> dict[str, Any]:
        """Return the columns to change."""
        changes = super().columns()
        if changes.get("vapi_phone_number_id") == "":
            changes["vapi_phone_number_id"] = None
        return changes


class Behavior(BaseModel):
    """What to change of one assistant or of both; the one that is not sent stays as it is."""

    inbound: AgentChanges | None = None
    outbound: OutboundAgentChanges | None = None

    @model_validator(mode="after")
    def _something_to_do(self) -> "Behavior":
        if not self.columns():
            raise ValueError("send inbound, outbound or both, with something to change")
        return self

    def columns(self) -> dict[str, dict[str, Any]]:
        """Return the columns to change by role."""
        given = {"inbound": self.inbound, "outbound": self.outbound}
        return {role: changes for role, agent in given.items() if agent is not None and (changes := agent.columns())}


class ConsoleAgent(BaseModel):
    """A voice assistant, in both spellings; `synced` says whether the voice provider has all of it."""

    id: str
    role: AgentRole
    name: str
    systemPrompt: str
    system_prompt: str
    firstMessage: str
    first_message: str
    voice: str
    language: str
    maxCallDuration: int
    max_call_duration: int
    vapiAssistantId: str | None
    vapi_assistant_id: str | None
    vapiPhoneNumberId: str | None
    vapi_phone_number_id: str | None
    synced: bool
    syncedAt: datetime | None
    syncError: str | None


class SyncedAgent(BaseModel):
    """An assistant and its id at the voice provider."""

    agentId: str
    role: AgentRole
    vapiAssistantId: str


class AgentDetail(BaseModel):
    """The same, without our id."""

    role: AgentRole
    vapiAssistantId: str


class BehaviorSaved(BaseModel):
    """The assistants are saved, and the voice provider has taken them over, or there is none (`mode`)."""

    success: bool
    syncedAgentIds: list[str]
    vapiAssistantIds: list[SyncedAgent]
    agentDetails: list[AgentDetail]
    message: str
    mode: Literal["browser-only"] | None = None
    vapiSynced: bool
    voiceSynced: bool
    knowledgeBaseSynced: bool
    requestId: str
