"""The strategy of before: fetch the organisation's calls from both tables, sort them in memory, slice.

Written here only, and given the very same indexes: its pages of 1,000 rows, which PostgREST's cap forces, are read in
the order of an index, each after the last row of the one before. It asks for the columns of the list and not for all,
as it did, and leaves the filters by direction and status to the database. Where a history is long, it is fetched a few
times only, and each of its uses is reckoned as the time of the fetch and its own time in memory.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from tqdm import tqdm

from tests.performance.bench.clinics import Clinic
from tests.performance.bench.ways import Refused, Sample, Ways
from voxanne.queries.calls import LIST_COLUMNS

CAP = 1000
SHARED_FROM = 50_000
COLUMNS = LIST_COLUMNS + ",financial_value,started_at"
TABLES = {"inbound": ("call_logs", "created_at"), "outbound": ("calls", "call_date")}
Row = dict[str, Any]


class Before:
    """Remembers the long histories that it has fetched, and how long that took."""

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self._fetched: dict[tuple[int, str], tuple[list[Row], list[float], int, int]] = {}

    def sample(self, clinic: Clinic, use: Callable[[list[Row]], object], **filters: str | None) -> Sample:
        """Answer from whole histories; `filters` are call_type and status."""
        rows: list[Row] = []
        milliseconds, size, requests = 0.0, 0, 0
        for kind in TABLES:
            if filters.get("call_type") in {None, kind}:
                found, spent, read, asked = self._history(clinic, kind, filters.get("status"))
                rows += found
                milliseconds, size, requests = milliseconds + spent, size + read, requests + asked
        begun = time.perf_counter()
        use(rows)
        return Sample(milliseconds + (time.perf_counter() - begun) * 1000, size, requests)

    def _history(self, clinic: Clinic, kind: str, status: str | None) -> tuple[list[Row], float, int, int]:
        if clinic.size < SHARED_FROM or status:
            return self._fetch(clinic, kind, status)
        key = (clinic.size, kind)
        if key not in self._fetched:
            times = 1 if clinic.size > 10 * SHARED_FROM else 3
            runs = [self._fetch(clinic, kind, None) for _ in range(times)]
            self._fetched[key] = (runs[0][0], [run[1] for run in runs], runs[0][2], runs[0][3])
        rows, spent, size, requests = self._fetched[key]
        return rows, statistics.median(spent), size, requests

    def _fetch(self, clinic: Clinic, kind: str, status: str | None) -> tuple[list[Row], float, int, int]:
        table, moment = TABLES[kind]
        params = {
            "select": COLUMNS.replace("call_date", f"call_date:{moment}" if kind == "inbound" else "call_date"),
            "org_id": f"eq.{clinic.org_id}",
            "deleted_at": "is.null",
            "is_test_call": "is.false",
            "order": f"{moment}.desc,id.desc",
            "limit": str(CAP),
            **({"status": f"eq.{status}"} if status else {}),
        }
        rows: list[Row] = []
        size = requests = 0
        begun = time.perf_counter()
        bar = tqdm(
            total=clinic.total,
            desc=f"{clinic.label} as before: {table}",
            leave=False,
            disable=clinic.size < SHARED_FROM,
        )
        with bar:
            while len(rows) == requests * CAP:
                page, read = self._page(clinic, table, {**params, **_after(moment, rows)})
                rows += page
                size, requests = size + read, requests + 1
                bar.update(len(page))
        return rows, (time.perf_counter() - begun) * 1000, size, requests

    def _page(self, clinic: Clinic, table: str, params: dict[str, str]) -> tuple[list[Row], int]:
        url = f"{self.ways.settings.supabase_base}/rest/v1/{table}"
        reply = self.ways.client.get(url, params=params, headers=self.ways.keys(clinic.owner))
        if not reply.is_success:
            raise Refused(f"{table}: {reply.status_code} {reply.text[:200]}")
        return orjson.loads(reply.content), reply.num_bytes_downloaded

    def agents(self, clinic: Clinic) -> Sample:
        """Read the memberships, then look each user up."""
        base, client = self.ways.settings.supabase_base, self.ways.client
        params = {
            "select": "user_id",
            "org_id": f"eq.{clinic.org_id}",
            "role": "eq.agent",
            "accepted_at": "not.is.null",
        }
        begun = time.perf_counter()
        members = client.get(f"{base}/rest/v1/user_org_roles", params=params, headers=self.ways.service_keys())
        size = members.num_bytes_downloaded
        for member in members.json():
            reply = client.get(f"{base}/auth/v1/admin/users/{member['user_id']}", headers=self.ways.service_keys())
            assert reply.is_success, reply.text
            size += reply.num_bytes_downloaded
        return Sample((time.perf_counter() - begun) * 1000, size, 1 + len(members.json()))


def _after(moment: str, rows: list[Row]) -> dict[str, str]:
    """Narrow to what follows the rows so far: by their keys, as counting them off would cost far more."""
    if not rows:
        return {}
    last, row_id = rows[-1]["call_date"], rows[-1]["id"]
    older = f'({moment}.lt."{last}",and({moment}.eq."{last}",id.lt.{row_id}))'
    return {moment: f"lte.{last}", "or": older}


def page_of(rows: list[Row], offset: int, limit: int, matches: Callable[[Row], bool] | None = None) -> list[Row]:
    """Sort newest first, keep what matches, and cut a page out."""
    kept = [row for row in rows if matches(row)] if matches else rows
    return sorted(kept, key=lambda row: (row["call_date"], row["id"]), reverse=True)[offset : offset + limit]


def having(text: str) -> Callable[[Row], bool]:
    """Whether a row's name or number holds that text."""
    wanted = text.lower()
    return lambda row: wanted in (row["caller_name"] or "").lower() or wanted in (row["phone_number"] or "")


def stats(rows: list[Row]) -> dict[str, Any]:
    """The numbers on top of the dashboard, added up here."""
    month_ago = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    completed = [row["duration_seconds"] for row in rows if row["status"] == "completed"]
    return {
        "total": len(rows),
        "inbound": sum(row["call_type"] == "inbound" for row in rows),
        "today": sum(row["call_date"] >= datetime.now(UTC).date().isoformat() for row in rows),
        "duration": sum(filter(None, completed)) / max(1, len(completed)),
        "pipeline": sum(row["financial_value"] for row in rows if row["call_date"] >= month_ago),
        "recent": page_of(rows, 0, 5),
    }
