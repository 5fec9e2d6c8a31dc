"""Authentication and authorisation: from the bearer token to a `Principal`, the guards of routes, and the roles."""

import enum
import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from flask import Flask, current_app, g, request

from voxanne import database
from voxanne.cache import ROLE, cache
from voxanne.config import DEVELOPMENT_ORG_ID, DEVELOPMENT_USER_ID, Settings
from voxanne.errors import Forbidden, Unauthenticated
from voxanne.observability.timing import checking_caller
from voxanne.queries import members
from voxanne.tokens import InvalidToken, TokenVerifier

P = ParamSpec("P")
R = TypeVar("R")

# The dashboard sends these literally when it has no session.
_NO_TOKEN = {"", "undefined", "null"}


class Role(enum.IntEnum):
    """What a member may do; each role includes the ones before it."""

    VIEWER = 0
    AGENT = 1
    MANAGER = 2
    ADMIN = 3
    OWNER = 4


@dataclass(frozen=True)
class Account:
    """Somebody with a valid access token, who need not belong to an organisation."""

    user_id: str
    email: str | None
    org_id: str | None
    token: str
    bypass: bool = False

    def principal(self) -> "Principal | None":
        """Return the account as a member of its organisation, or None if it has none."""
        if self.org_id is None:
            return None
        return Principal(self.user_id, self.email, self.org_id, self.token, self.bypass)


@dataclass(frozen=True)
class Principal:
    """The authenticated caller; `token` goes to PostgREST with each of the caller's queries.

    `bypass` marks the development user (DEV_AUTH_BYPASS), who sends no token and is the owner of the first clinic.
    """

    user_id: str
    email: str | None
    org_id: str
    token: str
    bypass: bool = False

    @property
    def role(self) -> Role:
        """The caller's role in the organisation, cached for a minute; a caller without a membership is a viewer."""
        if self.bypass:
            return Role.OWNER
        db = database.for_principal(self.token)
        key = role_key(self.org_id, self.user_id)
        with checking_caller():
            name = cache.load(ROLE, key, lambda: members.get_role(db, self.org_id, self.user_id))
        return Role[name.upper()] if name else Role.VIEWER


def role_key(org_id: str, user_id: str) -> str:
    """Return the key under which a member's role is cached."""
    return f"{org_id}:{user_id}"


def principal() -> Principal:
    """Return the caller of this request; only routes behind `signed_in` may ask."""
    caller: Principal = g.principal
    return caller


def account() -> Account:
    """Return the account that sends this request; only routes behind `has_account` or `operator` may ask."""
    caller: Account = g.account
    return caller


def public() -> None:
    """Let anyone in: the route is open on purpose."""


def signed_in() -> None:
    """Let in only requests with a valid access token of a user who belongs to an organisation."""
    caller = _authenticate().principal()
    if caller is None:
        raise Unauthenticated("Missing org_id in the token: this user does not belong to an organisation yet.")
    g.principal = caller


def has_account() -> None:
    """Let in every valid access token, also that of a user without an organisation, who may be invited to one."""
    g.account = _authenticate()
    g.principal = g.account.principal()


def operator() -> None:
    """Let in only those who run the platform: the users that the setting OPERATORS names.

    They are named by user id, which nobody can choose when signing up. Development also takes e-mail addresses;
    elsewhere the settings refuse them, since a token does not say whether its address was ever confirmed. An operator
    need not belong to an organisation, and no database is asked.
    """
    has_account()
    if not is_operator(account().user_id, account().email):
        raise Forbidden("This is for those who run the platform.")


def is_operator(user_id: str, email: str | None) -> bool:
    """Return whether the setting OPERATORS names this user."""
    settings: Settings = current_app.config["SETTINGS"]
    # An identity provider may let people put anything there, even an operator's user id.
    address = email.lower() if email and "@" in email else None
    return user_id in settings.operators or address in settings.operators


def require_role(least: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuse callers below that role with a 403; goes below `@describe`, so that a bad body costs no look-up."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if principal().role < least:
                raise Forbidden(f"This needs the role {least.name.lower()} or a higher one.")
            return view(*args, **kwargs)

        return guarded

    return decorate


def init_app(app: Flask) -> None:
    """Prepare the verification of access tokens."""
    app.extensions["voxanne.tokens"] = TokenVerifier(app.config["SETTINGS"])


def _authenticate() -> Account:
    settings: Settings = current_app.config["SETTINGS"]
    header = request.headers.get("Authorization")
    if header is None and settings.dev_auth_bypass:
        return _development_account(settings)
    scheme, _, token = (header or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or token in _NO_TOKEN:
        raise Unauthenticated("Missing or malformed Authorization header: send 'Bearer <access token>'.")
    try:
        claims = current_app.extensions["voxanne.tokens"].verify(token)
    except InvalidToken:
        raise Unauthenticated("Invalid or expired token") from None
    user_id = _uuid(claims["sub"])
    if user_id is None:
        raise Unauthenticated("Invalid or expired token")
    metadata = claims.get("app_metadata")
    org_id = _uuid(metadata.get("org_id")) if isinstance(metadata, dict) else None
    email = claims.get("email")
    return Account(user_id=user_id, email=email if isinstance(email, str) else None, org_id=org_id, token=token)


def _development_account(settings: Settings) -> Account:
    return Account(
        user_id=DEVELOPMENT_USER_ID,
        email="dev@localhost",
        org_id=DEVELOPMENT_ORG_ID,
        token=settings.supabase_service_role_key.get_secret_value(),
        bypass=True,
    )


def _uuid(value: object) -> str | None:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return None
