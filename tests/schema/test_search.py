"""Pages of a search in a history that counts as long: the same rows as one by one, whichever way they are found."""

from typing import Any

import psycopg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.brute_force import ORDERS, StoredCall, forget, store
from tests.factories import Factory
from tests.random_calls import STATUSES, World, worlds
from voxanne.queries.call_list import SORT_KEYS, literal_pattern

TEXTS = [
    "a",
    "an",
    "ann",
    "anna",
    "nna",
    "n a",
    "+44",
    "+1",
    "555",
    "0123",
    "14155550123",
    "+442071234567",
    "李",
    "o'h",
    "(x) 5",
]


def matching(world: World, text: str, narrowed: dict[str, Any]) -> list[StoredCall]:
    return [
        call
        for call in world.calls
        if call.deleted_at is None
        and (narrowed["p_include_test"] or not call.is_test_call)
        and narrowed["p_call_type"] in {None, call.call_type}
        and narrowed["p_status"] in {None, call.status}
        and (narrowed["p_since"] is None or call.at >= narrowed["p_since"])
        and (narrowed["p_until"] is None or call.at < narrowed["p_until"])
        and any(text in (field or "").lower() for field in (call.caller_name, call.phone_number))
    ]


@st.composite
def asked(draw: st.DrawFn, world: World) -> dict[str, Any]:
    moments = st.none() | st.sampled_from(world.moments)
    return {
        "p_call_type": draw(st.none() | st.sampled_from(["inbound", "outbound"])),
        "p_status": draw(st.none() | st.just("completed") | st.sampled_from(STATUSES)),
        "p_since": draw(moments),
        "p_until": draw(moments),
        "p_include_test": draw(st.booleans()),
    }


@settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), world=worlds())
def test_pages_are_what_brute_force_finds(
    factory: Factory, sql: psycopg.Connection, data: st.DataObject, world: World
) -> None:
    """However few calls there are, bounds as low as theirs make a long history of them."""
    org_id = factory.org()
    store(sql, org_id, world.calls)
    try:
        for _ in range(3):
            text, order = data.draw(st.sampled_from(TEXTS)), data.draw(st.sampled_from(sorted(ORDERS)))
            narrowed = data.draw(
                st.just(dict.fromkeys(["p_call_type", "p_status", "p_since", "p_until"]) | {"p_include_test": True})
                | asked(world)
            )
            bounds = {"p_window": data.draw(st.integers(1, 6)), "p_few": data.draw(st.integers(0, 3))}
            bounds["p_bound"] = bounds["p_few"] + data.draw(st.integers(0, 4))
            expected = sorted(matching(world, text, narrowed), key=ORDERS[order])
            size = data.draw(st.integers(1, 4))
            for by_cursor in (False, True):
                seen: list[str] = []
                after = None
                while True:
                    begins = (
                        {"p_offset": 0, "p_after": after} if by_cursor else {"p_offset": len(seen), "p_after": None}
                    )
                    wanted = {"p_order": order, "p_limit": size, **narrowed, **bounds, **begins}
                    found = page(sql, org_id, text, **wanted)
                    assert found["total_is_estimate"] or found["total"] == len(expected)
                    assert not found["total_is_estimate"] or len(expected) > bounds["p_few"]
                    if not found["rows"]:
                        break
                    # Pages are numbered by the total: the next one must be within reach.
                    assert found["total"] >= begins["p_offset"] + len(found["rows"])
                    seen += [row["id"] for row in found["rows"]]
                    after = Jsonb({key: found["rows"][-1][key] for key in SORT_KEYS})
                assert seen == [call.id for call in expected]
            begins = {"p_offset": 10**9, "p_after": None}
            beyond = page(sql, org_id, text, **{"p_order": order, "p_limit": size, **narrowed, **bounds, **begins})
            assert (beyond["rows"], beyond["total"] <= len(world.calls)) == ([], True)
    finally:
        forget(sql, org_id)


def page(sql: psycopg.Connection, org_id: str, text: str, **more: Any) -> Any:
    parameters = {
        "p_org_id": org_id,
        "p_pattern": literal_pattern(text),
        "p_columns": ["id", "call_date"],
        **more,
    }
    named = ", ".join(f"{name} => %({name})s" for name in parameters)
    with sql.transaction():
        sql.execute("select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', true)")
        found = sql.execute(f"select public.search_calls({named}) as page", parameters).fetchone()
    assert found
    return found["page"]
