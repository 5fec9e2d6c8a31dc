"""What a hit costs, beside plain Flask-Caching `get` and `memoize`.

Run as `python -m tests.performance.cache_hit_cost [redis-url]`.

Without a URL a redis-server of its own is started. All are measured by turns in one run, so that a busy machine is as
hard on one as on the other; each figure is the median of the rounds.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask_caching import Cache as FlaskCaching

from tests.cache.apps import make_cache
from tests.cache.redis_server import RedisServer
from voxanne.cache import SERVICES
from voxanne.cache.facade import EXTENSION

ROUNDS = 15
VALUE = [
    {"id": f"a0000000-0000-0000-0000-0000000000{number:02}", "name": "Check-up", "price": 80.5, "keywords": ["check"]}
    for number in range(10)
]


def measured(functions: dict[str, Callable[[], object]], times: int) -> dict[str, float]:
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            begun = time.perf_counter()
            for _ in range(times):
                function()
            samples[name].append((time.perf_counter() - begun) / times * 1e6)
    return {name: statistics.median(sample) for name, sample in samples.items()}


def compare(title: str, url: str | None, times: int) -> None:
    config = {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": url} if url else {"CACHE_TYPE": "SimpleCache"}
    app = Flask("plain")
    plain = FlaskCaching(app, config=config)
    cache = make_cache(url, prefix="hit-cost")
    engine = cache.engine  # put into the one app whose context is open for all

    @plain.memoize(60)
    def memoized(org: str) -> object:
        return VALUE

    with app.app_context():
        app.extensions[EXTENSION] = engine
        plain.set("services:org", VALUE, 60)
        figures = measured(
            {
                "Flask-Caching get": lambda: plain.get("services:org"),
                "Flask-Caching memoize": lambda: memoized("org"),
                "cache.load": lambda: cache.load(SERVICES, "org", lambda: VALUE),
            },
            times,
        )
    base = figures["Flask-Caching get"]
    print(title)
    for name, micros in figures.items():
        print(f"  {name:24} {micros:8.1f} us   {micros / base:5.2f} x get")
    engine.close()


def main() -> None:
    compare("in process", None, 2000)
    if len(sys.argv) > 1:
        compare("on Redis", sys.argv[1], 300)
        return
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory))
        server.start()
        try:
            compare("on Redis", server.url, 300)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
