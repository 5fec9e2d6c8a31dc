"""Typed settings, read once from the environment (and `.env`); a wrong or missing one stops the start with one line."""

import base64
import hashlib
import ipaddress
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from cryptography.fernet import Fernet
from pydantic import AnyHttpUrl, BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from redis import ConnectionPool, RedisError

DEVELOPMENT_ORG_ID = "a0000000-0000-0000-0000-000000000001"
DEVELOPMENT_USER_ID = "d0000000-0000-0000-0000-000000000001"

SHORTEST_WEBHOOK_SECRET = 16
LOCAL_WEBHOOK_SECRET = "local-webhook-secret-for-development"  # noqa: S105 -- public, as .env.example shows it

Words = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda value: tuple(value.replace(",", " ").split()) if isinstance(value, str) else value),
]

_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?")

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class ConfigError(Exception):
    """A setting is missing or wrong; the text is one line for whoever starts the program."""


class Settings(BaseSettings):
    """Everything that differs between one deployment and another; `.env.example` explains each name."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    app_env: Literal["development", "test", "staging", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(3001, ge=1, le=65535)
    web_concurrency: int = Field(1, ge=1, le=64)
    web_threads: int = Field(8, ge=1, le=256)
    receive_timeout_seconds: int = Field(10, ge=1, le=300)
    backend_url: AnyHttpUrl | None = None
    trusted_proxies: int = Field(1, ge=0, le=5)
    cors_origin: Words = ("http://localhost:3000", "http://localhost:3001")
    csrf_secret: SecretStr | None = Field(None, min_length=32)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    slow_request_ms: int = Field(500, ge=1)
    operators: Words = ()
    metrics_token: SecretStr | None = Field(None, min_length=16)
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = None
    dev_auth_bypass: bool = False

    supabase_url: AnyHttpUrl
    supabase_publishable_key: SecretStr = Field(min_length=1)
    supabase_service_role_key: SecretStr = Field(min_length=1)
    supabase_jwt_secret: SecretStr | None = Field(None, min_length=32)
    supabase_jwt_issuer: str | None = None
    supabase_timeout_seconds: float = Field(5.0, gt=0, le=60)
    supabase_connections: int = Field(32, ge=1, le=500)
    database_size_limit_mb: int = Field(0, ge=0)

    encryption_keys: SecretStr | None = None
    vapi_mode: Literal["fake", "live"] | None = None
    vapi_private_key: SecretStr | None = None
    twilio_mode: Literal["fake", "live"] | None = None
    twilio_auth_token: SecretStr | None = None

    vapi_webhook_secret: SecretStr | None = None
    vapi_signature_header: str = Field("X-Signature", pattern=r"^[A-Za-z0-9-]+$")
    vapi_timestamp_header: str = Field("X-Timestamp", pattern=r"^[A-Za-z0-9-]+$")
    vapi_shared_secret_accepted: bool = True
    webhook_tolerance_seconds: int = Field(300, ge=1, le=3600)
    webhook_rate_limit_per_minute: int = Field(100, ge=1)
    webhook_caller_waits_seconds: float = Field(2.0, gt=0, le=7)
    webhook_spool_dir: Path | None = None
    webhook_spool_max_mb: int = Field(1024, ge=1)

    redis_url: SecretStr | None = None
    cache_key_prefix: str = "voxanne"
    rate_limit_per_org_hour: int = Field(5000, ge=1)
    rate_limit_failed_auth_minute: int = Field(100, ge=1)
    recording_url_expiry_seconds: int = Field(3600, ge=60, le=604_800)

    @field_validator("cors_origin")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # Exact ones: a reply that carries credentials may not be for everybody, and a pattern would let strangers in.
        origins = tuple(origin.rstrip("/") for origin in value)
        if not all(_ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("every origin must be like https://dashboard.example or http://localhost:3000")
        return origins

    @field_validator("operators")
    @classmethod
    def _operators(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_UUID.fullmatch(name) or "@" in name for name in value):
            raise ValueError("every operator must be a user id, or in development an e-mail address")
        return tuple(name.lower() for name in value)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis:// or rediss://")
        if value is not None and not _redis_address_works(value.get_secret_value()):
            raise ValueError("must be an address such as redis://127.0.0.1:6379/0, without options that can't work")
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for key in words(value):
            try:
                Fernet(key)
            except ValueError:
                raise ValueError("every key must be 32 bytes in URL-safe base64, as .env.example says") from None
        if value is not None and not words(value):
            raise ValueError("holds no key")
        return value

    @field_validator("vapi_webhook_secret")
    @classmethod
    def _webhook_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(len(secret) >= SHORTEST_WEBHOOK_SECRET for secret in words(value)):
            raise ValueError(f"every secret must have {SHORTEST_WEBHOOK_SECRET} characters or more")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.app_env != "development" and self.csrf_secret is None:
            raise ValueError("CSRF_SECRET is required unless APP_ENV=development")
        if self.dev_auth_bypass and not (self.app_env == "development" and self.bound_to_loopback):
            raise ValueError("DEV_AUTH_BYPASS needs APP_ENV=development and a loopback HOST")
        if self.app_env in {"staging", "production"} and self.encryption_keys is None:
            raise ValueError("ENCRYPTION_KEYS is required where APP_ENV is staging or production")
        if self.app_env in {"staging", "production"} and LOCAL_WEBHOOK_SECRET in self.webhook_secrets:
            raise ValueError("VAPI_WEBHOOK_SECRET is the public one of .env.example: make another")
        if self.app_env == "production" and self.vapi_mode == "fake":
            raise ValueError("VAPI_MODE=fake only pretends, so APP_ENV=production refuses it")
        if self.app_env != "development" and any("@" in name for name in self.operators):
            raise ValueError("OPERATORS may name e-mail addresses only in development: give the user ids")
        if self.app_env == "production" and self.twilio_mode == "fake":
            raise ValueError("TWILIO_MODE=fake only pretends, so APP_ENV=production refuses it")
        if self.web_concurrency > 1 and self.redis_url is None:
            raise ValueError("WEB_CONCURRENCY above 1 needs REDIS_URL, since in-process caches are not shared")
        return self

    @cached_property
    def bound_to_loopback(self) -> bool:
        """Whether the program listens on this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @cached_property
    def supabase_base(self) -> str:
        """The project's URL without a closing slash."""
        return str(self.supabase_url).rstrip("/")

    @cached_property
    def jwt_issuer(self) -> str:
        """Who must have issued the access tokens."""
        return self.supabase_jwt_issuer or f"{self.supabase_base}/auth/v1"

    @cached_property
    def signing_key(self) -> str:
        """The secret behind CSRF tokens and recording links; development falls back on the service key."""
        return (self.csrf_secret or self.supabase_service_role_key).get_secret_value()

    @cached_property
    def fernet_keys(self) -> tuple[str, ...]:
        """The keys for secrets at rest, the encrypting one first; development derives one from the service key."""
        if self.encryption_keys is not None:
            return words(self.encryption_keys)
        seed = b"voxanne secrets at rest:" + self.supabase_service_role_key.get_secret_value().encode()
        return (base64.urlsafe_b64encode(hashlib.sha256(seed).digest()).decode(),)

    @cached_property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets of the platform that the voice provider's events may be signed with, the newest first."""
        return words(self.vapi_webhook_secret)

    @cached_property
    def spool_folder(self) -> Path | None:
        """Where events are kept while Supabase is away; only development has a folder without naming one.

        That one is named after the Supabase project, so that no event reaches another one.
        """
        if self.webhook_spool_dir is not None or self.app_env != "development":
            return self.webhook_spool_dir
        project = hashlib.sha256(self.supabase_base.encode()).hexdigest()[:8]
        return Path(__file__).parents[1] / ".local" / "webhook-spool" / project

    @cached_property
    def voice_provider_is_fake(self) -> bool:
        """Whether a stand-in takes the voice provider's place; without VAPI_MODE, only in development and tests."""
        return (self.vapi_mode or ("fake" if self.app_env in {"development", "test"} else "live")) == "fake"

    @cached_property
    def text_provider_is_fake(self) -> bool:
        """Whether a stand-in takes Twilio's place; without TWILIO_MODE, only in development and tests."""
        return (self.twilio_mode or ("fake" if self.app_env in {"development", "test"} else "live")) == "fake"

    @cached_property
    def platform_vapi_key(self) -> str | None:
        """The key for organisations that have none of their own; the stand-in of development needs no real one."""
        if self.vapi_private_key is not None:
            return self.vapi_private_key.get_secret_value()
        return "stand-in" if self.voice_provider_is_fake and self.app_env == "development" else None


def _redis_address_works(url: str) -> bool:
    """Whether redis-py can make a connection of it; options that it does not know come up only then."""
    try:
        pool = ConnectionPool.from_url(url)
        pool.make_connection()  # opens nothing yet
    except (ValueError, TypeError, RedisError):
        return False
    # The cache and the limits read bytes; and "false" in an address would count as true.
    return "decode_responses" not in pool.connection_kwargs


def words(value: SecretStr | None) -> tuple[str, ...]:
    """Return the secrets in a list that is separated by commas or spaces."""
    return tuple(value.get_secret_value().replace(",", " ").split()) if value else ()


def load_settings(**overrides: object) -> Settings:
    """Read the settings; raises `ConfigError` naming every missing or wrong one, never its value."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = (
            ": ".join(
                filter(None, (".".join(map(str, item["loc"])).upper(), item["msg"].removeprefix("Value error, ")))
            )
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        )
        told = "; ".join(problems)
        raise ConfigError(f"configuration: {told} (.env.example explains every setting)") from None
