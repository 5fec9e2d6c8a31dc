"""Every route of the application, with what a test must know to use it; a route missing here fails the tests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.routing import Rule

from tests.factories import Factory
from voxanne.services import recordings

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
CALL = {"phone_number": "+14155550123", "call_date": "2026-03-10", "duration_seconds": 60, "status": "completed"}
SERVICE = {"name": "Botox", "price": 400, "keywords": ["botox"]}


@dataclass(frozen=True)
class Case:
    """How a route answers a caller who may: status, requests to Supabase cold and warm, and the least role."""

    cold: int
    warm: int
    role: str = "viewer"
    public: bool = False
    body: Any = None
    ok: int = 200
    foreign: int = 404
    direct: tuple[str, str, Any] | None = None
    """The write that a browser could send to PostgREST instead: method, table or function, body."""


CASES = {
    "system.root": Case(0, 0, public=True),
    "system.get_health": Case(2, 2, public=True),
    "system.get_csrf_token": Case(0, 0, public=True),
    "system.get_openapi": Case(0, 0, public=True),
    "system.get_docs": Case(0, 0, public=True),
    "recordings.play": Case(1, 1, public=True, ok=302),
    "orgs.validate_org": Case(1, 1, foreign=403),
    "calls_dashboard.list_calls": Case(1, 1),
    "calls_dashboard.get_stats": Case(1, 1),
    "calls_dashboard.get_summary": Case(1, 1),
    "calls_dashboard.get_call": Case(1, 1),
    "calls_dashboard.get_recording_url": Case(1, 1),
    "calls_dashboard.create_call": Case(2, 1, role="agent", body=CALL, ok=201, direct=("POST", "calls", CALL)),
    "calls_dashboard.delete_call": Case(2, 1, role="agent", direct=("DELETE", "call_logs", None)),
    "services.list_services": Case(1, 1),
    "services.get_service": Case(1, 1),
    "services.create_service": Case(2, 1, role="manager", body=SERVICE, ok=201, direct=("POST", "services", SERVICE)),
    "services.update_service": Case(
        2, 1, role="manager", body={"price": 1}, direct=("PATCH", "services", {"price": 1})
    ),
    "services.delete_service": Case(2, 1, role="manager", direct=("DELETE", "services", None)),
    "agents.list_agents": Case(1, 1),
}


def _link(factory: Factory, org_id: str) -> str:
    row = {"id": MAKERS["call_id"](factory, org_id), "has_recording": True}
    with factory.app.test_request_context():
        return str(recordings.link(org_id, row)).rsplit("/", 1)[1]


MAKERS: dict[str, Callable[[Factory, str], str]] = {
    "org_id": lambda _factory, org_id: org_id,
    "call_id": lambda factory, org_id: factory.call(org_id, recording_url="https://provider.example/audio.mp3"),
    "service_id": lambda factory, org_id: factory.service(org_id),
    "link": _link,
}
"""For each name in an address: makes a row of the organisation and returns what stands for it."""


def method_of(rule: Rule) -> str:
    """The one method of a route (HEAD and OPTIONS come by themselves)."""
    (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    return method


def path_of(rule: Rule, arguments: dict[str, str]) -> str:
    _, path = rule.build(arguments, append_unknown=False) or ("", "")
    return path


def own_path(rule: Rule, factory: Factory, org_id: str) -> str:
    """The route's address with fresh rows of that organisation."""
    return path_of(rule, {name: MAKERS[name](factory, org_id) for name in rule.arguments})
