"""Makes organisations, members and calls straight in the database, and callers who send requests as those members."""

import itertools
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
import psycopg
from flask import Flask
from psycopg.types.json import Jsonb
from werkzeug.test import TestResponse

from voxanne import csrf
from voxanne.config import Settings

OPERATOR_ID = "0e7a0000-0000-4000-8000-000000000001"

_numbers = itertools.count(1)


def mint_token(settings: Settings, *, user_id: str, org_id: str | None, **claims: Any) -> str:
    now = int(time.time())
    payload = {
        "sub": user_id,
        "aud": "authenticated",
        "iss": settings.jwt_issuer,
        "iat": now,
        "exp": now + 3600,
        "role": "authenticated",
        "email": f"{user_id}@clinic.example",
        "app_metadata": {"org_id": org_id} if org_id else {},
        **claims,
    }
    assert settings.supabase_jwt_secret
    return jwt.encode(payload, settings.supabase_jwt_secret.get_secret_value(), algorithm="HS256")


@dataclass
class Caller:
    """A member of an organisation with a session."""

    app: Flask
    org_id: str
    user_id: str
    token: str

    def request(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        if method not in {"GET", "HEAD", "OPTIONS"}:
            with self.app.app_context():
                headers.setdefault("X-CSRF-Token", csrf.issue()[0])
        return self.app.test_client().open(path, method=method, headers=headers, **kwargs)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.request("GET", path, query_string=query)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.request("POST", path, json=json, **kwargs)

    def patch(self, path: str, json: Any = None) -> TestResponse:
        return self.request("PATCH", path, json=json)

    def delete(self, path: str) -> TestResponse:
        return self.request("DELETE", path)


class Factory:
    """Every organisation that it makes is new, so tests need not clean up after each other."""

    def __init__(self, sql: psycopg.Connection, app: Flask, settings: Settings) -> None:
        self.sql, self.app, self.settings = sql, app, settings

    def insert(self, table: str, **values: Any) -> str:
        adapted = {key: Jsonb(value) if isinstance(value, dict) else value for key, value in values.items()}
        names = ", ".join(adapted)
        holes = ", ".join(f"%({name})s" for name in adapted)
        row = self.sql.execute(f"insert into {table} ({names}) values ({holes}) returning id", adapted).fetchone()
        assert row
        return str(row["id"])

    def org(self, **values: Any) -> str:
        return self.insert("public.organizations", **{"name": f"Clinic {next(_numbers)}", **values})

    def member(self, org_id: str, role: str = "owner") -> Caller:
        user_id = str(uuid.uuid4())
        self.insert(
            "auth.users",
            id=user_id,
            email=f"{role}.{next(_numbers)}.{user_id[:8]}@clinic.example",
            raw_app_meta_data={"org_id": org_id, "role": role},
            raw_user_meta_data={},
        )
        token = mint_token(self.settings, user_id=user_id, org_id=org_id)
        return Caller(self.app, org_id, user_id, token)

    def caller(self, role: str = "owner", **org_values: Any) -> Caller:
        return self.member(self.org(**org_values), role)

    def operator(self) -> Caller:
        """A caller whom the setting OPERATORS names, in an organisation of which they are no member."""
        org_id = self.org()
        return Caller(self.app, org_id, OPERATOR_ID, mint_token(self.settings, user_id=OPERATOR_ID, org_id=org_id))

    def call(self, org_id: str, call_type: str = "inbound", **values: Any) -> str:
        table = "public.call_logs" if call_type == "inbound" else "public.calls"
        defaults: dict[str, Any] = {"status": "completed", "phone_number": "+14155550123"}
        moment = values.pop("at", datetime.now(UTC))
        defaults |= {"created_at": moment} if call_type == "inbound" else {"call_date": moment}
        for name in ("transcript", "action_items"):
            if name in values:
                values[name] = Jsonb(values[name])
        return self.insert(table, org_id=org_id, **{**defaults, **values})

    def service(self, org_id: str, **values: Any) -> str:
        defaults = {"name": f"Service {next(_numbers)}", "price": 100, "keywords": ["word"]}
        return self.insert("public.services", org_id=org_id, **{**defaults, **values})
