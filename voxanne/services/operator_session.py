"""The session of an operator's browser: an encrypted cookie, worth as much as Supabase Auth says.

The cookie holds the refresh token, and no access token: that is asked for when a session begins or is renewed, checked,
and forgotten. A session is renewed as often as an access token ends, so whoever is locked out or removed at Supabase is
out within the hour. While Auth is away nobody can say so, and the session goes on to its end: this page is needed most
when the database is down.
"""

import time
from typing import Any, Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from pydantic import BaseModel, Field, ValidationError
from supabase_auth.errors import AuthApiError, AuthError

from voxanne import database
from voxanne.auth import is_operator
from voxanne.config import Settings
from voxanne.errors import DatabaseUnavailable, Forbidden, RateLimited, Unauthenticated
from voxanne.tokens import InvalidToken as BadAccessToken

LIFE_SECONDS = 12 * 3600
RENEW_BEFORE_SECONDS = 60
ASK_AGAIN_SECONDS = 60
WAIT_SECONDS = 60
_TOO_MANY, _OUR_FAULT = 429, 500


class AuthUnavailable(DatabaseUnavailable):
    """503: Supabase Auth did not answer in time, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.message = "The sign-in service can't be reached right now. Please try again."


class OperatorSession(BaseModel):
    """What the cookie holds; times are seconds since 1970, `renewed` is whether the browser has yet to hear of it."""

    purpose: Literal["operator session"] = "operator session"
    user_id: str
    email: str | None
    refresh_token: str
    renew_at: float
    ends_at: float
    renewed: bool = Field(default=False, exclude=True)

    def seal(self) -> str:
        """Return it encrypted."""
        return _vault().encrypt(self.model_dump_json().encode()).decode()


def sign_in(email: str, password: str) -> OperatorSession:
    """Begin a session.

    Raises `Unauthenticated` for a wrong address or password, `Forbidden` for anybody but an operator,
    `DatabaseUnavailable` while Auth is away, `RateLimited` if Auth has had enough.
    """
    tokens = _ask_auth("sign_in_with_password", {"email": email, "password": password})
    session = _session(tokens, ends_at=time.time() + LIFE_SECONDS)
    if not is_operator(session.user_id, session.email):
        _revoke(tokens.access_token)
        raise Forbidden(
            "You have an account, but this page is for those who run the platform. Nobody has named you as an operator "
            "(setting OPERATORS)."
        )
    return session


def resume(sealed: str) -> OperatorSession:
    """Return the session of a cookie, renewed if it was time; raises `Unauthenticated` or `Forbidden`."""
    session = _open(sealed)
    if not is_operator(session.user_id, session.email):
        raise Forbidden("You are no longer named as an operator.")
    if session.renew_at > time.time():
        return session
    try:
        renewed = _session(_ask_auth("refresh_session", session.refresh_token), ends_at=session.ends_at)
    except (DatabaseUnavailable, RateLimited):
        return session.model_copy(update={"renew_at": time.time() + ASK_AGAIN_SECONDS, "renewed": True})
    if not is_operator(renewed.user_id, renewed.email):
        raise Forbidden("You are no longer named as an operator.")
    return renewed


def end(sealed: str) -> None:
    """Revoke the session at Auth; if that can't be reached, only the browser forgets it."""
    try:
        _revoke(_ask_auth("refresh_session", _open(sealed).refresh_token).access_token)
    except (Unauthenticated, DatabaseUnavailable, RateLimited):
        return


def _open(sealed: str) -> OperatorSession:
    try:
        session = OperatorSession.model_validate_json(_vault().decrypt(sealed))
    except (InvalidToken, ValidationError):
        raise Unauthenticated("Your session can't be read any more. Please sign in again.") from None
    if session.ends_at <= time.time():
        raise Unauthenticated("Your session has ended. Please sign in again.")
    return session


def _ask_auth(method: str, argument: Any) -> Any:
    """Return the tokens that Auth gives out."""
    try:
        return getattr(database.supabase().auth(), method)(argument).session
    except AuthApiError as error:
        if error.status == _TOO_MANY:
            raise RateLimited(WAIT_SECONDS) from None
        if error.status >= _OUR_FAULT:
            raise AuthUnavailable from None
        sentence = "Your session has ended. Please sign in again."
        raise Unauthenticated(
            "The e-mail address or the password is wrong." if method == "sign_in_with_password" else sentence
        ) from None
    except AuthError:
        raise AuthUnavailable from None


def _session(tokens: Any, *, ends_at: float) -> OperatorSession:
    try:
        claims = current_app.extensions["voxanne.tokens"].verify(tokens.access_token)
    except BadAccessToken:
        raise Unauthenticated("The sign-in service gave out a token that this server can't accept.") from None
    return OperatorSession(
        user_id=claims["sub"],
        email=claims.get("email"),
        refresh_token=tokens.refresh_token,
        renew_at=claims["exp"] - RENEW_BEFORE_SECONDS,
        ends_at=ends_at,
        renewed=True,
    )


def _revoke(access_token: str) -> None:
    try:
        database.supabase().auth().admin.sign_out(access_token, "local")
    except AuthError:
        return


def _vault() -> MultiFernet:
    settings: Settings = current_app.config["SETTINGS"]
    return MultiFernet([Fernet(key) for key in settings.fernet_keys])
