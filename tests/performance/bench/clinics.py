"""The organisations under test: one of each size, and what there is to ask for in them."""

from dataclasses import dataclass
from typing import Any

import psycopg

from tests.performance.seed import Person, org_id_of, owner_of, person

DEPTH = 100_000
PAGE = 20
_OWN = "from public.calls_feed where org_id = %(org)s and not is_test_call"
_KEYS = (
    f"select call_date, id, sort_duration, sort_name {_OWN} order by call_date desc, id desc offset %(skip)s limit 1"
)
# A first name that many have; and a caller who rang once or twice.
_NAMES = f"""
  select split_part(caller_name, ' ', 1) as first, count(*) as calls {_OWN} and caller_name is not null
  group by 1 having length(split_part(min(caller_name), ' ', 1)) >= 4 order by calls desc, first limit 1"""
_STRANGER = f"""
  select phone_number {_OWN} and phone_number is not null
  group by 1 having count(*) = 1 order by max(call_date) desc limit 1"""
_CONVERSATION = f"""
  select id from (select id, transcript {_OWN} and status = 'completed' and transcript is not null
    order by call_date desc limit 200) as newest order by abs(length(transcript::text) - 2000), id limit 1"""


@dataclass(frozen=True)
class Clinic:
    """One organisation: `size` is its calls, or where that is what matters, its agents."""

    size: int
    label: str
    owner: Person
    total: int = 0
    frequent_name: str = ""
    rare_number: str = ""
    call_id: str = ""
    depth: int = 0
    keys_at_depth: dict[str, Any] | None = None
    agent_id: str = ""

    @property
    def org_id(self) -> str:
        return self.owner.org_id

    @property
    def last_page(self) -> int:
        return -(-self.total // PAGE)


def clinic_of(sql: psycopg.Connection, number: int, size: int, label: str) -> Clinic:
    """Find out what there is to ask for in the seeded clinic of that number; `sql` gives rows as dictionaries."""
    org_id = org_id_of(number)

    def first(query: str, **values: Any) -> Any:
        found = sql.execute(query, {"org": org_id, **values}).fetchone()
        assert found, query
        return found

    total = first(f"select count(*) as total {_OWN}")["total"]
    depth = min(DEPTH, (total - 2 * PAGE) // PAGE * PAGE)
    keys = first(_KEYS, skip=depth - 1)
    return Clinic(
        size=size,
        label=label,
        owner=owner_of(sql, org_id),
        total=total,
        frequent_name=first(_NAMES)["first"],
        rare_number=first(_STRANGER)["phone_number"],
        call_id=str(first(_CONVERSATION)["id"]),
        depth=depth,
        keys_at_depth={**keys, "call_date": keys["call_date"].isoformat(), "id": str(keys["id"])},
    )


def team_of(sql: psycopg.Connection, agents: int) -> Clinic:
    """Make an organisation with an owner and that many agents."""
    query = "insert into public.organizations (name) values ('Team') returning id"
    org_id = str(sql.execute(query).fetchone()["id"])  # type: ignore[index,call-overload]
    users = """
      insert into auth.users (id, email, raw_app_meta_data, raw_user_meta_data)
      select id, role || '.' || id || '@team.example', jsonb_build_object('org_id', %(org)s::text, 'role', role), '{}'
      from (select gen_random_uuid() as id, %(role)s::text as role from generate_series(1, %(count)s)) as made
      returning id"""
    owner = sql.execute(users, {"org": org_id, "role": "owner", "count": 1}).fetchone()
    agent = sql.execute(users, {"org": org_id, "role": "agent", "count": agents}).fetchone()
    assert owner
    assert agent
    owner_id, agent_id = str(owner["id"]), str(agent["id"])  # type: ignore[call-overload]
    return Clinic(agents, f"{agents} agents", person(owner_id, org_id), agent_id=agent_id)
