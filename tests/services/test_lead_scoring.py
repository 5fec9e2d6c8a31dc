"""How promising a caller is, and what their wish is worth."""

import pytest
from flask import Flask

from tests.factories import Caller, Factory
from voxanne import database
from voxanne.services import lead_scoring, pricing, sentiment
from voxanne.services.lead_scoring import dearest_mentioned, score_lead

SERVICES = [
    {"name": "Facelift", "price": 8000, "keywords": ["facelift", "face lift"]},
    {"name": "Facial", "price": 150.5, "keywords": ["Facial"]},
    {"name": "Lips", "price": 300, "keywords": ["lip", "c++"]},
]


@pytest.mark.parametrize(
    ("said", "mood", "score", "tier", "reasons"),
    [
        ("hello", None, 50, "warm", ()),
        ("I want a rhinoplasty", None, 90, "hot", ("high_value",)),
        ("some botox, please", None, 70, "hot", ("medium_interest",)),
        ("a facelift, and botox", "Positive", 100, "hot", ("high_value", "medium_interest", "positive")),
        ("botox as soon as possible", None, 100, "hot", ("medium_interest", "urgent")),
        ("I am not sure", "Frustrated", 20, "cold", ("negative", "hesitant")),
        ("maybe, but it is urgent", None, 80, "hot", ("urgent",)),
        ("not sure", "neutral", 40, "warm", ("hesitant",)),
        ("just looking", "anxious", 20, "cold", ("negative", "hesitant")),
        ("", None, 50, "warm", ()),
    ],
)
def test_scores(said: str, mood: str | None, score: int, tier: str, reasons: tuple) -> None:
    assert score_lead(said, mood) == lead_scoring.LeadScore(score, tier, reasons)


@pytest.mark.parametrize(
    "said", ["the consultant called", "a lipstick", "lasers are botoxic", "a polypeel", "Maybelline"]
)
def test_words_count_only_as_a_whole(said: str) -> None:
    assert score_lead(said).reasons == ()


@pytest.mark.parametrize(
    "said", ["BOTOX", "Botox?", "(botox)", "botox,filler", "lip\nfiller", "chemical-peel", "“Botox”"]
)
def test_case_and_punctuation_do_not_matter(said: str) -> None:
    assert "medium_interest" in score_lead(said).reasons


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("positive", "positive"), ("Positive", "positive"), ("REASSURED", "positive"), ("Decisive", "positive"),
        ("Neutral", "neutral"), (" negative ", "negative"), ("Anxious", "negative"), ("Frustrated", "negative"),
        ("Bewildered", "neutral"), ("", None), (None, None),
    ],
)  # fmt: skip
def test_labels_of_any_analyser(label: str | None, meaning: str | None) -> None:
    assert sentiment.normalize(label) == meaning


@pytest.mark.parametrize(
    ("score", "tier"), [(0, "cold"), (39, "cold"), (40, "warm"), (69, "warm"), (70, "hot"), (100, "hot")]
)
def test_tiers(score: int, tier: str) -> None:
    assert lead_scoring.tier_of(score) == tier


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("a facial, please", 150.5), ("facial or face  lift", 8000), ("a clip of my facials", 0), ("my lip.", 300),
        ("do you do c++?", 300), ("rhinoplasty", 0), ("", 0),
    ],
)  # fmt: skip
def test_value_is_the_highest_price_of_what_is_mentioned(said: str, value: float) -> None:
    assert value_in(SERVICES, said) == value
    assert value_in(SERVICES[::-1], said) == value


def test_the_usual_prices_hold_only_where_there_is_no_price_list() -> None:
    assert value_in([], "botox and a rhinoplasty") == 6000
    assert value_in([], "hello") == 0
    assert value_in([{"name": "x", "price": 1, "keywords": []}], "rhinoplasty") == 0


def value_in(services: list, said: str) -> float:
    service = dearest_mentioned(services, said)
    return service["price"] if service else 0


def estimate(app: Flask, caller: Caller, said: str) -> tuple[float, int]:
    with app.test_request_context():
        value = value_in(pricing.price_list(database.for_principal(caller.token), caller.org_id), said)
        return value, database.request_log().count


def test_prices_come_from_the_cache_and_a_new_price_counts_at_once(app: Flask, factory: Factory) -> None:
    caller, other = factory.caller(), factory.caller()
    assert estimate(app, caller, "Botox") == (400, 1)
    assert estimate(app, caller, "Botox") == (400, 0)

    created = caller.post("/api/services", {"name": "Botox", "price": 350, "keywords": ["botox"]})
    assert estimate(app, caller, "Botox") == (350, 1)
    caller.patch(f"/api/services/{created.json['id']}", {"price": 360})
    assert estimate(app, caller, "Botox") == (360, 1)
    assert estimate(app, caller, "Botox") == (360, 0)
    assert estimate(app, other, "Botox") == (400, 1)

    caller.delete(f"/api/services/{created.json['id']}")
    assert estimate(app, caller, "Botox") == (400, 1)
