"""What the program tells about itself."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class Hits(BaseModel):
    """Reads of the cache; hits and misses together are all of them."""

    hits: int
    misses: int
    hitRate: float  # noqa: N815


class CacheHealth(Hits):
    """The cache at a glance; `redisAnswers` is null where no Redis is configured."""

    status: Literal["ok", "degraded"]
    timestamp: datetime
    backend: Literal["memory", "redis"]
    redisAnswers: bool | None  # noqa: N815
    size: int
    regions: dict[str, Hits]


class RegionStats(Hits):
    """One kind of cached value: what its reads came to, and what it cost to load (milliseconds)."""

    negativeHits: int  # noqa: N815
    uncached: int
    loads: int
    loadMs: float  # noqa: N815
    staleServed: int  # noqa: N815
    errors: int


class RedisState(BaseModel):
    """Whether Redis answers, and how often it has failed this process."""

    answers: bool
    failures: int


class CacheDetail(RegionStats):
    """Everything that is counted, in total and for each region."""

    backend: Literal["memory", "redis"]
    redis: RedisState | None
    size: int
    regions: dict[str, RegionStats]


class CacheStats(BaseModel):
    """The cache's counts."""

    timestamp: datetime
    cache: CacheDetail
    message: str


class Memory(BaseModel):
    """Held by this process, and there to hold."""

    used: int
    total: int
    unit: Literal["MB"]


class ProcessHealth(BaseModel):
    """How this process is."""

    status: Literal["healthy"]
    timestamp: datetime
    uptime: float
    memory: Memory
