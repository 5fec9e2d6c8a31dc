"""Whether a call came in or went out."""

from typing import Literal

from postgrest import SyncPostgrestClient

from voxanne.phones import to_e164
from voxanne.services import inbound_config

CallType = Literal["inbound", "outbound"]

# Somebody who talks to the assistant from a web page came to us.
_BY_PROVIDER: dict[str, CallType] = {
    "inboundPhoneCall": "inbound",
    "outboundPhoneCall": "outbound",
    "webCall": "inbound",
}


def detect(
    db: SyncPostgrestClient, org_id: str, *, provider_type: str | None = None, dialled: str | None = None
) -> CallType | None:
    """Return a call's direction, or None if it can't be known (callers then take it as outbound).

    The provider's own call type decides. Only without one is the number that was dialled compared with all of the
    organisation's own, from the cached inbound config, whether or not somebody answers them; None where it has no
    number or the dialled one is none.
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
