"""Secrets of other services: encrypted at rest, bound to their organisation and field, shown masked.

Each secret is a Fernet token of its own, so that one can change without the others being read. The organisation and the
field are encrypted with it, so that a token copied to another row or field is refused.
"""

import functools
import logging

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app

from voxanne.config import Settings
from voxanne.errors import Conflict

logger = logging.getLogger(__name__)

BULLETS = "•" * 8
_SHORT = 8
_SHOWN = 4
NAMES = {
    ("vapi", "api_key"): "key of the voice provider",
    ("vapi", "webhook_secret"): "webhook secret of the voice provider",
    ("twilio", "auth_token"): "Twilio auth token",
}
"""What people call a secret, by provider and field."""


class SecretUnreadableError(Conflict):
    """409: a stored secret can't be decrypted: its key is not in ENCRYPTION_KEYS, or it was copied from elsewhere."""

    code = "SECRET_UNREADABLE"

    def __init__(self, name: str = "secret") -> None:
        self.name = name
        super().__init__(f"The stored {name} can't be read any more: please enter it again.")


def encrypt(org_id: str, provider: str, field: str, secret: str) -> str:
    """Return the ciphertext to store."""
    content = orjson.dumps([f"{org_id}:{provider}:{field}", secret])
    return _vault().encrypt(content).decode()


def decrypt(org_id: str, provider: str, field: str, ciphertext: str) -> str:
    """Return the secret; raises `SecretUnreadableError`, and logs which one it was."""
    try:
        place, secret = orjson.loads(_vault().decrypt(ciphertext))
    except (InvalidToken, ValueError, TypeError):
        place = secret = None
    if place != f"{org_id}:{provider}:{field}" or not isinstance(secret, str):
        logger.error(
            "stored secret can't be decrypted, see ENCRYPTION_KEYS",
            extra={"org_id": org_id, "provider": provider, "secret_field": field},
        )
        raise SecretUnreadableError(NAMES.get((provider, field), "secret"))
    return secret


def decrypt_one(org_id: str, provider: str, field: str, stored: str | None) -> str | None:
    """Return one secret of a service's `encrypted_config`, or None if it is not there."""
    ciphertext = fields_of(stored).get(field)
    return decrypt(org_id, provider, field, ciphertext) if ciphertext else None


def fields_of(stored: str | None) -> dict[str, str]:
    """Return the ciphertexts in a service's `encrypted_config` by field, none if it is not a JSON object."""
    try:
        fields = orjson.loads(stored or "{}")
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


def rotate(ciphertext: str) -> str:
    """Return a ciphertext re-encrypted with the first key, unchanged if it is; raises `SecretUnreadableError`."""
    first, *_ = _fernets(_keys())
    try:
        first.decrypt(ciphertext)
    except (InvalidToken, ValueError, TypeError):
        try:
            return _vault().rotate(ciphertext).decode()
        except (InvalidToken, ValueError, TypeError):
            raise SecretUnreadableError from None
    return ciphertext


def mask(secret: str | None) -> str:
    """Return what may be shown of a secret: of a short one nothing, not even its length."""
    if not secret:
        return ""
    return BULLETS if len(secret) <= _SHORT else f"{secret[:_SHOWN]}{BULLETS}{secret[-_SHOWN:]}"


def is_masked(text: str) -> bool:
    """Whether a text is a mask that a page was shown and has sent back, which means the secret that is stored."""
    return BULLETS in text


def _keys() -> tuple[str, ...]:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.fernet_keys


def _vault() -> MultiFernet:
    return MultiFernet(_fernets(_keys()))


@functools.lru_cache(maxsize=4)
def _fernets(keys: tuple[str, ...]) -> tuple[Fernet, ...]:
    return tuple(Fernet(key) for key in keys)
