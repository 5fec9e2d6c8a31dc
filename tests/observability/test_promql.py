"""The evaluator of alert rules does what Prometheus's documentation says."""

import math

import pytest

from tests.observability.promql import Store


def empty() -> frozenset:
    return frozenset()


@pytest.fixture
def store() -> Store:
    store = Store()
    for at, (a, b, c) in {0.0: (0, 10, 0), 60.0: (30, 40, 2), 120.0: (60, 5, 4)}.items():
        store.scrape(
            at,
            f'# TYPE jobs counter\njobs_total{{kind="a",code="200"}} {a}\njobs_total{{kind="b",code="500"}} {b}\n'
            f'# TYPE seconds histogram\nseconds_bucket{{le="1"}} {a}\nseconds_bucket{{le="3"}} {a + c}\n'
            f'seconds_bucket{{le="+Inf"}} {a + c}\n',
        )
    return store


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('rate(jobs_total{kind="a"}[5m])', [0.5]),
        ('increase(jobs_total{kind="b"}[5m])', [35]),  # 30 up, then begun anew at 5
        ('increase(jobs_total{kind="a"}[90s])', [30]),
        ("sum(jobs_total)", [65]),
        ("sum by (kind) (jobs_total)", [60, 5]),
        ('jobs_total{code=~"5.."}', [5]),
        ('jobs_total{code!~"5..", kind!="c"}', [60]),
        ('jobs_total{code=~"5"}', []),  # whole values, not parts
        ("jobs_total > 10", [60]),
        ("jobs_total > 100", []),
        ("sum(jobs_total) / sum(jobs_total) == 1", [1]),
        ("jobs_total > 1 and jobs_total < 10", [5]),
        ("up == 1", [1]),
        ("histogram_quantile(0.5, rate(seconds_bucket[5m]))", [32 / 60]),
        ("histogram_quantile(1, sum by (le) (rate(seconds_bucket[5m])))", [3]),
        ("missing_total > 0", []),
    ],
)
def test_expressions(store: Store, expression: str, wanted: list[float]) -> None:
    found = store.value(expression, 120.0)

    assert sorted(found.values()) == pytest.approx(sorted(wanted))


def test_without_traffic_a_quotient_is_no_number_and_fires_nothing(store: Store) -> None:
    store.series.clear()
    for at in (0.0, 60.0):
        store.scrape(at, "# TYPE jobs counter\njobs_total 3\n")

    assert math.isnan(store.value("rate(jobs_total[5m]) / rate(jobs_total[5m])", 60.0)[empty()])
    assert store.value("rate(jobs_total[5m]) / rate(jobs_total[5m]) > 0", 60.0) == {}


def test_what_was_last_seen_five_minutes_ago_is_gone(store: Store) -> None:
    assert store.value("jobs_total", 421.0) == {}


def test_what_it_does_not_know_is_refused(store: Store) -> None:
    for expression in ("topk(1, up)", "deriv(up[5m])", "1 - up", "up offset 5m"):
        with pytest.raises((NotImplementedError, AssertionError)):
            store.value(expression, 0.0)
