"""Evaluates the part of PromQL that our alert rules are written in, on samples read from `/metrics` texts.

The library parses; here is what Prometheus does with the result: selectors, rate and increase with counter resets, sum,
histogram_quantile, arithmetic and comparisons matched by labels, `and`. Rates are taken between the first and the last
sample of the range and are not extrapolated to its ends. Whatever else an expression holds is refused.
"""

import itertools
import math
import operator
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import promql_parser as ast
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}
COMPARISONS = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
STALE_SECONDS = 300.0


@dataclass
class Store:
    """Samples by series; times are seconds."""

    series: dict[tuple[str, Labels], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def scrape(self, at: float, text: str | None, job: str = "voxanne") -> None:
        """Take in a `/metrics` text, or with None that there was no answer; `up` is Prometheus's own."""
        self.series["up", frozenset({("job", job), ("instance", "one")})].append((at, float(text is not None)))
        for family in text_string_to_metric_families(text or ""):
            for sample in family.samples:
                self.series[sample.name, frozenset(sample.labels.items())].append((at, sample.value))

    def value(self, expression: str, at: float) -> Any:
        """Return a number, or a vector: value by labels."""
        return _evaluate(ast.parse(expression), self, at)


def _evaluate(node: Any, store: Store, at: float) -> Any:
    match node:
        case ast.NumberLiteral():
            return node.val
        case ast.ParenExpr():
            return _evaluate(node.expr, store, at)
        case ast.VectorSelector():
            found = _select(node, store, at - STALE_SECONDS, at)
            return {labels: samples[-1][1] for labels, samples in found.items()}
        case ast.Call():
            return _call(node, store, at)
        case ast.AggregateExpr():
            return _aggregate(node, _evaluate(node.expr, store, at))
        case ast.BinaryExpr():
            return _binary(node, _evaluate(node.lhs, store, at), _evaluate(node.rhs, store, at))
    raise NotImplementedError(type(node).__name__)


def _select(node: Any, store: Store, after: float, until: float) -> dict[Labels, list[tuple[float, float]]]:
    assert node.offset is None
    assert node.at is None
    found = {}
    for (name, labels), samples in store.series.items():
        inside = [sample for sample in samples if after < sample[0] <= until]
        if name == node.name and inside and all(_matches(one, dict(labels)) for one in node.matchers.matchers):
            found[labels] = inside
    return found


def _matches(matcher: Any, labels: dict[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    if matcher.op == ast.MatchOp.Equal or matcher.op == ast.MatchOp.NotEqual:  # noqa: PLR1714 -- not hashable
        return (value == matcher.value) == (matcher.op == ast.MatchOp.Equal)
    return bool(re.fullmatch(matcher.value, value)) == (matcher.op == ast.MatchOp.Re)


def _call(node: Any, store: Store, at: float) -> Vector:
    name = node.func.name
    if name == "histogram_quantile":
        return _quantile(_evaluate(node.args[0], store, at), _evaluate(node.args[1], store, at))
    if name not in {"rate", "increase"}:
        raise NotImplementedError(name)
    (ranged,) = node.args
    found = _select(ranged.vector_selector, store, at - ranged.range.total_seconds(), at)
    return {
        labels: _growth(samples, per_second=name == "rate") for labels, samples in found.items() if len(samples) > 1
    }


def _growth(samples: list[tuple[float, float]], *, per_second: bool) -> float:
    grown = 0.0
    for (_, before), (_, after) in itertools.pairwise(samples):
        grown += after - before if after >= before else after
    return grown / (samples[-1][0] - samples[0][0]) if per_second else grown


def _aggregate(node: Any, vector: Vector) -> Vector:
    assert str(node.op) == "sum", node.op
    kept = set(node.modifier.labels) if node.modifier else set()
    assert node.modifier is None or node.modifier.type == ast.AggModifierType.By
    sums: dict[Labels, float] = defaultdict(float)
    for labels, value in vector.items():
        sums[frozenset(pair for pair in labels if pair[0] in kept)] += value
    return dict(sums)


def _quantile(share: float, vector: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
    for labels, value in vector.items():
        bound = float(dict(labels)["le"])
        groups[frozenset(pair for pair in labels if pair[0] != "le")].append((bound, value))
    return {labels: _within(share, sorted(buckets)) for labels, buckets in groups.items()}


def _within(share: float, buckets: list[tuple[float, float]]) -> float:
    total = buckets[-1][1]
    if total == 0:
        return math.nan
    rank, below, seen = share * total, 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            return below if math.isinf(bound) else below + (bound - below) * (rank - seen) / (count - seen)
        below, seen = bound, count
    raise AssertionError("the last bucket holds all")


def _binary(node: Any, left: Any, right: Any) -> Any:
    assert node.modifier is None or node.modifier.matching is None
    name = str(node.op)
    if name == "and":
        return {labels: value for labels, value in left.items() if labels in right}
    if not isinstance(left, dict):
        raise NotImplementedError("a number on the left")
    found: Vector = {}
    for labels, value in left.items():
        if isinstance(right, dict) and labels not in right:
            continue
        other = right[labels] if isinstance(right, dict) else right
        if name in COMPARISONS:
            if COMPARISONS[name](value, other):
                found[labels] = value
        elif name == "/":
            found[labels] = value / other if other else math.nan if not value else math.copysign(math.inf, value)
        else:
            found[labels] = ARITHMETIC[name](value, other)
    return found
