"""Verifies Supabase access tokens (JWT) without asking Supabase: signature, audience, issuer and expiry."""

import logging
import threading
import time
from typing import Any, NamedTuple

import httpx
import jwt

from voxanne.config import Settings
from voxanne.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)

AUDIENCE = "authenticated"
LEEWAY_SECONDS = 10
KEY_SET_LIFE_SECONDS = 600
REFETCH_EVERY_SECONDS = 30
FIRST_FETCH_EVERY_SECONDS = 2
FETCH_TIMEOUT_SECONDS = 3
KNOWN_SECONDS = 60
MOST_KNOWN = 5_000
ASYMMETRIC = ("ES256", "RS256")
_NEVER = float("-inf")


class InvalidToken(Exception):
    """The token is forged, expired, for another audience, or not a token at all."""


class KeySet:
    """The project's public keys (JWKS): cached, fetched at most every 30 s, and kept while Supabase is away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, jwt.PyJWK] = {}
        self.fetched = self._tried = _NEVER
        self._lock = threading.Lock()

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key with that id, or None; an unknown id makes it fetch the keys, unless that was done just now.

        Raises `DatabaseUnavailable` as long as the keys could never be fetched, since no token can be verified then.
        """
        stale = time.monotonic() - self.fetched > KEY_SET_LIFE_SECONDS
        if (stale or key_id not in self._keys) and self._may_fetch():
            self._refresh(wait=key_id not in self._keys)
        if self.fetched == _NEVER:
            raise DatabaseUnavailable
        return self._keys.get(key_id)

    def _may_fetch(self) -> bool:
        pause = FIRST_FETCH_EVERY_SECONDS if self.fetched == _NEVER else REFETCH_EVERY_SECONDS
        return time.monotonic() - self._tried > pause

    def _refresh(self, *, wait: bool) -> None:
        if not self._lock.acquire(blocking=wait, timeout=FETCH_TIMEOUT_SECONDS if wait else -1):
            return
        try:
            if not self._may_fetch():
                return
            self._keys = self._fetch()
            self.fetched = time.monotonic()
        except (httpx.HTTPError, ValueError) as error:
            logger.warning("key set not refreshed", extra={"cause": type(error).__name__})
        finally:
            self._tried = time.monotonic()
            self._lock.release()

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        reply = httpx.get(self._url, timeout=FETCH_TIMEOUT_SECONDS).raise_for_status().json()
        listed = reply.get("keys") if isinstance(reply, dict) else None
        if not isinstance(listed, list):
            raise ValueError("no list of keys")  # noqa: TRY004 -- a broken reply, not a wrong call
        keys = (_usable(entry) for entry in listed)
        return {str(key.key_id): key for key in keys if key is not None}


def _usable(entry: Any) -> jwt.PyJWK | None:
    try:
        key = jwt.PyJWK(entry)
    except (jwt.PyJWTError, AttributeError, TypeError, ValueError):
        return None
    return key if key.key_id and key.algorithm_name in ASYMMETRIC else None


class _Known(NamedTuple):
    """The claims of a token that was good, until when that holds, and when the keys were fetched that said so."""

    claims: dict[str, Any]
    until: float
    fetched: float


class TokenVerifier:
    """Turns an access token into its claims, or raises `InvalidToken`."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.supabase_jwt_secret
        self._secret = secret.get_secret_value() if secret else None
        self._issuer = settings.jwt_issuer
        self._key_set = KeySet(f"{settings.supabase_base}/auth/v1/.well-known/jwks.json")
        self._known: dict[str, _Known] = {}

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a valid token, which the caller must not change.

        One that was found to be good is not looked at again for a minute, unless it ends or the keys change.
        """
        known, now = self._known.get(token), time.time()
        fetched = self._key_set.fetched  # before the check, as they may change during it
        if known is not None and now < known.until and known.fetched == fetched:
            return known.claims
        claims = self._checked(token)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        until = min(now + KNOWN_SECONDS, int(claims["exp"]) + LEEWAY_SECONDS)
        self._known[token] = _Known(claims, until, fetched)
        return claims

    def _checked(self, token: str) -> dict[str, Any]:
        """Return the claims of a token after checking all of it.

        The algorithm is pinned by the kind of key: HS256 only where a secret is configured, ES256 or RS256 only
        with a key of the project's set, so that neither `none` nor a public key used as a secret gets through.
        """
        try:
            header = jwt.get_unverified_header(token)
            key, algorithm = self._key_for(header)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud", "iss"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise InvalidToken(type(error).__name__) from None
        return claims

    def _key_for(self, header: dict[str, Any]) -> tuple[str | jwt.PyJWK, str]:
        algorithm = header.get("alg")
        if algorithm == "HS256" and self._secret:
            return self._secret, algorithm
        key_id = header.get("kid")
        if algorithm in ASYMMETRIC and isinstance(key_id, str):
            key = self._key_set.key(key_id)
            if key is not None and key.algorithm_name == algorithm:
                return key, str(algorithm)
        raise InvalidToken("no key for this token")
