"""How promising a caller is, and what the treatment that they ask for is worth.

The score starts at 50. A high-value treatment adds 40 and one of middling interest 20; a good mood adds 30 and a bad
one takes 20; urgency adds 30, else hesitation takes 10. It stays within 0 to 100; from 70 a lead is hot, from 40 warm.

The value is the highest price of the services of which a keyword occurs, from the cached price list. An organisation
without any service gets `USUAL_PRICES` instead, as does nobody else: whoever has a price list means it.

All words are matched as whole words in any case, so that "lip" is not found in "clip" nor "consult" in "consultant".
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from postgrest import SyncPostgrestClient

from voxanne.database import Row
from voxanne.services import pricing, sentiment

Tier = Literal["hot", "warm", "cold"]

START, LOWEST, HIGHEST = 50, 0, 100
HOT_FROM, WARM_FROM = 70, 40
POINTS = {"high_value": 40, "medium_interest": 20, "positive": 30, "negative": -20, "urgent": 30, "hesitant": -10}

HIGH_VALUE = (
    "rhinoplasty", "nose job", "facelift", "face lift", "neck lift", "brow lift", "breast augmentation", "breast lift",
    "breast reduction", "breast implants", "liposuction", "lipo", "tummy tuck", "abdominoplasty", "mommy makeover",
    "hair transplant", "blepharoplasty", "eyelid surgery", "body contouring", "dental implants", "veneers",
)  # fmt: skip
MEDIUM_INTEREST = (
    "botox", "filler", "fillers", "lip filler", "laser", "peel", "chemical peel", "facial", "microneedling",
    "hydrafacial", "dermaplaning", "skin tightening", "whitening", "consultation", "treatment plan",
)  # fmt: skip
URGENT = (
    "urgent", "urgently", "as soon as possible", "asap", "right away", "immediately", "today", "tomorrow", "this week",
    "emergency", "soonest", "first available", "ready to book", "book now",
)  # fmt: skip
HESITANT = (
    "not sure", "maybe", "thinking about it", "think about it", "just looking", "just browsing", "too expensive",
    "shop around", "call back later", "no rush", "not ready", "some day", "someday",
)  # fmt: skip

USUAL_PRICES = {
    "rhinoplasty": 6000.0,
    "facelift": 8000.0,
    "breast augmentation": 7500.0,
    "liposuction": 5000.0,
    "tummy tuck": 6500.0,
    "hair transplant": 6000.0,
    "blepharoplasty": 3500.0,
    "botox": 400.0,
    "filler": 500.0,
    "fillers": 500.0,
    "facial": 200.0,
    "peel": 200.0,
    "consultation": 150.0,
}


@dataclass(frozen=True)
class LeadScore:
    """A score from 0 to 100, its tier, and the reasons: keys of `POINTS`."""

    score: int
    tier: Tier
    reasons: tuple[str, ...]


def score_lead(transcript: str, mood: str | None = None) -> LeadScore:
    """Return how promising a caller is by what was said and by the analyser's label of the mood, of any kind."""
    interests = {"high_value": HIGH_VALUE, "medium_interest": MEDIUM_INTEREST}
    reasons = [name for name, words in interests.items() if _mentions(transcript, words)]
    label = sentiment.normalize(mood)
    if label in POINTS:
        reasons.append(str(label))
    if _mentions(transcript, URGENT):
        reasons.append("urgent")
    elif _mentions(transcript, HESITANT):
        reasons.append("hesitant")
    score = min(HIGHEST, max(LOWEST, START + sum(POINTS[reason] for reason in reasons)))
    return LeadScore(score, tier_of(score), tuple(reasons))


def tier_of(score: int) -> Tier:
    """Return the tier of a score."""
    if score >= HOT_FROM:
        return "hot"
    return "warm" if score >= WARM_FROM else "cold"


def estimate_value(db: SyncPostgrestClient, org_id: str, transcript: str) -> float:
    """Return what the caller's wish is worth, 0 if no service is recognised; no request while the prices are cached."""
    return value_in(pricing.price_list(db, org_id), transcript)


def value_in(services: list[Row], transcript: str) -> float:
    """Return the highest price of the services that the transcript mentions, by the usual prices if there are none."""
    if not services:
        return max((price for word, price in USUAL_PRICES.items() if _mentions(transcript, (word,))), default=0.0)
    return max((float(service["price"]) for service in wanted(services, transcript)), default=0.0)


def wanted(services: list[Row], transcript: str) -> list[Row]:
    """Return the services that the transcript mentions, the dearest first."""
    found = [service for service in services if _mentions(transcript, service["keywords"])]
    return sorted(found, key=lambda service: -float(service["price"]))


def _mentions(text: str, words: Iterable[str]) -> bool:
    given = tuple(word for word in words if word.strip())
    return bool(given) and _pattern(given).search(text) is not None


@functools.lru_cache(maxsize=1024)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the words, with any spaces or a hyphen where they have a space, and no letter or digit on either side."""
    choices = "|".join(r"[\s-]+".join(re.escape(part) for part in word.split()) for word in words)
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)", re.IGNORECASE)
