"""The rows are what a clinic's rows would be: ratios, links, hours, prices, conversations."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.seed.conftest import CALLS, NOW

CONTRACT_PRICES = {
    "Botox": 400,
    "Facelift": 8000,
    "Rhinoplasty": 6000,
    "Breast Augmentation": 7500,
    "Liposuction": 5000,
    "Fillers": 500,
    "Consultation": 150,
}
ACTIVE = ("ringing", "in-progress", "queued")


@pytest.fixture(scope="module")
def calls(sql: psycopg.Connection, clinics: list[str]) -> list[dict]:
    query = """select f.*, o.timezone from calls_feed f join organizations o on o.id = f.org_id
      where org_id = any(%s::uuid[])"""
    return sql.execute(query, [clinics]).fetchall()


def share(calls: list[dict], wanted) -> float:
    return sum(1 for call in calls if wanted(call)) / len(calls)


def test_every_call_is_there(calls: list[dict]) -> None:
    assert len(calls) == 2 * CALLS
    assert len({call["id"] for call in calls}) == len({call["vapi_call_id"] for call in calls}) == 2 * CALLS


@pytest.mark.parametrize(
    ("what", "expected", "tolerance"),
    [
        (lambda call: call["call_type"] == "inbound", 0.80, 0.04),
        (lambda call: call["status"] == "completed", 0.78, 0.04),
        (lambda call: call["status"] == "missed", 0.10, 0.03),
        (lambda call: call["status"] == "transferred", 0.07, 0.025),
        (lambda call: call["status"] == "failed", 0.05, 0.025),
        (lambda call: call["contact_id"] is not None, 0.35, 0.05),
        (lambda call: call["caller_name"] is None, 0.04, 0.02),
        (lambda call: call["phone_number"] is None, 0.02, 0.015),
        (lambda call: call["has_recording"], 0.83, 0.06),
        (lambda call: call["is_test_call"], 0.008, 0.008),
    ],
)
def test_shares(calls: list[dict], what, expected: float, tolerance: float) -> None:
    assert share(calls, what) == pytest.approx(expected, abs=tolerance)


def test_durations_fit_the_status(calls: list[dict]) -> None:
    completed = sorted(call["duration_seconds"] for call in calls if call["status"] == "completed")
    assert 90 <= completed[len(completed) // 2] <= 145
    assert {call["duration_seconds"] for call in calls if call["status"] == "missed"} == {0}
    assert {call["duration_seconds"] for call in calls if call["status"] in ACTIVE} == {None}


def test_some_calls_are_under_way_now(calls: list[dict]) -> None:
    active = [call for call in calls if call["status"] in ACTIVE]
    assert len(active) == 2 * 3
    assert {call["ended_at"] for call in active} == {None}
    assert min(call["call_date"] for call in active) > max(call["call_date"] for call in calls if call["ended_at"])


def test_calls_lie_within_the_last_year_and_end_before_now(calls: list[dict]) -> None:
    now = datetime.fromisoformat(NOW)
    assert min(call["created_at"] for call in calls) > now - timedelta(days=366)
    assert max(call["ended_at"] for call in calls if call["ended_at"]) < now
    assert max(call["call_date"] for call in calls) < now


def test_most_calls_come_in_opening_hours_of_weekdays_there(calls: list[dict]) -> None:
    local = [call["call_date"].astimezone(ZoneInfo(call["timezone"])) for call in calls]
    assert share(local, lambda when: 8 <= when.hour < 19) > 0.8
    assert share(local, lambda when: when.weekday() < 5) > 0.75
    assert share(local, lambda when: when.weekday() == 6) < 0.1


@pytest.mark.parametrize("days", [0, 7, 30])
def test_every_period_of_the_dashboard_has_calls(sql: psycopg.Connection, clinics: list[str], days: int) -> None:
    query = """select count(*) from calls_feed f join organizations o on o.id = org_id
      where org_id = %s and call_date >=
        (date_trunc('day', %s::timestamptz at time zone timezone) - make_interval(days => %s)) at time zone timezone"""
    for org_id in clinics:
        assert sql.execute(query, [org_id, NOW, days]).fetchone()["count"] >= 4


def test_some_calls_share_their_instant(calls: list[dict]) -> None:
    inbound = [(call["org_id"], call["created_at"]) for call in calls if call["call_type"] == "inbound"]
    assert len(inbound) > len(set(inbound))


def test_calls_are_linked_to_contacts_by_number(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select count(*) filter (where f.contact_id is distinct from c.id) as wrong, count(c.id) as linked
      from calls_feed f left join contacts c on c.org_id = f.org_id and c.phone = f.phone_number
      where f.org_id = any(%s::uuid[])"""
    found = sql.execute(query, [clinics]).fetchone()
    assert found["wrong"] == 0
    assert found["linked"] > CALLS * 2 * 0.3


def test_contacts_know_their_last_call(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select count(*) filter (where c.last_contacted_at is distinct from l.at) as wrong, count(l.at) as called
      from contacts c left join lateral (select max(call_date) as at from calls_feed where contact_id = c.id) l on true
      where org_id = any(%s::uuid[])"""
    found = sql.execute(query, [clinics]).fetchone()
    assert found["wrong"] == 0
    assert found["called"] > 100


def test_numbers_are_british_and_american(calls: list[dict]) -> None:
    numbers = [call["phone_number"] for call in calls if call["phone_number"]]
    assert share(numbers, lambda number: number.startswith("+44")) == pytest.approx(0.5, abs=0.05)
    assert share(numbers, lambda number: number.startswith("+1")) == pytest.approx(0.5, abs=0.05)
    assert {len(number) for number in numbers} <= {12, 13}


@pytest.mark.parametrize("part", ["demo", "test", "o'hara", "ñ", "ß", "李伟", ",", '"', "(", "🌸"])
def test_remarkable_names_are_there(sql: psycopg.Connection, clinics: list[str], part: str) -> None:
    query = "select count(*) from {} where org_id = %s and position(%s in lower({})) > 0"
    for org_id in clinics:
        assert sql.execute(query.format("contacts", "name"), [org_id, part]).fetchone()["count"] > 0
        assert sql.execute(query.format("calls_feed", "caller_name"), [org_id, part]).fetchone()["count"] > 0


def test_live_appointments_do_not_overlap(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select count(*) from appointments a join appointments b on a.org_id = b.org_id and a.id < b.id
      and a.status not in ('cancelled') and b.status not in ('cancelled')
      and a.scheduled_at < b.ends_at and b.scheduled_at < a.ends_at where a.org_id = any(%s::uuid[])"""
    assert sql.execute(query, [clinics]).fetchone()["count"] == 0


def test_appointments_lie_in_opening_hours_there(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select a.*, o.timezone from appointments a join organizations o on o.id = org_id
      where org_id = any(%s::uuid[])"""
    rows = sql.execute(query, [clinics]).fetchall()
    for row in rows:
        starts, ends = (row[name].astimezone(ZoneInfo(row["timezone"])) for name in ("scheduled_at", "ends_at"))
        assert starts.weekday() < 5
        assert starts.hour >= 9
        assert ends.hour * 60 + ends.minute <= 18 * 60
    assert {row["status"] for row in rows} >= {"completed", "confirmed", "cancelled"}


def test_booked_calls_have_their_appointment(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select f.booking_confirmed, count(*) as calls, count(a.id) as booked from calls_feed f
      left join appointments a
        on a.call_id = f.id and a.contact_id = f.contact_id and a.service_type = f.procedure_intent
      where f.org_id = any(%s::uuid[]) group by 1"""
    found = {row["booking_confirmed"]: row for row in sql.execute(query, [clinics])}
    assert found[True]["calls"] == found[True]["booked"] > 50
    assert found[False]["booked"] == 0


def test_price_list(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = "select name, price, keywords from services where org_id = %s"
    first, second = ({row["name"]: row for row in sql.execute(query, [org_id])} for org_id in clinics)
    assert {name: first[name]["price"] for name in CONTRACT_PRICES} == CONTRACT_PRICES
    assert set(second) >= set(CONTRACT_PRICES)
    assert all(row["keywords"] and row["price"] > 0 for row in [*first.values(), *second.values()])


def test_value_of_a_call_is_the_price_of_its_service(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select count(*) filter (where f.financial_value <> coalesce(s.price, 0)) as wrong, count(s.id) as priced
      from calls_feed f left join services s on s.org_id = f.org_id and s.name = f.procedure_intent
      where f.org_id = any(%s::uuid[])"""
    found = sql.execute(query, [clinics]).fetchone()
    assert found["wrong"] == 0
    assert found["priced"] > 300


def test_sentiment_is_consistent(calls: list[dict]) -> None:
    for call in calls:
        if call["sentiment_label"] is None:
            assert call["sentiment_score"] is None
            continue
        low, high = {"negative": (0, 0.399), "neutral": (0.4, 0.6), "positive": (0.601, 1)}[call["sentiment_label"]]
        assert low <= float(call["sentiment_score"]) <= high
        assert call["sentiment_summary"]
        assert call["sentiment_urgency"] in ("High", "Medium", "Low")
    assert {call["sentiment_label"] for call in calls} == {"positive", "neutral", "negative", None}


def test_transcripts_are_conversations_within_the_call(calls: list[dict]) -> None:
    spoken = [call for call in calls if call["has_transcript"]]
    assert len(spoken) > len(calls) * 0.85
    for call in spoken:
        times = [turn["timestamp"] for turn in call["transcript"]]
        assert times == sorted(times)
        assert call["started_at"].timestamp() * 1000 <= times[0] <= times[-1] <= call["ended_at"].timestamp() * 1000
        for turn in call["transcript"]:
            assert set(turn) == {"speaker", "text", "timestamp", "sentiment"}
            assert turn["speaker"] in ("caller", "voxanne")
            assert "{" not in turn["text"]
            assert "undefined" not in turn["text"]
    completed = [len(call["transcript"]) for call in spoken if call["status"] == "completed"]
    assert min(completed) >= 4


def test_texts_name_the_treatment_of_the_call(calls: list[dict], sql: psycopg.Connection) -> None:
    services = sql.execute("select org_id, name, keywords from services").fetchall()
    words = {(row["org_id"], row["name"]): [row["name"], *row["keywords"]] for row in services}
    about = [call for call in calls if call["procedure_intent"] and call["status"] == "completed"]
    assert len(about) > 300
    for call in about:
        text = " ".join(turn["text"] for turn in call["transcript"])
        assert any(word in text for word in words[call["org_id"], call["procedure_intent"]])


def test_transfers_say_where_and_when(calls: list[dict]) -> None:
    for call in calls:
        is_transferred = call["status"] == "transferred"
        assert all((call[name] is not None) == is_transferred for name in ("transfer_to", "transfer_time"))


def test_people_are_told_about_hot_leads(sql: psycopg.Connection, clinics: list[str]) -> None:
    query = """select count(*) as alerts, count(f.id) as calls, min(a.lead_score) as least from hot_lead_alerts a
      left join calls_feed f on f.id = a.call_id and f.lead_temp = 'hot' and f.org_id = a.org_id
      where a.org_id = any(%s::uuid[])"""
    found = sql.execute(query, [clinics]).fetchone()
    assert found["alerts"] == found["calls"] == 120
    assert found["least"] >= 70
    query = "select count(*) from notifications where org_id = %s and not is_read"
    assert sql.execute(query, [clinics[0]]).fetchone()["count"] == 8
