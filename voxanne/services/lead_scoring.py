"""How promising a caller is, and what the treatment that they ask for is worth.

The score starts at 50. A high-value treatment adds 40 and one of middling interest 20; a good mood adds 30 and a bad
one takes 20; urgency adds 30, else hesitation takes 10. It stays within 0 to 100; from 70 a lead is hot, from 40 warm.

The value is the highest price among the services of which a keyword occurs. An organisation that has not entered any
service is taken to have `USUAL_PRICES`.

All words are matched as whole words in any case, so that "lip" is not found in "clip" nor "consult" in "consultant".
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from voxanne.database import Row
from voxanne.services import sentiment

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


_USUAL_SERVICES: list[Row] = [
    {"name": word, "price": price, "keywords": [word]} for word, price in USUAL_PRICES.items()
]


@dataclass(frozen=True)
class LeadScore:
    """A score from 0 to 100, its tier, and the reasons: keys of `POINTS`."""

    score: int
    tier: Tier
    reasons: tuple[str, ...]


def score_lead(transcript: str, mood: str | None = None) -> LeadScore:
    """Return how promising a caller is; `mood` is any analyser's label, as `sentiment.normalize` takes it."""
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


def dearest_mentioned(services: list[Row], transcript: str) -> Row | None:
    """Return the dearest service that the transcript mentions, or None; an empty price list means the usual prices."""
    mentioned = (service for service in services or _USUAL_SERVICES if _mentions(transcript, service["keywords"]))
    return max(mentioned, key=lambda service: float(service["price"]), default=None)


def _mentions(text: str, words: Iterable[str]) -> bool:
    given = tuple(word for word in words if word.strip())
    return bool(given) and _pattern(given).search(text) is not None


@functools.lru_cache(maxsize=1024)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches any of the words as a whole; a space in one stands for any spaces or hyphens."""
    choices = "|".join(r"[\s-]+".join(re.escape(part) for part in word.split()) for word in words)
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)", re.IGNORECASE)
