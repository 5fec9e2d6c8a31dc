from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxanne.services.webhooks import spoken_times

SUNDAY = date(2026, 11, 22)

DAYS = {
    "2026-11-24": date(2026, 11, 24),
    "2026-12-11": date(2026, 12, 11),
    "11/24/2026": date(2026, 11, 24),
    "11/12": date(2027, 11, 12),
    "12/11": date(2026, 12, 11),
    "November 24": date(2026, 11, 24),
    "24 November 2026": date(2026, 11, 24),
    "Nov 24th, 2026": date(2026, 11, 24),
    "November 3": date(2027, 11, 3),
    "the 24th": date(2026, 11, 24),
    "the 3rd": date(2026, 12, 3),
    "Tuesday": date(2026, 11, 24),
    "on Tuesday": date(2026, 11, 24),
    "next Sunday": date(2026, 11, 29),
    "Sunday": SUNDAY,
    "Tuesday, November 24": date(2026, 11, 24),
    "2026-11-24T14:00:00Z": date(2026, 11, 24),
    "Today": SUNDAY,
    "tomorrow": date(2026, 11, 23),
    "the day after tomorrow": date(2026, 11, 24),
}
NO_DAYS = ["", "soon", "whenever", "2026", "November", "2 pm", "2026-02-30", "99999999999999999999", "x" * 61, "32nd"]

TIMES = {
    "2 pm": time(14),
    "2pm": time(14),
    "2:30 PM": time(14, 30),
    "2:30 p.m.": time(14, 30),
    "14:00": time(14),
    "14:00:00": time(14),
    "1400": time(14),
    "930": time(9, 30),
    "9": time(9),
    "at 9 o'clock": time(9),
    "noon": time(12),
    "12 pm": time(12),
    "12 am": time(0),
    "midnight": time(0),
    "2026-11-24T14:00": time(14),
}
NO_TIMES = ["", "morning", "25:00", "99", "14:75", "2026-11-24", "Tuesday", "٣", "9999999999"]


@pytest.mark.parametrize(("text", "expected"), DAYS.items())
def test_a_day_is_understood(text, expected):
    assert spoken_times.read_day(text, SUNDAY, day_first=False) == expected


@pytest.mark.parametrize("text", NO_DAYS)
def test_what_is_no_day_is_none(text):
    assert spoken_times.read_day(text, SUNDAY, day_first=False) is None


def test_a_country_reads_the_day_first_but_never_in_iso_dates():
    assert spoken_times.read_day("11/12/2026", SUNDAY, day_first=True) == date(2026, 12, 11)
    assert spoken_times.read_day("2026-12-11", SUNDAY, day_first=True) == date(2026, 12, 11)


@pytest.mark.parametrize(("text", "expected"), TIMES.items())
def test_a_time_is_understood(text, expected):
    assert spoken_times.read_time(text) == expected


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_none(text):
    assert spoken_times.read_time(text) is None


def test_a_whole_moment_is_the_clinics_own_time_unless_it_says_otherwise():
    zone = ZoneInfo("America/New_York")

    assert spoken_times.read_moment("2026-11-24T14:00", zone) == datetime.fromisoformat("2026-11-24T14:00")
    assert spoken_times.read_moment("2026-11-24T19:00:00Z", zone) == datetime.fromisoformat("2026-11-24T14:00")
    assert spoken_times.read_moment("2026-11-24", zone) is None


@given(st.text(max_size=70))
def test_no_text_is_an_error(text):
    spoken_times.read_day(text, SUNDAY, day_first=False)
    spoken_times.read_time(text)
    spoken_times.read_moment(text, ZoneInfo("UTC"))
