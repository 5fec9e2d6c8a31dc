"""Assistants at the voice provider: whose account they are in, what they consist of, and sending one there."""

from dataclasses import dataclass

from flask import current_app, request

from voxanne import voices
from voxanne.config import Settings
from voxanne.database import Row
from voxanne.integrations import vapi
from voxanne.integrations.vapi import VapiError, VapiNotFound
from voxanne.services import secrets
from voxanne.services.assistant_tools import TOOLS
from voxanne.services.secrets import SecretUnreadableError
from voxanne.services.webhooks import signature

DEFAULT_LANGUAGE = "en-GB"
DEFAULT_DURATION = 600
DEFAULT_PROMPTS = {
    "inbound": "You are the receptionist of a clinic. Be brief and kind, find out what the caller needs, offer free "
    "times for appointments, and put callers through who ask for a person. Give no medical advice.",
    "outbound": "You are calling for a clinic. Say who you are at once, ask whether it is a good moment, help the "
    "patient to find a time, and take no for an answer. Give no medical advice.",
}
DEFAULT_GREETINGS = {
    "inbound": "Hello, thank you for calling. How can I help you today?",
    "outbound": "Hello, I am calling from your clinic. Is now a good moment?",
}
DEFAULT_VOICES = {"inbound": voices.DEFAULT, "outbound": "jennifer"}
# What is used, and no transcripts while they are spoken: those would only be acknowledged.
SERVER_MESSAGES = ["tool-calls", "status-update", "end-of-call-report"]


class KeyUnreadable(VapiError):
    """A secret that the provider needs is stored and can't be decrypted."""

    reason = "key unreadable"
    code = SecretUnreadableError.code

    def __init__(self, secret: SecretUnreadableError) -> None:
        super().__init__(secret.message)


@dataclass(frozen=True)
class Account:
    """The provider's account that an organisation's assistants are in; `own` is False for the platform's account.

    `webhook_secret` is the secret that their events are to be signed with.
    """

    key: str
    own: bool
    webhook_secret: str | None


@dataclass(frozen=True)
class SyncResult:
    """How sending one assistant to the provider went; without `error` the provider has everything that is stored."""

    agent: Row
    assistant_id: str | None
    error: VapiError | None = None

    @property
    def created(self) -> bool:
        """Whether the assistant was created just now."""
        return bool(self.assistant_id != self.agent["vapi_assistant_id"])

    def record(self) -> Row:
        """Return it as `queries.record_sync` takes it."""
        return {
            "role": self.agent["role"],
            "was": self.agent["vapi_assistant_id"],
            "vapi_assistant_id": self.assistant_id,
            "error": self.error.reason if self.error else None,
        }


def account(org_id: str, stored: str | None) -> Account | None:
    """Return the organisation's own account, else the platform's, or None if there is neither.

    `stored` is the `encrypted_config` of the provider. Raises `KeyUnreadable` if the organisation has a key that can't
    be decrypted, rather than using the platform's account in its place.
    """
    settings: Settings = current_app.config["SETTINGS"]
    try:
        own = secrets.decrypt_one(org_id, "vapi", "api_key", stored)
        own_secret = secrets.decrypt_one(org_id, "vapi", "webhook_secret", stored)
    except SecretUnreadableError as error:
        raise KeyUnreadable(error) from None
    webhook_secret = signature.secret_to_tell(org_id, own_secret)
    key = own or settings.platform_vapi_key
    return Account(key, own is not None, webhook_secret) if key else None


def with_defaults(agent: Row) -> Row:
    """Return an assistant with defaults for what has not been chosen yet."""
    role = agent["role"]
    return {
        **agent,
        "system_prompt": agent["system_prompt"] or DEFAULT_PROMPTS[role],
        "first_message": agent["first_message"] or DEFAULT_GREETINGS[role],
        "voice": agent["voice"] or DEFAULT_VOICES[role],
        "language": agent["language"] or DEFAULT_LANGUAGE,
        "max_call_duration": agent["max_call_duration"] or DEFAULT_DURATION,
    }


def push(org_id: str, agent: Row, where: Account) -> SyncResult:
    """Create or update one assistant at the provider; the provider's errors are in the result and never raised.

    An assistant is created only if none is known or the provider says that it has no such one: after any other error
    the known one stays, so that no second one is made.
    """
    provider, content = vapi.provider(), _content(org_id, with_defaults(agent), where)
    assistant_id = agent["vapi_assistant_id"]
    try:
        known = _known(where.key, assistant_id)
        if known is None:
            return SyncResult(agent, str(provider.create_assistant(where.key, content)["id"]))
        if tools := (known.get("model") or {}).get("toolIds"):
            # Somebody has configured tools in the account: with ours beside them, a model might book twice.
            content["model"]["toolIds"] = tools
            del content["model"]["tools"]
        provider.update_assistant(where.key, assistant_id, content)
    except VapiError as error:
        return SyncResult(agent, assistant_id, error)
    return SyncResult(agent, assistant_id)


def webhook_url() -> str:
    """Return where the provider sends its events."""
    settings: Settings = current_app.config["SETTINGS"]
    return f"{str(settings.backend_url or request.url_root).rstrip('/')}/api/vapi/webhook"


def _known(key: str, assistant_id: str | None) -> Row | None:
    if not assistant_id:
        return None
    try:
        return vapi.provider().get_assistant(key, assistant_id)
    except VapiNotFound:
        return None


def _content(org_id: str, agent: Row, where: Account) -> Row:
    voice = voices.find(agent["voice"]) or voices.VOICES[0]
    server = {"url": webhook_url(), **({"secret": where.webhook_secret} if where.webhook_secret else {})}
    return {
        "name": agent["name"][:40],
        "firstMessage": agent["first_message"],
        "voice": {"provider": voice.provider, "voiceId": voice.id},
        "model": {
            "provider": "openai",
            "model": "gpt-4",
            "messages": [{"role": "system", "content": agent["system_prompt"]}],
            "tools": TOOLS,
        },
        "transcriber": {
            "provider": "deepgram",
            "model": "nova-2",
            "language": voices.transcriber_language(agent["language"]),
        },
        "maxDurationSeconds": agent["max_call_duration"],
        "server": server,
        "serverMessages": SERVER_MESSAGES,
        "metadata": {"org_id": org_id, "role": agent["role"]},
    }
