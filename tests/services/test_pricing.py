"""The price list as scoring uses it: whole, and from the cache."""

from flask import Flask

from tests.factories import Caller, Factory
from voxanne import database
from voxanne.database import Row
from voxanne.services import pricing

MORE_THAN_POSTGREST_RETURNS = 1001


def prices(app: Flask, caller: Caller, org_id: str | None = None) -> tuple[list[Row], list[str]]:
    with app.test_request_context():
        listed = pricing.price_list(database.for_principal(caller.token), org_id or caller.org_id)
        return listed, [name for name, _ in database.request_log().entries]


def test_a_long_price_list_comes_whole_in_one_request(app: Flask, factory: Factory) -> None:
    caller = factory.caller("viewer")
    factory.sql.execute(
        "insert into public.services (org_id, name, price, keywords, created_at)"
        " select %s, 'Service ' || n, n, array['word'], now() - n * interval '1 day' from generate_series(1, %s) as n",
        [caller.org_id, MORE_THAN_POSTGREST_RETURNS],
    )

    listed, requests = prices(app, caller)

    assert [service["price"] for service in listed] == list(range(1, MORE_THAN_POSTGREST_RETURNS + 1))
    assert requests == ["POST rpc/price_list"]
    assert prices(app, caller) == (listed, [])


def test_a_service_is_as_it_is_stored(app: Flask, factory: Factory) -> None:
    caller = factory.caller("manager")
    body = {"name": "Größe 💉", "price": 0.1, "keywords": ["a b", "c"]}
    stored = caller.post("/api/services", body).json

    assert prices(app, caller)[0] == [{**body, "id": stored["id"], "created_at": stored["created_at"]}]


def test_services_of_the_same_moment_have_one_order(app: Flask, factory: Factory) -> None:
    caller = factory.caller()
    made = [factory.service(caller.org_id, created_at="2026-01-01T00:00:00Z") for _ in range(9)]

    assert [service["id"] for service in prices(app, caller)[0]] == sorted(made, reverse=True)


def test_nobody_reads_anothers_prices(app: Flask, factory: Factory) -> None:
    other = factory.org()
    factory.service(other)

    assert prices(app, factory.caller(), other)[0] == []
