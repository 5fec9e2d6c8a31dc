"""The founder console's settings: keys and the number, as they are sent, shown and saved."""
# ruff: noqa: N815

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from voxanne.schemas.console_fields import ClearableId, ClearableNumber, Secret, SecretFields, given_secrets


class SettingsChanges(BaseModel):
    """What to change; what is left out or null stays, an empty string clears, a masked key means the stored one."""

    # Elsewhere unknown members are passed over, as the contract has it. Here every member is optional: under a misspelt
    # name a key would be lost, and the answer would still say that it was saved.
    model_config = ConfigDict(extra="forbid")

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
        return given_secrets(
            {
                "vapi": {"api_key": self.vapi_api_key, "webhook_secret": self.vapi_webhook_secret},
                "twilio": {"auth_token": self.twilio_auth_token},
            }
        )


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
