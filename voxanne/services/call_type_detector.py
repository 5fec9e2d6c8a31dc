"""Whether a call came in or went out."""

from typing import Literal

from postgrest import SyncPostgrestClient

from voxanne.phones import to_e164
from voxanne.services import inbound_config

CallType = Literal["inbound", "outbound"]

# A web call comes from a visitor of a page, so it counts as inbound.
_BY_PROVIDER: dict[str, CallType] = {
    "inboundPhoneCall": "inbound",
    "outboundPhoneCall": "outbound",
    "webCall": "inbound",
}


def detect(
    db: SyncPostgrestClient, org_id: str, *, provider_type: str | None = None, dialled: str | None = None
) -> CallType | None:
    """Return a call's direction, or None if it can't be told; callers of this function then take it as outbound.

    The provider's call type decides. Without one, the dialled number is looked for among the organisation's own numbers
    (from the cached inbound config, active or not); None if the organisation has no number or the dialled one is none.
    """
    if provider_type in _BY_PROVIDER:
        return _BY_PROVIDER[provider_type]
    config = inbound_config.load(db, org_id) if dialled else None
    if not dialled or config is None or not config["numbers"]:
        return None
    number = to_e164(dialled, config["telephony_country"])
    if number is None:
        return None
    return "inbound" if number in config["numbers"] else "outbound"
