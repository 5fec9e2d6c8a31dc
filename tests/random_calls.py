"""Random organisations for property tests: calls that share a few awkward instants, names and numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.brute_force import StoredCall

STATUSES = ["queued", "ringing", "in-progress", "completed", "missed", "transferred", "failed"]
NAMES = ["Anna", "anna", "ANNA ", " Anna", "Zoë Ünal", "Änne", "O'Hara, (x) 50%", 'The "Doc"', "back\\slash", "a.b*c",
         "", "   ", "under_score", "émile 😀", "👨\u200d👩\u200d👧 family", "Li\u00a0Wei", "李 伟", "Яна", "a|b",
         "[x]{2}^$", "1+1?", "Test Demo", "Unknown"]  # fmt: skip
LETTERS = "aAbB éÉßЯя伟😀%_*\\'\"(),.|[]{}^$+?-#&=:;/\u200d\u00a0"
PHONES = ["+14155550123", "+442071234567", "+447700900123", "+353861234567"]
_TICK = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)

# Days on which the clock changes, or midnight is skipped (Cairo) or comes twice (Havana), and odd offsets.
PLACES = [
    ("UTC", datetime(2026, 6, 15, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 16, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 10, 25, 12, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 24, 9, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 11, 1, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 7, 20, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 1, 18, 20, tzinfo=UTC)),
    ("Pacific/Kiritimati", datetime(2026, 12, 31, 11, tzinfo=UTC)),
]


@dataclass(frozen=True)
class World:
    zone_name: str
    now: datetime
    calls: list[StoredCall]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_name)

    @property
    def moments(self) -> list[datetime]:
        return moments_of(self.zone, self.now)


def moments_of(zone: ZoneInfo, now: datetime) -> list[datetime]:
    """A few instants for many calls, most of them at the edge of a day, a week or a month."""
    today = now.astimezone(zone).date()
    days = [today, today + timedelta(days=1), today - timedelta(days=7), today.replace(day=1)]
    edges = {datetime.combine(day, time(0, fold=fold), zone).astimezone(UTC) for day in days for fold in (0, 1)}
    nearby = {edge + step for edge in edges for step in (-_HOUR, -_TICK, timedelta(0), _HOUR)}
    return sorted({now, *nearby})


def calls_at(moments: list[datetime]) -> st.SearchStrategy[list[StoredCall]]:
    call = st.builds(
        StoredCall,
        id=st.uuids(version=4).map(str),
        call_type=st.sampled_from(["inbound", "outbound"]),
        at=st.sampled_from(moments),
        caller_name=st.sampled_from([None, *NAMES]) | st.text(LETTERS, max_size=8),
        phone_number=st.sampled_from([None, *PHONES]),
        to_number=st.sampled_from([None, *PHONES]),
        status=st.just("completed") | st.sampled_from(STATUSES),
        started_at=st.none() | st.sampled_from(moments),
        duration_seconds=st.sampled_from([None, 0, 1, 2, 60, 61, 3600]),
        sentiment_score=st.none() | st.sampled_from([Decimal(text) for text in ("0", "0.125", "0.4", "0.605", "1")]),
        financial_value=st.sampled_from([Decimal("0.00"), Decimal("0.10"), Decimal("9500.55")]),
        is_test_call=st.sampled_from([False, False, False, False, True]),
        deleted_at=st.sampled_from([None, None, None, None, moments[0]]),
        lead_temp=st.sampled_from([None, "hot", "warm", "cold"]),
        booking_confirmed=st.booleans(),
    )
    # Sizes are drawn first, as lists alone come out short.
    return st.integers(0, 20).flatmap(
        lambda size: st.lists(call, min_size=size, max_size=size, unique_by=lambda made: made.id)
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    zone_name, now = draw(st.sampled_from(PLACES))
    return World(zone_name, now, draw(calls_at(moments_of(ZoneInfo(zone_name), now))))
