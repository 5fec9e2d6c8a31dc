"""The connection pool, which everybody shares."""

import httpx

from voxanne.config import Settings
from voxanne.database import Supabase


def test_a_cookie_of_one_answer_goes_out_with_no_other_request(settings: Settings) -> None:
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200, json=[], headers={"Set-Cookie": "visitor=one; Path=/"})

    supabase = Supabase(settings)
    supabase.pool._transport = httpx.MockTransport(answer)
    for token in ("of one", "of another"):
        supabase.rest(token).from_("services").select("id").execute()

    assert [headers["Authorization"] for headers in sent] == ["Bearer of one", "Bearer of another"]
    assert not any("Cookie" in headers for headers in sent)
