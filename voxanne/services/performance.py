"""The last hour in numbers: traffic by route and by minute, and the cache by region."""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import current_app

from voxanne.cache import REGIONS
from voxanne.observability import requests
from voxanne.observability.window import MINUTES, Packed, Traffic, current_minute

Counts = dict[str, Counter[str]]
# What an hour's mean hides for long: that something has just begun to go wrong.
RECENT_MINUTES = 5


def report() -> dict[str, Any]:
    """Return the last hour as the API tells it; asks neither the database nor, while it is away, Redis."""
    collected = requests.sharing().collect()
    last = current_minute()
    numbers = range(last - MINUTES + 1, last + 1)
    minutes = {number: _sum_traffic(collected.minutes.get(number, ())) for number in numbers}
    cache = [_sum_cache(collected.minutes.get(number, ())) for number in numbers]
    routes = _by_route(minutes.values())
    span = last + 1 - min((number for number, traffic in minutes.items() if traffic), default=last)
    return {
        "windowMinutes": MINUTES,
        "scope": "all" if collected.complete else "process",
        "processes": collected.processes,
        "slowRequestMs": current_app.config["SETTINGS"].slow_request_ms,
        "totals": _readable(_together(routes), span),
        "routes": _routes(routes, span),
        "minutes": [_minute(number, _together(traffic)) for number, traffic in minutes.items()],
        "cache": _cache(cache),
        "recent": _recent({number: minutes[number] for number in numbers[-RECENT_MINUTES:]}, cache[-RECENT_MINUTES:]),
    }


def _recent(minutes: dict[int, dict[str, Traffic]], cache: list[Counts]) -> dict[str, Any]:
    routes = _by_route(minutes.values())
    begun = min((number for number, traffic in minutes.items() if traffic), default=current_minute())
    span = max(1.0, time.time() / 60 - begun)
    regions: Counts = {}
    for minute in cache:
        for name, counts in minute.items():
            regions.setdefault(name, Counter()).update(counts)
    return {
        "minutes": RECENT_MINUTES,
        "totals": _readable(_together(routes), span),
        "routes": _routes(routes, span),
        "cache": {
            **_hits(sum(regions.values(), Counter())),
            "regions": {region.name: _hits(regions.get(region.name, Counter())) for region in REGIONS},
        },
    }


def _by_route(minutes: Iterable[dict[str, Traffic]]) -> dict[str, Traffic]:
    routes: dict[str, Traffic] = {}
    for traffic in minutes:
        _merge(routes, traffic)
    return routes


def _routes(routes: dict[str, Traffic], span: float) -> list[dict[str, Any]]:
    return [
        dict(zip(("method", "route"), name.split(" ", 1), strict=True), **_readable(traffic, span))
        for name, traffic in sorted(routes.items(), key=lambda item: -item[1].total_us)
    ]


def _sum_traffic(parts: Iterable[Packed]) -> dict[str, Traffic]:
    routes: dict[str, Traffic] = {}
    for part in parts:
        _merge(routes, {name: Traffic.unpack(packed) for name, packed in part["routes"].items()})
    return routes


def _merge(into: dict[str, Traffic], routes: dict[str, Traffic]) -> None:
    for name, traffic in routes.items():
        into.setdefault(name, Traffic()).add(traffic)


def _together(routes: dict[str, Traffic]) -> Traffic:
    total = Traffic()
    for traffic in routes.values():
        total.add(traffic)
    return total


def _readable(traffic: Traffic, span: float) -> dict[str, Any]:
    requests = traffic.requests
    return {
        "requests": requests,
        "perMinute": round(requests / span, 2),
        "errors": traffic.errors,
        "clientErrors": traffic.client_errors,
        "errorPercent": round(100 * traffic.errors / requests, 2) if requests else None,
        "slow": traffic.slow,
        "meanMs": _mean_ms(traffic.total_us, requests),
        **_percentiles(traffic),
        "maxMs": round(traffic.max_us / 1000, 2) if requests else None,
        "databaseRequests": traffic.database_requests,
        "databaseMs": _mean_ms(traffic.database_us, requests),
    }


def _percentiles(traffic: Traffic) -> dict[str, float | None]:
    return {f"p{percent}Ms": traffic.percentile_ms(percent / 100) for percent in (50, 95, 99)}


def _mean_ms(micros: int, number: int) -> float | None:
    return round(micros / number / 1000, 2) if number else None


def _minute(number: int, traffic: Traffic) -> dict[str, Any]:
    return {
        "at": datetime.fromtimestamp(number * 60, UTC),
        "requests": traffic.requests,
        "errors": traffic.errors,
        "clientErrors": traffic.client_errors,
        **_percentiles(traffic),
    }


def _sum_cache(parts: Iterable[Packed]) -> Counts:
    regions: Counts = {}
    for part in parts:
        for region, counts in part["cache"].items():
            regions.setdefault(region, Counter()).update(counts)
    return regions


def _cache(minutes: list[Counts]) -> dict[str, Any]:
    overall = [sum(minute.values(), Counter()) for minute in minutes]
    total = sum(overall, Counter())
    return {
        **_hits(total),
        "minutes": [_hit_rate(counts) for counts in overall],
        "regions": {
            region.name: _region([minute.get(region.name, Counter()) for minute in minutes]) for region in REGIONS
        },
    }


def _region(minutes: list[Counter[str]]) -> dict[str, Any]:
    total = sum(minutes, Counter())
    fields = ("hits", "misses", "negativeHits", "loads", "staleServed", "uncached", "errors")
    return {
        **{field: total[field] for field in fields},
        "loadMs": _mean_ms(total["loadMicros"], total["loads"]),
        "hitRate": _hit_rate(total),
        "minutes": [_hit_rate(counts) for counts in minutes],
    }


def _hits(counts: Counter[str]) -> dict[str, Any]:
    return {"hits": counts["hits"], "misses": counts["misses"], "hitRate": _hit_rate(counts)}


def _hit_rate(counts: Counter[str]) -> float | None:
    reads = counts["hits"] + counts["misses"]
    return round(100 * counts["hits"] / reads, 2) if reads else None
