"""Every changing route, with the reads that must show the change at once. A route that is missing here fails the tests.

A case makes what it needs in a new organisation and returns the change, and the reads that it alters. A read that the
cache answers (`cached`, the usual) must cost nothing once it is warm: else the test would prove nothing about it.
"""

import itertools
import uuid
from collections.abc import Callable

from tests.factories import Caller, Factory, mint_token
from tests.invalidation import console_cases
from tests.invalidation.change import Change, Read
from tests.services.webhooks import events
from tests.services.webhooks.clinic import clinic

_numbers = itertools.count(5_000_000)


def _id_of_row(factory: Factory, member: Caller) -> str:
    found = "select id from public.user_org_roles where user_id = %s and org_id = %s"
    row = factory.sql.execute(found, [member.user_id, member.org_id]).fetchone()
    assert row
    return str(row["id"])


def _calls(owner: Caller) -> tuple[Read, ...]:
    paths = (
        "/api/calls-dashboard", "/api/calls-dashboard/stats", "/api/calls-dashboard/analytics/summary",
        "/api/analytics/dashboard-pulse", "/api/analytics/recent-activity",
    )  # fmt: skip
    return tuple(Read(owner, path, cached=False) for path in paths)


def create_call(factory: Factory) -> Change:
    owner = factory.caller()
    body = {"phone_number": "+14155550123", "call_date": "2026-03-10", "duration_seconds": 60, "status": "completed"}
    return Change(owner, "POST", "/api/calls-dashboard", body, _calls(owner))


def delete_call(factory: Factory) -> Change:
    owner = factory.caller()
    path = f"/api/calls-dashboard/{factory.call(owner.org_id)}"
    return Change(owner, "DELETE", path, None, (*_calls(owner), Read(owner, path, cached=False)))


def _price_list(owner: Caller) -> tuple[Read, ...]:
    return Read(owner, "/probe/price-list"), Read(owner, "/api/services", cached=False)


def create_service(factory: Factory) -> Change:
    owner = factory.caller()
    body = {"name": "Botox", "price": 400, "keywords": ["botox"]}
    return Change(owner, "POST", "/api/services", body, _price_list(owner))


def update_service(factory: Factory) -> Change:
    owner = factory.caller()
    path = f"/api/services/{factory.service(owner.org_id)}"
    return Change(owner, "PATCH", path, {"price": 1.5}, (*_price_list(owner), Read(owner, path, cached=False)))


def delete_service(factory: Factory) -> Change:
    owner = factory.caller()
    path = f"/api/services/{factory.service(owner.org_id)}"
    return Change(owner, "DELETE", path, None, (*_price_list(owner), Read(owner, path, cached=False)))


def invite_member(factory: Factory) -> Change:
    owner = factory.caller()
    body = {"email": f"{uuid.uuid4().hex}@clinic.example", "role": "agent"}
    return Change(owner, "POST", "/api/team/members", body, (Read(owner, "/api/team/members", cached=False),))


def _member(owner: Caller, member: Caller) -> tuple[Read, ...]:
    team = Read(owner, "/api/team/members", cached=False)
    return Read(owner, "/api/agents"), Read(member, "/probe/role"), team


def set_member_role(factory: Factory) -> Change:
    """By the id of the row, from which nobody can tell beforehand whose role it is."""
    owner = factory.caller()
    member = factory.member(owner.org_id, "agent")
    path = f"/api/team/members/{_id_of_row(factory, member)}/role"
    return Change(owner, "PATCH", path, {"role": "manager"}, _member(owner, member))


def remove_member(factory: Factory) -> Change:
    owner = factory.caller()
    member = factory.member(owner.org_id, "agent")
    path = f"/api/team/members/{_id_of_row(factory, member)}"
    return Change(owner, "DELETE", path, None, _member(owner, member))


def accept_invitation(factory: Factory) -> Change:
    """The new member changes the list and the role of an organisation that the request's token does not name."""
    owner, person = factory.caller(), factory.caller("agent")
    confirm = "update auth.users set email_confirmed_at = now() where id = %s returning email"
    row = factory.sql.execute(confirm, [person.user_id]).fetchone()
    assert row
    values = {"org_id": owner.org_id, "email": row["email"].lower(), "role": "agent"}
    body = {"invitation_id": factory.insert("public.team_invitations", **values)}
    token = mint_token(factory.settings, user_id=person.user_id, org_id=owner.org_id)
    joined = Caller(factory.app, owner.org_id, person.user_id, token)
    return Change(person, "POST", "/api/team/invitations/accept", body, _member(owner, joined))


def _mapping(factory: Factory, owner: Caller) -> tuple[str, dict[str, str]]:
    values = {"inbound_phone_number": f"+1415{next(_numbers)}", "vapi_phone_number_id": f"phone-{uuid.uuid4()}"}
    return factory.insert("public.phone_number_mapping", org_id=owner.org_id, **values), values


def save_mapping(factory: Factory) -> Change:
    """Gives a number another id of the provider: the old one must be nobody's, and the new one ours."""
    owner = factory.caller()
    _, values = _mapping(factory, owner)
    body = {**values, "vapi_phone_number_id": f"phone-{uuid.uuid4()}"}
    ids = (values["vapi_phone_number_id"], body["vapi_phone_number_id"])
    routed = (Read(owner, f"/probe/organization-for/{phone_id}") for phone_id in ids)
    listed = Read(owner, "/api/inbound/phone-mappings", cached=False)
    return Change(owner, "POST", "/api/inbound/phone-mappings", body, (*routed, listed))


def add_mapping(factory: Factory) -> Change:
    """A second number, by which calls are told apart from then on."""
    owner = factory.caller()
    _mapping(factory, owner)
    body = {"inbound_phone_number": f"+1415{next(_numbers)}"}
    return Change(owner, "POST", "/api/inbound/phone-mappings", body, (Read(owner, "/probe/inbound-config"),))


def delete_mapping(factory: Factory) -> Change:
    owner = factory.caller()
    mapping_id, values = _mapping(factory, owner)
    reads = (
        Read(owner, f"/probe/organization-for/{values['vapi_phone_number_id']}"),
        Read(owner, "/probe/inbound-config"),
        Read(owner, "/api/inbound/phone-mappings", cached=False),
        Read(owner, f"/api/inbound/phone-lookup/{values['inbound_phone_number']}", cached=False),
    )
    return Change(owner, "DELETE", f"/api/inbound/phone-mappings/{mapping_id}", None, reads)


def _event(factory: Factory, path: str) -> Change:
    """The report of a stranger's call: a contact more. Without a recording, as every answer has a link of its own."""
    here = clinic(factory)
    owner = factory.member(here.org_id)
    report = events.report(here.call(), recordingUrl=None, stereoRecordingUrl=None, artifact=None)
    return Change(owner, "POST", path, report, (Read(owner, "/api/contacts/stats"), *_calls(owner)))


CASES: dict[str, Callable[[Factory], Change]] = {
    "calls_dashboard.create_call": create_call,
    "calls_dashboard.delete_call": delete_call,
    "services.create_service": create_service,
    "services.update_service": update_service,
    "services.delete_service": delete_service,
    "founder_console_settings.save_settings": console_cases.save_settings,
    "founder_console_v2.save_behavior": console_cases.save_behavior,
    "founder_console_v2.save_agent_config": console_cases.save_agent_config,
    "team.invite_member": invite_member,
    "team.set_member_role": set_member_role,
    "team.remove_member": remove_member,
    "invitations.accept_invitation": accept_invitation,
    "phone_mappings.save_mapping": save_mapping,
    "phone_mappings.save_mapping, of another number": add_mapping,
    "phone_mappings.delete_mapping": delete_mapping,
    "vapi_webhook.receive_event": lambda factory: _event(factory, "/api/vapi/webhook"),
    "webhooks.receive_event": lambda factory: _event(factory, "/api/webhooks/vapi"),
}
"""By endpoint: a new changing route adds its line; what follows a comma tells several cases of one apart."""

CACHED = sorted(set(CASES) - {"calls_dashboard.create_call", "calls_dashboard.delete_call", "team.invite_member"})
"""Those that alter something that is cached."""

CHANGES_NOTHING: dict[str, str] = {
    "webhooks.receive_sms_status": "what became of a text is shown nowhere yet",
    "ops.sign_in": "a session of the page for operators, which reads no organisation's rows",
    "ops.sign_out": "the same",
}
"""Endpoints that write nothing which any read of ours shows, each with the reason."""
