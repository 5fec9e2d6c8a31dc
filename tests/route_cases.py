"""Every route of the application, with what a test must know to use it; a route missing here fails the tests."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.routing import Rule

from tests.conftest import METRICS_TOKEN
from tests.factories import Caller, Factory
from voxanne.services import recordings

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
CALL = {"phone_number": "+14155550123", "call_date": "2026-03-10", "duration_seconds": 60, "status": "completed"}
ASSISTANT = {"role": "inbound", "name": "Eve"}
SERVICE = {"name": "Botox", "price": 400, "keywords": ["botox"]}
INVITATION = {"email": "new.colleague@clinic.example", "role": "agent"}
EVENT = {"message": {"type": "status-update", "status": "ringing"}}
NUMBER = {"inbound_phone_number": "+14155550999"}

_numbers = itertools.count(2_000_000)


def new_number() -> dict[str, str]:
    """A number that no organisation uses yet."""
    return {"inbound_phone_number": f"+1415{next(_numbers)}"}


@dataclass(frozen=True)
class Case:
    """How a route answers a caller who may: status, requests to Supabase cold and warm, and the least role."""

    cold: int
    warm: int
    role: str = "viewer"
    public: bool = False
    operator: bool = False
    """For those who run the platform; no role in an organisation is enough."""
    bearer: str | None = None
    """The token that the route takes in place of a caller's."""
    body: Any = None
    ok: int = 200
    foreign: int = 404
    page: bool = False
    """Answers with pages for people, also where something is wrong."""
    own: bool = False
    """A change that concerns the caller alone, and so needs no role."""
    direct: tuple[str, str, Any] | None = None
    """The write that a browser could send to PostgREST instead: method, table or function, body."""

    @property
    def payload(self) -> Any:
        """The body to send; a fresh one each time where `body` makes it."""
        return self.body() if callable(self.body) else self.body

    def caller(self, factory: Factory, role: str = "owner") -> Caller:
        """Somebody new who may use the route: nothing of the organisation is in the cache."""
        caller = factory.operator() if self.operator else factory.caller(role)
        return replace(caller, token=self.bearer) if self.bearer else caller


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
    "analytics.get_pulse": Case(1, 1),
    "analytics.list_leads": Case(1, 1),
    "analytics.list_recent_activity": Case(1, 1),
    "analytics.get_stats": Case(1, 1),
    "services.list_services": Case(1, 1),
    "services.get_service": Case(1, 1),
    "services.create_service": Case(2, 1, role="manager", body=SERVICE, ok=201, direct=("POST", "services", SERVICE)),
    "services.update_service": Case(
        2, 1, role="manager", body={"price": 1}, direct=("PATCH", "services", {"price": 1})
    ),
    "services.delete_service": Case(2, 1, role="manager", direct=("DELETE", "services", None)),
    "agents.list_agents": Case(1, 0),
    "team.list_members": Case(1, 1),
    "team.list_roles": Case(0, 0),
    "team.invite_member": Case(
        2, 1, role="admin", body=INVITATION, ok=201, direct=("POST", "team_invitations", INVITATION)
    ),
    # a change of the team outdates all its roles, the caller's as well; this one reads it twice, so it is fetched anew
    "team.set_member_role": Case(
        2, 1, role="admin", body={"role": "viewer"}, direct=("PATCH", "user_org_roles", {"role": "viewer"})
    ),
    "team.remove_member": Case(2, 2, role="admin", ok=204, direct=("DELETE", "user_org_roles", None)),
    "invitations.list_invitations": Case(1, 1),
    "invitations.accept_invitation": Case(1, 1, own=True, body=lambda: {"invitation_id": str(uuid.uuid4())}, ok=404),
    "contacts.get_stats": Case(1, 0),
    "phone_mappings.list_mappings": Case(1, 1),
    "phone_mappings.save_mapping": Case(
        2, 1, role="manager", body=new_number, direct=("POST", "phone_number_mapping", NUMBER)
    ),
    "phone_mappings.delete_mapping": Case(2, 1, role="manager", direct=("DELETE", "phone_number_mapping", None)),
    "phone_mappings.look_up_number": Case(1, 1),
    "voices.list_console_voices": Case(0, 0, public=True),
    "voices.list_voices": Case(0, 0, public=True),
    "founder_console_settings.get_settings": Case(1, 0),
    "founder_console_settings.save_settings": Case(
        2, 1, role="admin", body={"vapi_api_key": "a-key-of-the-clinic"}, direct=("POST", "integration_settings", {})
    ),
    "founder_console_v2.get_me": Case(0, 0),
    "founder_console_v2.get_agent_config": Case(1, 1),
    # One request more where there is a voice provider to tell: what became of that is stored as well.
    "founder_console_v2.save_behavior": Case(
        2, 1, role="admin", body={"inbound": {"name": "Eve"}}, direct=("POST", "agents", ASSISTANT)
    ),
    "founder_console_v2.save_agent_config": Case(
        2, 1, role="admin", body={"vapi": {"publicKey": "pk-1"}}, direct=("POST", "inbound_agent_config", {})
    ),
    # Unsigned; what genuine events cost is counted in tests/routes/test_vapi_webhook.py.
    "vapi_webhook.receive_event": Case(0, 0, public=True, own=True, body=EVENT, ok=401),
    "vapi_webhook.get_health": Case(0, 0, public=True),
    "webhooks.receive_event": Case(0, 0, public=True, own=True, body=EVENT, ok=401),
    "webhooks.receive_sms_status": Case(0, 0, public=True, own=True, body={"MessageSid": "SM1"}, ok=403),
    "webhooks.get_health": Case(0, 0, public=True),
    "webhooks.get_status": Case(0, 0, public=True),
    "monitoring.get_cache_stats": Case(0, 0),
    "monitoring.get_process_health": Case(0, 0),
    "operations.get_performance": Case(0, 0, operator=True),
    "operations.get_slow_queries": Case(1, 1, operator=True),
    "operations.get_database": Case(1, 1, operator=True),
    "ops.show": Case(0, 0, public=True, page=True),
    "ops.sign_in": Case(
        0, 0, public=True, page=True, own=True, body={}, ok=400
    ),  # with an empty form; tests/routes/test_ops.py
    "ops.lead_back": Case(0, 0, public=True, page=True, ok=303),
    "ops.sign_out": Case(0, 0, public=True, page=True, own=True, ok=303),
    "ops.get_asset": Case(0, 0, public=True),
    "metrics.get_metrics": Case(1, 1, public=True, bearer=METRICS_TOKEN),
    "cache_health.get_cache_health": Case(0, 0, public=True),
}


def _member(factory: Factory, org_id: str) -> str:
    member = factory.member(org_id, "agent")
    found = "select id from public.user_org_roles where user_id = %s and org_id = %s"
    row = factory.sql.execute(found, [member.user_id, org_id]).fetchone()
    assert row
    return str(row["id"])


def _mapping(factory: Factory, org_id: str) -> str:
    return factory.insert("public.phone_number_mapping", org_id=org_id, **new_number())


def _mapped_number(factory: Factory, org_id: str) -> str:
    number = new_number()
    factory.insert("public.phone_number_mapping", org_id=org_id, **number)
    return number["inbound_phone_number"]


def _link(factory: Factory, org_id: str) -> str:
    row = {"id": MAKERS["call_id"](factory, org_id), "has_recording": True}
    with factory.app.test_request_context():
        return str(recordings.links(org_id)(row)).rsplit("/", 1)[1]


MAKERS: dict[str, Callable[[Factory, str], str]] = {
    "org_id": lambda _factory, org_id: org_id,
    "call_id": lambda factory, org_id: factory.call(org_id, recording_url="https://provider.example/audio.mp3"),
    "service_id": lambda factory, org_id: factory.service(org_id),
    "link": _link,
    "member_id": _member,
    "mapping_id": _mapping,
    "number": _mapped_number,
    "asset": lambda _factory, _org_id: "ops.js",
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
