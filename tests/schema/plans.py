"""Explains a query as a caller's request would run it, and tells which indexes it read and how many rows."""

import json
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.schema.caller import acting

Node = dict[str, Any]


@dataclass
class Plan:
    indexes: set[str] = field(default_factory=set)
    scans: set[str] = field(default_factory=set)
    sorts: list[int] = field(default_factory=list)
    rows_read: int = 0
    expected: int = 0
    returned: int = 0

    def add(self, node: Node) -> None:
        loops = node["Actual Loops"]
        if "Index Name" in node:
            self.indexes.add(node["Index Name"])
        if node["Node Type"] == "Seq Scan":
            self.scans.add(node["Relation Name"])
        if "Sort" in node["Node Type"]:
            self.sorts.append(node["Plans"][0]["Actual Rows"])
        if "Relation Name" in node:
            filtered = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            self.rows_read += int((node["Actual Rows"] + filtered) * loops)
        for child in node.get("Plans", []):
            self.add(child)


def plan_of(db: psycopg.Connection, user_id: str, org_id: str, query: str, *, role: str = "authenticated") -> Plan:
    """Run and explain `query` in the caller's place; {org} stands for the organisation."""
    with acting(db, user_id, org_id, role):
        return explain(db, query.format(org=org_id))


def explain(db: psycopg.Connection, query: str) -> Plan:
    found = db.execute(f"explain (analyze, buffers, format json) {query}").fetchone()
    assert found
    explained = found[0] if isinstance(found[0], list) else json.loads(found[0])
    root = explained[0]["Plan"]
    plan = Plan(expected=int(root["Plan Rows"]), returned=int(root["Actual Rows"]))
    plan.add(root)
    return plan
