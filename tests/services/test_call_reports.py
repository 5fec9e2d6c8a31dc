"""An end report as the rows are to be: analysed, redacted, clean."""

import math
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxanne.services import conversations, texts
from voxanne.services.call_reports import UNKNOWN_LEAD, cents, describe
from voxanne.services.sentiment import Mood, WordList
from voxanne.services.webhooks.envelope import Event, Turn

ALERT_PHONE = "+14155550999"
SETTINGS = {"telephony_country": "US", "integration": {"hot_lead_alert_phone": ALERT_PHONE}}
SERVICES = [
    {"name": "Rhinoplasty", "price": 6500, "keywords": ["rhinoplasty", "nose job"]},
    {"name": "Botox", "price": 400, "keywords": ["botox"]},
]
START = datetime(2026, 11, 20, 15, tzinfo=UTC)
START_MS = 1_795_186_800_000
TALK = (
    Turn("system", "You are Ava, a receptionist.", None),
    Turn("assistant", "Bright Smile Clinic, this is Ava. How can I help you today?", 0.4),
    Turn("user", "Hi, my name is Jane Doe. I'd love a rhinoplasty as soon as possible.", 4.25),
    Turn("tool", "{}", 5.0),
    Turn("assistant", "Lovely, Jane. What's your number? I'll text you the details.", 9.0),
    Turn("user", "Four one five five five five two six seven one. Please call me back in the morning.", 12.0),
)
CALL = Event(
    type="end-of-call-report", call_id="call-1", call_type="inboundPhoneCall", our_number="+14155550100",
    customer_number="+14155552671", started_at=START, ended_at=START + timedelta(seconds=61), duration_seconds=61,
    ended_reason="customer-ended-call", cost=0.125, recording_url="https://storage.example/r.wav", messages=TALK,
    summary="Jane Doe wants a rhinoplasty. She asked to be called on 415-555-2671. Ava promised it.",
    tool_names=("check_availability", "", "check_availability"),
)  # fmt: skip


def changed(**values) -> Event:
    return Event(**{name: getattr(CALL, name) for name in Event.__dataclass_fields__} | values)


def described(event: Event = CALL, **options) -> dict:
    given = {"direction": "inbound", "services": SERVICES, "settings": SETTINGS, "redact": True}
    return describe(event, **{**given, **options})


def test_a_report_in_full() -> None:
    found = described()
    call = found["call"]

    assert call["transcript"] == [
        {
            "speaker": "agent",
            "text": "Bright Smile Clinic, this is Ava. How can I help you today?",
            "timestamp": START_MS + 400,
        },
        {
            "speaker": "caller",
            "text": "Hi, my name is [NAME]. I'd love a rhinoplasty as soon as possible.",
            "timestamp": START_MS + 4250,
        },
        {
            "speaker": "agent",
            "text": "Lovely, [NAME]. What's your number? I'll text you the details.",
            "timestamp": START_MS + 9000,
        },
        {"speaker": "caller", "text": "[PHONE]. Please call me back in the morning.", "timestamp": START_MS + 12000},
    ]
    assert call["sentiment_summary"] == "[NAME] wants a rhinoplasty. She asked to be called on [PHONE]."
    assert call["outcome_summary"].endswith("Ava promised it.")
    assert (call["sentiment_label"], call["sentiment_urgency"]) == ("positive", "High")
    assert (call["lead_temp"], call["lead_score"], call["financial_value"]) == ("hot", 100, 6500.0)
    assert (call["procedure_intent"], call["cost_cents"], call["duration_seconds"]) == ("Rhinoplasty", 13, 61)
    assert (call["status"], call["outcome"], call["ended_reason"]) == ("completed", "completed", "customer-ended-call")
    assert (call["recording_url"], call["recording_status"]) == ("https://storage.example/r.wav", "completed")
    assert call["tools_used"] == ["check_availability"]
    assert call["action_items"] == ["I'll text you the details.", "Please call me back in the morning."]
    assert call["is_test_call"] is False
    assert found["contact"] == {
        "phone": "+14155552671",
        "name": "Jane Doe",
        "lead_status": "hot",
        "lead_score": 100,
        "service_interests": ["Rhinoplasty"],
    }
    assert found["alert"]["lead_name"] == "Jane Doe"
    assert found["alert"]["text"]["to"] == ALERT_PHONE
    body = found["alert"]["text"]["body"]
    assert all(part in body for part in ("Jane Doe", "+14155552671", "Rhinoplasty", texts.reference("call-1")))


def test_an_organisation_may_switch_redaction_off() -> None:
    call = described(redact=False)["call"]
    assert "Jane Doe" in call["transcript"][1]["text"]
    assert "415-555-2671" in call["outcome_summary"]


def test_names_known_otherwise_are_redacted() -> None:
    turns = (Turn("user", "Tell Bartholomew I called.", 1),)
    call = described(changed(messages=turns, summary=None), names=["Bartholomew Quill"])["call"]
    assert call["transcript"][0]["text"] == "Tell [NAME] I called."


def test_a_transcript_without_messages_is_read_line_by_line() -> None:
    text = "AI: Hello,\nhow are you?\nUser: Fine: I want botox\n AI : Sure."
    call = described(changed(messages=(), transcript=text))["call"]
    assert [(turn["speaker"], turn["text"]) for turn in call["transcript"]] == [
        ("agent", "Hello,\nhow are you?"),
        ("caller", "Fine: I want botox"),
        ("agent", "Sure."),
    ]
    assert call["procedure_intent"] == "Botox"


def test_what_the_assistant_says_makes_no_lead() -> None:
    turns = (Turn("assistant", "Rhinoplasty today, urgently?", 0), Turn("user", "Oh, I meant the bakery.", 2))
    call = described(changed(messages=turns))["call"]
    assert (call["financial_value"], call["procedure_intent"], call["lead_temp"]) == (0, None, "warm")


def test_nobody_who_said_nothing_is_scored() -> None:
    found = described(changed(messages=(), ended_reason="customer-did-not-answer", summary=None))
    assert (found["call"]["lead_score"], found["call"]["lead_temp"], found["alert"]) == (None, None, None)
    assert found["call"]["status"] == "missed"
    assert found["call"]["transcript"] == []
    assert found["contact"] == {"phone": "+14155552671"}


@pytest.mark.parametrize("number", ["anonymous", "Restricted", "+266696687", "", None, "sip:caller@example"])
def test_a_withheld_number_is_no_contact_and_the_call_is_kept(number: str | None) -> None:
    found = described(changed(customer_number=number))
    assert found["contact"] is None
    assert found["call"]["phone_number"] is None
    assert found["alert"]["lead_phone"] is None
    assert "number withheld" in found["alert"]["text"]["body"]


def test_a_national_number_is_read_in_the_organisations_country() -> None:
    found = described(changed(customer_number="020 7946 0018"), settings={**SETTINGS, "telephony_country": "GB"})
    assert found["contact"]["phone"] == "+442079460018"


def test_a_test_call_from_the_console_makes_no_contact_and_no_alert() -> None:
    found = described(changed(call_type="webCall"))
    assert found["call"]["is_test_call"] is True
    assert found["call"]["metadata"]["channel"] == "web"
    assert (found["contact"], found["alert"]) == (None, None)


def test_without_an_alert_number_there_is_an_alert_but_no_text() -> None:
    alert = described(settings={"telephony_country": "US", "integration": {}})["alert"]
    assert alert["lead_score"] == 100
    assert alert["text"] is None


def test_nobody_gave_a_name() -> None:
    found = described(changed(messages=(Turn("user", "a rhinoplasty, urgently", 0),)))
    assert found["call"]["caller_name"] is None
    assert found["alert"]["lead_name"] == UNKNOWN_LEAD
    assert "name" not in found["contact"]


def test_the_analysis_is_preferred() -> None:
    structured = {"name": "Joan Roe", "email": "joan@roe.example", "actionItems": ["Send prices to Joan", 7]}
    found = described(changed(structured=structured))
    assert found["contact"]["name"] == "Joan Roe"
    assert found["contact"]["email"] == "joan@roe.example"
    assert found["call"]["action_items"] == ["Send prices to [NAME]"]


def test_another_analyser_may_tell_the_mood() -> None:
    class Model:
        def analyse(self, said) -> Mood:
            return Mood("Anxious", 7.5, "high", "")  # type: ignore[arg-type]

    call = described(changed(summary=None), analyser=Model())["call"]
    assert (call["sentiment_label"], call["sentiment_score"], call["sentiment_urgency"]) == ("negative", 1.0, "High")
    assert call["sentiment_summary"] is None


@pytest.mark.parametrize(
    ("dollars", "expected"),
    [
        (0.125, 13), (0.124, 12), (0.005, 1), (1.005, 101), (None, 0), (-3, 0), (math.nan, 0), (math.inf, 0),
        (1e300, 2**31 - 1),
    ],
)  # fmt: skip
def test_costs_are_rounded_half_up(dollars: float | None, expected: int) -> None:
    assert cents(dollars) == expected


def test_impossible_values_are_mended() -> None:
    event = changed(
        started_at=START, ended_at=START - timedelta(hours=1), duration_seconds=-5, recording_url="javascript:alert(1)",
        ended_reason="x\x00" * 500, messages=(Turn("user", "a\x00b \ud800 c", math.inf), Turn("user", "d", -4)),
    )  # fmt: skip
    call = described(event)["call"]
    assert call["ended_at"] == call["started_at"]
    assert (call["duration_seconds"], call["recording_url"]) == (0, None)
    assert len(call["ended_reason"]) == 200
    assert [(turn["text"], turn["timestamp"]) for turn in call["transcript"]] == [
        ("ab  c", START_MS), ("d", START_MS),
    ]  # fmt: skip


def test_without_the_start_times_are_those_since_it() -> None:
    assert [turn["timestamp"] for turn in described(changed(started_at=None))["call"]["transcript"]] == [
        400, 4250, 9000, 12000,
    ]  # fmt: skip


def test_an_enormous_transcript_is_cut_and_says_so() -> None:
    call = described(changed(messages=tuple(Turn("user", "word " * 100, second) for second in range(3000))))["call"]
    assert call["transcript"][-1]["text"] == conversations.CUT_OFF
    assert sum(len(turn["text"]) for turn in call["transcript"]) < 201_000


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("Thank you so much, that is wonderful!", "positive"),
        ("This is terrible, I am very angry and disappointed.", "negative"),
        ("I have some pain after the surgery on my nose.", "neutral"),
        ("Do you open on Monday?", "neutral"),
    ],
)
def test_moods(said: str, label: str) -> None:
    assert WordList().analyse([said]).label == label


@pytest.mark.parametrize(
    ("said", "urgency"),
    [("it's bleeding", "High"), ("can I book for next week", "Medium"), ("just a question", "Low"), ("", "Low")],
)
def test_urgency(said: str, urgency: str) -> None:
    assert WordList().analyse([said]).urgency == urgency


turns_of_any_kind = st.lists(
    st.builds(Turn, st.sampled_from(["user", "assistant", "tool"]), st.text(), st.floats() | st.none()), max_size=5
)
analyses_of_any_kind = st.dictionaries(
    st.sampled_from(["name", "email", "actionItems", "firstName"]), st.none() | st.text() | st.lists(st.text())
)


@given(
    turns=turns_of_any_kind,
    word=st.text(),
    number=st.text(),
    cost=st.floats() | st.none(),
    duration=st.integers() | st.none(),
    structured=analyses_of_any_kind,
)
def test_nothing_that_comes_in_is_refused_by_the_database(*, turns, word, number, cost, duration, structured) -> None:
    event = changed(
        messages=tuple(turns), transcript=word, summary=word, ended_reason=word, recording_url=f"https://{word}",
        customer_number=number, customer_name=word, cost=cost, duration_seconds=duration, structured=structured,
        tool_names=(word,), transfer_to=number,
    )  # fmt: skip
    stored = orjson.dumps(described(event)).decode()  # refuses lone surrogates
    assert "\\u0000" not in stored
