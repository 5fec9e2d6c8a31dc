"""The inbound line's whole configuration at once: keys, number and assistant, in both of the contract's spellings."""
# ruff: noqa: N815

from typing import Any

from pydantic import AliasChoices, BaseModel, Field, model_validator

from voxanne.schemas.console_fields import (
    AgentRole,
    ClearableId,
    ClearableNumber,
    Secret,
    SecretFields,
    given_secrets,
    without_blanks,
)
from voxanne.schemas.voice_agents import AgentChanges, ConsoleAgent


class AgentConfigQuery(BaseModel):
    """Which assistant; both by default."""

    role: AgentRole | None = None


class VapiAccess(AgentChanges):
    """Keys of the voice provider, and what to change of the inbound assistant."""

    public_key: ClearableId | None = Field(None, validation_alias=AliasChoices("publicKey", "public_key"))
    secret_key: Secret | None = Field(None, validation_alias=AliasChoices("secretKey", "secret_key"))

    def columns(self) -> dict[str, Any]:
        """Return the columns of the assistant to change."""
        return {name: value for name, value in super().columns().items() if name not in {"public_key", "secret_key"}}


class TwilioAccess(BaseModel):
    """Keys of the telephone company and the clinic's number there."""

    account_sid: ClearableId | None = Field(None, validation_alias=AliasChoices("accountSid", "account_sid"))
    auth_token: Secret | None = Field(None, validation_alias=AliasChoices("authToken", "auth_token"))
    from_number: ClearableNumber | None = Field(None, validation_alias=AliasChoices("fromNumber", "from_number"))

    _blanks = model_validator(mode="before")(without_blanks)


class Testing(BaseModel):
    """Where test calls go."""

    testDestinationNumber: ClearableNumber | None = None


class AgentConfigChanges(BaseModel):
    """Everything that the inbound line needs, at once."""

    vapi: VapiAccess = Field(default_factory=lambda: VapiAccess.model_validate({}))
    twilio: TwilioAccess = Field(default_factory=lambda: TwilioAccess.model_validate({}))
    testing: Testing | None = None

    def columns(self) -> dict[str, str | None]:
        """Return the plain settings to change."""
        given = {
            "vapi_public_key": self.vapi.public_key,
            "twilio_account_sid": self.twilio.account_sid,
            "twilio_from_number": self.twilio.from_number,
            "test_destination_number": self.testing.testDestinationNumber if self.testing else None,
        }
        return {name: value or None for name, value in given.items() if value is not None}

    def secrets(self) -> SecretFields:
        """Return the secrets to change by service and field."""
        return given_secrets(
            {"vapi": {"api_key": self.vapi.secret_key}, "twilio": {"auth_token": self.twilio.auth_token}}
        )


class VapiShown(BaseModel):
    """The voice provider's part, its secret key masked."""

    publicKey: str
    secretKey: str
    systemPrompt: str
    voice: str
    language: str
    maxCallDuration: int
    firstMessage: str
    phoneNumberId: str | None


class TwilioShown(BaseModel):
    """The telephone company's part, its token masked."""

    accountSid: str
    authToken: str
    fromNumber: str


class AgentConfig(BaseModel):
    """The voice assistants and what they are connected with."""

    success: bool
    agents: list[ConsoleAgent]
    vapiConfigured: bool
    vapi: VapiShown
    twilio: TwilioShown


class ConfigSteps(BaseModel):
    """How far it got."""

    stored: bool
    vapiValidated: bool
    twilioValidated: bool
    phoneNumberImported: bool
    assistantSynced: bool


class AgentConfigSaved(BaseModel):
    """The configuration is saved; `ready` says whether the inbound line works."""

    ready: bool
    steps: ConfigSteps
    orgId: str
    agentId: str
    assistantId: str | None
    phoneNumberId: str | None
    requestId: str
