"""The founder console: settings and voice assistants, in the contract's spelling, in two where it has two."""
# ruff: noqa: N815

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from voxanne import voices
from voxanne.phones import to_e164

AgentRole = Literal["inbound", "outbound"]
MAX_SECRET = 500


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _number(value: str) -> str:
    number = to_e164(value) if value else ""
    if number is None:
        raise ValueError("must be an international phone number such as +14155550123")
    return number


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


def _without_blanks(values: Any) -> Any:
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


class SettingsChanges(BaseModel):
    """What to change; what is left out or null stays, an empty string clears, a masked key means the stored one."""

    vapi_api_key: Secret | None = None
    vapi_webhook_secret: Secret | None = None
    vapi_assistant_id: ClearableId | None = None
    twilio_account_sid: ClearableId | None = None
    twilio_auth_token: Secret | None = None
    twilio_from_number: ClearableNumber | None = None

    def columns(self) -> dict[str, str | None]:
        """Return the plain settings to change, None for those to clear."""
        given = {
            name: getattr(self, name) for name in ("vapi_assistant_id", "twilio_account_sid", "twilio_from_number")
        }
        return {name: value or None for name, value in given.items() if value is not None}

    def secrets(self) -> SecretFields:
        """Return the secrets to change by service and field, "" for those to clear."""
        return _given_secrets(
            {
                "vapi": {"api_key": self.vapi_api_key, "webhook_secret": self.vapi_webhook_secret},
                "twilio": {"auth_token": self.twilio_auth_token},
            }
        )


class AgentChanges(BaseModel):
    """What to change of an assistant; null or empty means unchanged."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None
    system_prompt: str | None = Field(
        None, max_length=100_000, validation_alias=AliasChoices("systemPrompt", "system_prompt")
    )
    first_message: str | None = Field(
        None, max_length=5000, validation_alias=AliasChoices("firstMessage", "first_message")
    )
    voice: Annotated[str, AfterValidator(_voice)] | None = Field(
        None, validation_alias=AliasChoices("voiceId", "voice", "voice_id")
    )
    language: Annotated[str, AfterValidator(_language)] | None = None
    max_call_duration: int | None = Field(
        None,
        ge=60,
        le=43_200,
        validation_alias=AliasChoices(
            "maxDurationSeconds", "maxCallDuration", "max_call_duration", "max_duration_seconds"
        ),
    )

    _blanks = model_validator(mode="before")(_without_blanks)

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

    _blanks = model_validator(mode="before")(_without_blanks)


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
        return _given_secrets(
            {"vapi": {"api_key": self.vapi.secret_key}, "twilio": {"auth_token": self.twilio.auth_token}}
        )


def _given_secrets(given: dict[str, dict[str, SecretStr | None]]) -> SecretFields:
    return {
        provider: {name: value for name, value in fields.items() if value is not None}
        for provider, fields in given.items()
    }


class AgentConfigQuery(BaseModel):
    """Which assistant; both by default."""

    role: AgentRole | None = None


class SettingsReply(BaseModel):
    """Which services are connected, with their keys masked."""

    vapiConfigured: bool
    twilioConfigured: bool
    lastVerified: datetime | None
    vapiApiKey: str
    vapiWebhookSecret: str
    vapiAssistantId: str | None
    twilioAccountSid: str | None
    twilioAuthToken: str
    twilioFromNumber: str | None


class SettingsSaved(BaseModel):
    """The settings are saved; whether the voice provider has taken them over is told apart."""

    success: bool
    webhookConfigured: bool
    webhookMessage: str | None = None
    phoneNumberConnected: bool


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


class Me(BaseModel):
    """The caller."""

    id: str
    email: str | None
    orgId: str


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
