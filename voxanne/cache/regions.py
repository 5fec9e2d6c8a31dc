"""Every kind of cached value, declared once: how long it lives, and how long it may help out when the origin fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MINUTE = 60.0
HOUR = 3600.0
ANYBODY = "*"
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Region:
    """One kind of cached value; keys are `<org>[:<more>]`, and a change outdates all of its organisation.

    Where the key does not begin with the organisation, `owner` finds in the value whose it is, for those that nobody
    owns as well; changes then name the owners that a value may have had.

    Raise `version` when the shape of the value changes: processes of the old and of the new deployment then read only
    their own values, while a change still invalidates both. Times are seconds; a `stale_for` of 0 means never stale.
    """

    name: str
    life: float
    missing_life: float
    stale_for: float = 0.0
    version: int = 1
    owner: Callable[[Any], str] | None = None

    def group(self, key: str) -> str:
        """Return whose changes a load under way depends on: all of them where only the value tells whose it is."""
        return ANYBODY if self.owner else group_of(key)

    def group_of(self, key: str, value: Any) -> str:
        """Return whose changes a value depends on."""
        return self.owner(value) if self.owner else group_of(key)

    def life_of(self, value: object) -> float:
        """Return how long the value is an answer; a missing row (None) has the shorter life."""
        return self.missing_life if value is None else self.life

    def stale_of(self, value: object) -> float:
        """Return how long past its life the value may still be served when the origin fails."""
        return min(self.stale_for, self.missing_life) if value is None else self.stale_for


def group_of(key: str) -> str:
    """Return the organisation with which a key begins."""
    return key.partition(":")[0]


def _owner_of_mapping(mapping: Any) -> str:
    return str(mapping["org_id"]) if mapping else NOBODY


def _owner_itself(org_id: Any) -> str:
    return str(org_id) if org_id else NOBODY


SERVICES = Region("services", life=HOUR, missing_life=MINUTE, stale_for=HOUR)
INBOUND_CONFIG = Region("inbound-config", life=5 * MINUTE, missing_life=MINUTE, stale_for=HOUR, version=2)
ORG_SETTINGS = Region("org-settings", life=10 * MINUTE, missing_life=MINUTE, stale_for=HOUR)
ORG_SECRETS = Region("org-secrets", life=10 * MINUTE, missing_life=MINUTE, stale_for=HOUR)
AGENTS = Region("agents", life=10 * MINUTE, missing_life=MINUTE, stale_for=10 * MINUTE)
PHONE_MAPPING = Region("phone-mapping", life=30 * MINUTE, missing_life=MINUTE, stale_for=HOUR, owner=_owner_of_mapping)
ASSISTANT_ORG = Region("assistant", life=30 * MINUTE, missing_life=MINUTE, stale_for=HOUR, owner=_owner_itself)
DIALLED_ORG = Region("dialled", life=5 * MINUTE, missing_life=MINUTE, stale_for=HOUR, owner=_owner_itself)
CONTACT_STATS = Region("contact-stats", life=5 * MINUTE, missing_life=MINUTE, stale_for=10 * MINUTE, version=2)
ROLE = Region("role", life=MINUTE, missing_life=MINUTE, stale_for=5 * MINUTE)

REGIONS = (
    SERVICES,
    INBOUND_CONFIG,
    ORG_SETTINGS,
    ORG_SECRETS,
    AGENTS,
    PHONE_MAPPING,
    ASSISTANT_ORG,
    DIALLED_ORG,
    CONTACT_STATS,
    ROLE,
)
