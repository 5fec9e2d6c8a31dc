"""What is asked: each case knows the program's address for it and the other ways to the same answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from postgrest import SyncPostgrestClient

from tests.performance.bench import before
from tests.performance.bench.before import Before
from tests.performance.bench.clinics import PAGE, Clinic
from tests.performance.bench.ways import Bare, Sample, Ways, captured
from voxanne.queries import analytics, call_list, calls, contacts
from voxanne.queries.call_list import CallFilter, Window

PATH = "/api/calls-dashboard"
APP, SAME, PLAIN, SQL, BEFORE = "app", "same request", "bare rows", "SQL", "before"
Way = Callable[[], Sample]
POLLED: dict[str, tuple[str, str, Callable[[SyncPostgrestClient, str], Any]]] = {
    "pulse": ("/api/analytics/dashboard-pulse", "dashboard_pulse", analytics.get_pulse),
    "leads": ("/api/analytics/leads", "actionable_leads", analytics.get_leads),
    "recent activity": ("/api/analytics/recent-activity", "recent_activity", analytics.get_recent_activity),
    # Answered from the cache: what is beside it is what a miss costs.
    "contact stats": ("/api/contacts/stats", "contact_stats", contacts.get_stats),
}


@dataclass(frozen=True)
class Case:
    """One row of the table, less the sizes; `ways` makes what is to be timed for one organisation."""

    name: str
    ways: Callable[[Clinic], dict[str, Way]]
    history: bool = field(default=False)  # whether the strategy of before reads both tables whole for it


@dataclass(frozen=True)
class Listing:
    """A page of the list of calls."""

    call_type: str | None = None
    status: str | None = None
    search: Callable[[Clinic], str] | None = None
    page: Callable[[Clinic], int] = lambda _: 1
    cursor: bool = False

    def offset(self, clinic: Clinic) -> int:
        return clinic.depth if self.cursor else (self.page(clinic) - 1) * PAGE

    def path(self, clinic: Clinic, cursor: str | None) -> str:
        text = self.search(clinic) if self.search else None
        query = {"call_type": self.call_type, "status": self.status, "search": text, "cursor": cursor}
        page = self.page(clinic)
        given = {name: value for name, value in query.items() if value} | ({"page": page} if page > 1 else {})
        return f"{PATH}?{urlencode(given)}"

    def same(self, clinic: Clinic) -> Bare:
        """The very request that the program sends, with the total."""
        narrowed = CallFilter(self.call_type, self.status, search=self.search(clinic) if self.search else None)
        after = clinic.keys_at_depth if self.cursor else None
        window = Window("date", PAGE, 0 if after else self.offset(clinic), after)
        return captured(lambda db: call_list.list_calls(db, clinic.org_id, narrowed, window))

    def plain(self, clinic: Clinic) -> Bare:
        """The plain select of the same rows, without a total."""
        params = [("select", calls.LIST_COLUMNS), ("org_id", f"eq.{clinic.org_id}"), ("is_test_call", "is.false")]
        params += [(name, f"eq.{getattr(self, name)}") for name in ("call_type", "status") if getattr(self, name)]
        if self.search:
            params.append(("search_text", f"imatch.{call_list.literal_pattern(self.search(clinic))}"))
        keys = clinic.keys_at_depth
        if self.cursor and keys:
            moment = keys["call_date"]
            older = f'(call_date.lt."{moment}",and(call_date.eq."{moment}",id.lt.{keys["id"]}))'
            params += [("call_date", f"lte.{moment}"), ("or", older)]
        elif self.offset(clinic):
            params.append(("offset", str(self.offset(clinic))))
        return Bare("GET", calls.FEED, [*params, ("order", "call_date.desc,id.desc"), ("limit", str(PAGE))])

    def sql(self, clinic: Clinic) -> tuple[str, dict[str, Any]]:
        """The same select, without PostgREST."""
        values: dict[str, Any] = {"org": clinic.org_id, "offset": self.offset(clinic)}
        where = ["org_id = %(org)s", "is_test_call = false"]
        for name in ("call_type", "status"):
            if getattr(self, name):
                where.append(f"{name} = %({name})s")
                values[name] = getattr(self, name)
        if self.search:
            where.append("search_text ~* %(pattern)s")
            values["pattern"] = call_list.literal_pattern(self.search(clinic))
        if self.cursor and clinic.keys_at_depth:
            where.append("(call_date, id) < (%(call_date)s, %(id)s)")
            values |= {**clinic.keys_at_depth, "offset": 0}
        order = f"order by call_date desc, id desc limit {PAGE} offset %(offset)s"
        return f"select {calls.LIST_COLUMNS} from public.calls_feed where {' and '.join(where)} {order}", values

    def before(self, clinic: Clinic, strategy: Before) -> Sample:
        matches = before.having(self.search(clinic)) if self.search else None
        offset = self.offset(clinic)
        return strategy.sample(
            clinic,
            lambda rows: before.page_of(rows, offset, PAGE, matches),
            call_type=self.call_type,
            status=self.status,
        )


def listing(name: str, wanted: Listing, asking: Ways, strategy: Before) -> Case:
    """The case of one page; a cursor is fetched from the program first, as a reader's would be."""

    def ways(clinic: Clinic) -> dict[str, Way]:
        cursor = cursor_at(asking, clinic) if wanted.cursor else None
        path, same, plain = wanted.path(clinic, cursor), wanted.same(clinic), wanted.plain(clinic)
        query, values = wanted.sql(clinic)
        return {
            APP: lambda: asking.app(clinic.owner, path),
            SAME: lambda: asking.bare(clinic.owner, same),
            PLAIN: lambda: asking.bare(clinic.owner, plain),
            SQL: lambda: asking.direct(clinic.owner, query, values),
            BEFORE: lambda: wanted.before(clinic, strategy),
        }

    return Case(name, ways, history=wanted.status is None and wanted.call_type is None)


def cursor_at(asking: Ways, clinic: Clinic) -> str:
    page = clinic.depth // PAGE
    reply = asking.client.get(f"{asking.app_url}{PATH}?page={page}", headers=clinic.owner.headers)
    return str(reply.json()["pagination"]["next_cursor"])


def numbers(name: str, path: str, function: str, asking: Ways, strategy: Before) -> Case:
    """The case of statistics: one SQL function, or everything added up in memory."""
    send = {"call_stats": lambda db, org: calls.get_stats(db, org, None), "call_summary": calls.get_summary}[function]

    def ways(clinic: Clinic) -> dict[str, Way]:
        same = captured(lambda db: send(db, clinic.org_id))
        return {
            APP: lambda: asking.app(clinic.owner, path),
            SAME: lambda: asking.bare(clinic.owner, same),
            SQL: lambda: asking.direct(clinic.owner, f"select public.{function}(%(org)s)", {"org": clinic.org_id}),
            BEFORE: lambda: strategy.sample(clinic, before.stats),
        }

    return Case(name, ways, history=True)


def polled(name: str, path: str, function: str, asking: Ways, send: Callable[[SyncPostgrestClient, str], Any]) -> Case:
    """The case of what the home page polls: one SQL function."""

    def ways(clinic: Clinic) -> dict[str, Way]:
        same = captured(lambda db: send(db, clinic.org_id))
        return {
            APP: lambda: asking.app(clinic.owner, path),
            SAME: lambda: asking.bare(clinic.owner, same),
            SQL: lambda: asking.direct(clinic.owner, f"select public.{function}(%(org)s)", {"org": clinic.org_id}),
        }

    return Case(name, ways)


def unchanged(name: str, path: str, asking: Ways) -> Case:
    """The case of a poll to which nothing has changed: 304."""

    def ways(clinic: Clinic) -> dict[str, Way]:
        same = captured(lambda db: calls.get_version(db, clinic.org_id))

        def poll() -> Sample:
            tag = asking.client.get(asking.app_url + path, headers=clinic.owner.headers).headers["ETag"]
            return asking.app(clinic.owner, path, {"If-None-Match": tag})

        return {APP: poll, SAME: lambda: asking.bare(clinic.owner, same)}

    return Case(name, ways)


def detail(asking: Ways) -> Case:
    def ways(clinic: Clinic) -> dict[str, Way]:
        same = captured(lambda db: calls.get_call(db, clinic.org_id, clinic.call_id))
        columns = calls.DETAIL_COLUMNS.replace("appointment", "calls_feed.appointment")
        query = f"select {columns} from public.calls_feed where org_id = %(org)s and id = %(id)s limit 1"
        return {
            APP: lambda: asking.app(clinic.owner, f"{PATH}/{clinic.call_id}"),
            SAME: lambda: asking.bare(clinic.owner, same),
            SQL: lambda: asking.direct(clinic.owner, query, {"org": clinic.org_id, "id": clinic.call_id}),
        }

    return Case("call detail", ways)


def call_cases(asking: Ways, strategy: Before) -> list[Case]:
    """What is asked of the organisations with a history of calls."""
    listings = {
        "list, first page": Listing(),
        "list, inbound": Listing("inbound"),
        "list, outbound": Listing("outbound"),
        "list, page 50": Listing(page=lambda clinic: min(50, clinic.last_page)),
        "list, depth 100k by cursor": Listing(cursor=True),
        "list, last page": Listing(page=lambda clinic: clinic.last_page),
        "search, a frequent name": Listing(search=lambda clinic: clinic.frequent_name),
        "search, one number": Listing(search=lambda clinic: clinic.rare_number),
        "list, rare status": Listing(status="queued"),
    }
    return [
        *(listing(name, wanted, asking, strategy) for name, wanted in listings.items()),
        detail(asking),
        numbers("stats", f"{PATH}/stats", "call_stats", asking, strategy),
        unchanged("stats, nothing new (304)", f"{PATH}/stats", asking),
        numbers("summary", f"{PATH}/analytics/summary", "call_summary", asking, strategy),
        unchanged("summary, nothing new (304)", f"{PATH}/analytics/summary", asking),
        *(
            case
            for name, (path, function, send) in POLLED.items()
            for case in (
                polled(name, path, function, asking, send),
                unchanged(f"{name}, nothing new (304)", path, asking),
            )
        ),
    ]
