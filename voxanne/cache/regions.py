"""Every kind of cached value, declared once: how long it lives, and how long it may help out when the origin fails."""

from dataclasses import dataclass

MINUTE = 60.0
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Region:
    """One kind of cached value; keys are `<name>:<org>[:<more>]`.

    Raise `version` when the shape of the value changes: processes of the old and of the new deployment then read only
    their own values, while a change still invalidates both. Times are seconds; a `stale_for` of 0 means never stale.
    """

    name: str
    life: float
    missing_life: float
    stale_for: float = 0.0
    version: int = 1

    def life_of(self, value: object) -> float:
        """Return how long the value is an answer; a missing row (None) has the shorter life."""
        return self.missing_life if value is None else self.life

    def stale_of(self, value: object) -> float:
        """Return how long past its life the value may still be served when the origin fails."""
        return min(self.stale_for, self.missing_life) if value is None else self.stale_for


SERVICES = Region("services", life=HOUR, missing_life=MINUTE, stale_for=HOUR)
INBOUND_CONFIG = Region("inbound-config", life=5 * MINUTE, missing_life=MINUTE, stale_for=HOUR, version=2)
ORG_SETTINGS = Region("org-settings", life=10 * MINUTE, missing_life=MINUTE, stale_for=HOUR)
ORG_SECRETS = Region("org-secrets", life=10 * MINUTE, missing_life=MINUTE, stale_for=HOUR)
AGENTS = Region("agents", life=10 * MINUTE, missing_life=MINUTE, stale_for=10 * MINUTE)
PHONE_MAPPING = Region("phone-mapping", life=30 * MINUTE, missing_life=MINUTE, stale_for=HOUR)
ASSISTANT_ORG = Region("assistant", life=5 * MINUTE, missing_life=MINUTE, stale_for=HOUR)
DIALLED_ORG = Region("dialled", life=5 * MINUTE, missing_life=MINUTE, stale_for=HOUR)
CONTACT_STATS = Region("contact-stats", life=5 * MINUTE, missing_life=MINUTE, stale_for=10 * MINUTE)
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
