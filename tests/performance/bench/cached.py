"""What the cache answers: the price list, as scoring a call uses it, and the team's agents."""

import time
from collections.abc import Callable

from flask import Flask

from tests.performance.bench.before import Before
from tests.performance.bench.cases import APP, BEFORE, SAME, SQL, Case, Way
from tests.performance.bench.clinics import Clinic
from tests.performance.bench.ways import Sample, Ways, captured
from voxanne import csrf, database
from voxanne.cache import SERVICES, cache
from voxanne.queries import members, services
from voxanne.services import pricing


def price_list(app: Flask, asking: Ways, *, warm: bool) -> Case:
    """The price list in process, as only code uses it: warm, or dropped before each use. Before, each was a query."""

    def used(clinic: Clinic, use: Callable[[], object]) -> Sample:
        begun = time.perf_counter()
        use()
        log = database.request_log()
        return Sample((time.perf_counter() - begun) * 1000, requests=log.count, own_ms=None)

    def ways(clinic: Clinic) -> dict[str, Way]:
        def cached() -> Sample:
            with app.app_context():
                if not warm:
                    cache.drop(SERVICES, clinic.org_id)
                db = database.for_principal(clinic.owner.token)
                return used(clinic, lambda: pricing.price_list(db, clinic.org_id))

        def queried() -> Sample:
            with app.app_context():
                db = database.for_principal(clinic.owner.token)
                return used(clinic, lambda: services.list_pricing(db, clinic.org_id))

        columns = "id, name, price, keywords, created_at"
        query = f"select {columns} from public.services where org_id = %(org)s order by created_at desc, id desc"
        same = captured(lambda db: services.list_pricing(db, clinic.org_id))
        return {
            APP: cached,
            SAME: lambda: asking.bare(clinic.owner, same),
            SQL: lambda: asking.direct(clinic.owner, query, {"org": clinic.org_id}),
            BEFORE: queried,
        }

    return Case(f"services, {'warm' if warm else 'cold'}", ways)


def services_page(asking: Ways) -> Case:
    """The page of services, which is not cached."""

    def ways(clinic: Clinic) -> dict[str, Way]:
        same = captured(lambda db: services.list_services(db, clinic.org_id, offset=0, limit=50))
        return {
            APP: lambda: asking.app(clinic.owner, "/api/services"),
            SAME: lambda: asking.bare(clinic.owner, same),
        }

    return Case("services, the page", ways)


def agents(app: Flask, asking: Ways, strategy: Before, *, warm: bool) -> Case:
    """The team's agents: from the cache, or after a change of the team. Before, each was looked up on its own."""

    def ways(clinic: Clinic) -> dict[str, Way]:
        same = captured(lambda db: members.list_agents(db, clinic.org_id))

        def ask() -> Sample:
            if not warm:
                change_team(app, asking, clinic)
            return asking.app(clinic.owner, "/api/agents")

        return {
            APP: ask,
            SAME: lambda: asking.bare(clinic.owner, same),
            SQL: lambda: asking.direct(
                clinic.owner, "select * from public.list_agents(%(org)s)", {"org": clinic.org_id}
            ),
            BEFORE: lambda: strategy.agents(clinic),
        }

    return Case(f"agents, {'warm' if warm else 'cold'}", ways)


def change_team(app: Flask, asking: Ways, clinic: Clinic) -> None:
    """Give an agent the role that they have: no change, but the program has to forget what it knows of the team."""
    with app.app_context():
        token = csrf.issue()[0]
    url = f"{asking.app_url}/api/team/members/{clinic.agent_id}/role"
    headers = {**clinic.owner.headers, "X-CSRF-Token": token}
    asking.client.patch(url, json={"role": "agent"}, headers=headers).raise_for_status()


def without_supabase(asking: Ways) -> Case:
    """A reply that asks nobody: what the way to the program and back costs by itself."""
    return Case("a reply without Supabase", lambda clinic: {APP: lambda: asking.app(clinic.owner, "/api/csrf-token")})


def service_cases(app: Flask, asking: Ways) -> list[Case]:
    pricing_cases = [price_list(app, asking, warm=warm) for warm in (False, True)]
    return [services_page(asking), *pricing_cases, without_supabase(asking)]


def agent_cases(app: Flask, asking: Ways, strategy: Before) -> list[Case]:
    return [agents(app, asking, strategy, warm=False), agents(app, asking, strategy, warm=True)]
