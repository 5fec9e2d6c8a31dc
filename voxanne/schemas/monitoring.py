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


class Percentiles(BaseModel):
    """Times in milliseconds, right within 5 %; null where there were no requests."""

    p50Ms: float | None  # noqa: N815
    p95Ms: float | None  # noqa: N815
    p99Ms: float | None  # noqa: N815


class Traffic(Percentiles):
    """Requests of the last hour; `errors` are ours (5xx), `clientErrors` theirs (4xx), `databaseMs` a mean."""

    requests: int
    perMinute: float  # noqa: N815
    errors: int
    clientErrors: int  # noqa: N815
    errorPercent: float | None  # noqa: N815
    slow: int
    meanMs: float | None  # noqa: N815
    maxMs: float | None  # noqa: N815
    databaseRequests: int  # noqa: N815
    databaseMs: float | None  # noqa: N815


class RouteTraffic(Traffic):
    """Requests of one route, by its template; `(unknown)` stands for every address that is none."""

    method: str
    route: str


class MinuteTraffic(Percentiles):
    """Requests of one minute."""

    at: datetime
    requests: int
    errors: int
    clientErrors: int  # noqa: N815


class Reads(BaseModel):
    """Reads of the cache in a stretch of time; the hit rate is null where there were none."""

    hits: int
    misses: int
    hitRate: float | None  # noqa: N815


class HitRates(Reads):
    """Reads of the last hour, and the hit rate of each of its minutes; null where nothing was read."""

    minutes: list[float | None]


class RecentCache(Reads):
    """The cache in the last minutes."""

    regions: dict[str, Reads]


class Recent(BaseModel):
    """The last `minutes`, the one under way included: what goes on now, and an hour's mean would hide."""

    minutes: int
    totals: Traffic
    routes: list[RouteTraffic]
    cache: RecentCache


class RegionHour(HitRates):
    """One kind of cached value over the last hour."""

    negativeHits: int  # noqa: N815
    loads: int
    loadMs: float | None  # noqa: N815
    staleServed: int  # noqa: N815
    uncached: int
    errors: int


class CacheHour(HitRates):
    """The cache over the last hour."""

    regions: dict[str, RegionHour]


class Performance(BaseModel):
    """The last hour; `scope` is "process" while Redis is away and the other processes cannot be asked."""

    timestamp: datetime
    windowMinutes: int  # noqa: N815
    scope: Literal["all", "process"]
    processes: int
    slowRequestMs: int  # noqa: N815
    totals: Traffic
    routes: list[RouteTraffic]
    minutes: list[MinuteTraffic]
    cache: CacheHour
    recent: Recent


class SlowQuery(BaseModel):
    """One statement, without values."""

    queryId: str  # noqa: N815
    query: str
    calls: int
    meanMs: float  # noqa: N815
    maxMs: float  # noqa: N815
    totalMs: float  # noqa: N815
    sharePercent: float | None  # noqa: N815
    rows: int


class SlowQueries(BaseModel):
    """The statements whose mean is over the threshold; where they are not recorded, `reason` says why."""

    timestamp: datetime
    available: bool
    reason: str | None
    thresholdMs: int  # noqa: N815
    since: datetime | None
    statements: int
    totalMs: float  # noqa: N815
    queries: list[SlowQuery]


class Connections(BaseModel):
    """Clients of Postgres, in all its databases, and how many there may be."""

    used: int
    active: int
    idle: int
    idleInTransaction: int  # noqa: N815
    limit: int
    percent: float | None


class TableState(BaseModel):
    """Size and use of one table; `rows` is Postgres's estimate, `needsVacuum` says that vacuum lags behind."""

    table: str
    rows: int
    sizeBytes: int  # noqa: N815
    indexBytes: int  # noqa: N815
    sequentialScans: int  # noqa: N815
    sequentialRows: int  # noqa: N815
    indexScans: int  # noqa: N815
    indexScanPercent: float | None  # noqa: N815
    deadRows: int  # noqa: N815
    deadPercent: float | None  # noqa: N815
    lastVacuum: datetime | None  # noqa: N815
    lastAnalyze: datetime | None  # noqa: N815
    needsVacuum: bool  # noqa: N815


class UnusedIndex(BaseModel):
    """An index that no query has used since the statistics began; those that hold a rule are not listed."""

    table: str
    index: str
    sizeBytes: int  # noqa: N815


class DatabaseState(BaseModel):
    """The database since the statistics were last reset; a size limit of 0 is none."""

    timestamp: datetime
    version: str
    since: datetime | None
    sizeBytes: int  # noqa: N815
    sizeLimitBytes: int  # noqa: N815
    sizePercent: float | None  # noqa: N815
    connections: Connections
    cacheHitPercent: float | None  # noqa: N815
    tables: list[TableState]
    unusedIndexes: list[UnusedIndex]  # noqa: N815
