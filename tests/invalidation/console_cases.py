"""The founder console's changing routes, with the reads that must show each change."""

import itertools

from tests.factories import Caller, Factory
from tests.invalidation.change import Change, Read

SETTINGS, CONFIG, BEHAVIOR = (f"/api/founder-console/{path}" for path in ("settings", "agent/config", "agent/behavior"))
ACCOUNT_SID = "AC" + "0" * 32
ASSISTANT = {"systemPrompt": "Be kind.", "firstMessage": "Hello, how can I help?", "name": "Robin"}
_numbers = itertools.count(6_000_000)


def _connected(owner: Caller) -> tuple[Read, ...]:
    """All that depends on which keys and number are stored, secrets included."""
    return (
        Read(owner, SETTINGS),
        Read(owner, "/probe/org-settings"),
        Read(owner, "/probe/secret/vapi/api_key"),
        Read(owner, "/probe/secret/twilio/auth_token"),
        Read(owner, "/probe/inbound-config"),
        Read(owner, CONFIG, cached=False),
        Read(owner, "/api/inbound/phone-mappings", cached=False),
    )


def _clinic(factory: Factory) -> Caller:
    """An owner whose organisation has its assistants and the first of its keys."""
    owner = factory.caller()
    for path, body in ((BEHAVIOR, {"inbound": ASSISTANT}), (SETTINGS, {"vapi_api_key": "the-first-key-of-all"})):
        reply = owner.post(path, body)
        assert reply.status_code == 200, reply.json
    return owner


def save_settings(factory: Factory) -> Change:
    owner = _clinic(factory)
    body = {
        "vapi_api_key": "the-second-key-of-all",
        "twilio_account_sid": ACCOUNT_SID,
        "twilio_auth_token": "a-token-that-nobody-knows",
        "twilio_from_number": f"+1415{next(_numbers)}",
    }
    return Change(owner, "POST", SETTINGS, body, _connected(owner))


def save_agent_config(factory: Factory) -> Change:
    owner = _clinic(factory)
    twilio = {"accountSid": ACCOUNT_SID, "authToken": "a-token-too", "fromNumber": f"+1415{next(_numbers)}"}
    body = {"vapi": {"secretKey": "the-third-key-of-all", "systemPrompt": "Be brief."}, "twilio": twilio}
    return Change(owner, "POST", CONFIG, body, _connected(owner))


def save_behavior(factory: Factory) -> Change:
    """The first inbound assistant of an organisation: from then on it takes calls."""
    owner = factory.caller()
    reply = owner.post(SETTINGS, {"vapi_api_key": "the-first-key-of-all"})
    assert reply.status_code == 200, reply.json
    reads = (Read(owner, "/probe/inbound-config"), Read(owner, CONFIG, cached=False))
    return Change(owner, "POST", BEHAVIOR, {"inbound": ASSISTANT}, reads)
