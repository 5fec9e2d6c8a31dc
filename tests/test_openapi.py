"""The OpenAPI document and its page: whole, valid, and without any other host."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.factories import Factory
from tests.route_cases import CASES, CHANGING, method_of
from tests.routes.test_conditional import CONTACTS
from tests.routes.test_conditional import PATHS as POLLED

FORMS = {"webhooks.receive_sms_status", "ops.sign_in"}


@pytest.fixture(scope="module")
def document(app: Flask) -> dict:
    return app.test_client().get("/openapi.json").json


@pytest.fixture(scope="module")
def page(app: Flask) -> str:
    reply = app.test_client().get("/docs")
    assert (reply.status_code, reply.mimetype) == (200, "text/html")
    return reply.get_data(as_text=True)


def operations(app: Flask, document: dict) -> list[tuple[str, dict]]:
    """Each route's endpoint with its entry in the document."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        found.append((rule.endpoint, document["paths"].get(path, {}).get(method_of(rule).lower(), {})))
    return found


def test_the_document_is_valid(document: dict) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_is_described_and_nothing_else(app: Flask, document: dict) -> None:
    entries = operations(app, document)

    assert [endpoint for endpoint, entry in entries if not entry] == []
    assert len(entries) == sum(len(methods) for methods in document["paths"].values())


def test_every_route_has_a_summary_of_one_sentence_and_a_known_tag(app: Flask, document: dict) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for endpoint, entry in operations(app, document):
        assert re.fullmatch(r"[A-Z][^\n]{5,110}\.", entry["summary"]), endpoint
        assert len(entry["tags"]) == 1, endpoint
        assert set(entry["tags"]) <= tags, endpoint


def test_guarded_routes_ask_for_a_token_and_public_ones_do_not(app: Flask, document: dict) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["security"] == [{"bearer": []}]
    for endpoint, entry in operations(app, document):
        assert entry.get("security", document["security"]) == ([{}] if CASES[endpoint].public else [{"bearer": []}])


def test_replies_are_named(app: Flask, document: dict) -> None:
    for endpoint, entry in operations(app, document):
        case, replies = CASES[endpoint], entry["responses"]
        assert str(case.ok) in replies, endpoint
        wanted = {"400", "429", "500", "503"} | (set() if case.public else {"401", "403"})
        assert wanted <= set(replies), endpoint
        for status, reply in replies.items():
            if status[0] in "45" and not case.page and (endpoint, status) != ("system.get_health", "503"):
                assert reply["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorBody"), endpoint


def test_routes_with_an_id_can_miss_it(app: Flask, document: dict) -> None:
    for (endpoint, entry), rule in zip(operations(app, document), app.url_map.iter_rules(), strict=True):
        ids = [name for name in rule.arguments if name.endswith("_id")]
        assert not ids or "404" in entry["responses"], endpoint
        described = {item["name"]: item for item in entry["parameters"] if item["in"] == "path"}
        assert set(described) == rule.arguments, endpoint
        for name in ids:
            assert described[name]["schema"] == {"type": "string", "format": "uuid"}, endpoint


def test_bodies_are_described_where_they_are_read(app: Flask, document: dict) -> None:
    for (endpoint, entry), rule in zip(operations(app, document), app.url_map.iter_rules(), strict=True):
        takes_one = CASES[endpoint].body is not None and method_of(rule) in CHANGING
        assert ("requestBody" in entry) == takes_one, endpoint
        if takes_one:
            kind = "application/x-www-form-urlencoded" if endpoint in FORMS else "application/json"
            assert list(entry["requestBody"]["content"]) == [kind], endpoint


@pytest.mark.parametrize("path", [*POLLED, CONTACTS])
def test_replies_that_may_be_unchanged_say_so(document: dict, path: str) -> None:
    assert "content" not in document["paths"][path]["get"]["responses"]["304"]


def test_operation_ids_differ(app: Flask, document: dict) -> None:
    ids = [entry["operationId"] for _, entry in operations(app, document)]

    assert len(ids) == len(set(ids))


def test_a_reply_that_is_not_as_described_is_found_by_the_tests(factory: Factory, monkeypatch) -> None:
    monkeypatch.setattr("voxanne.queries.services.get_service", lambda *_: {"id": "only this"})

    assert factory.caller().get("/api/services/a0000000-0000-0000-0000-000000000001").status_code == 500


class Links(HTMLParser):
    """Collects what a page loads: every src, href, action and data attribute, and its scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in {"script", "style"} else self._inside
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "data", "srcset"}]

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline.append(data)


def test_the_page_loads_nothing_from_elsewhere(page: str) -> None:
    links = Links()
    links.feed(page)
    text = "".join(links.inline)

    assert len(text) > 100_000, "the page should bring its scripts along"
    assert [link for link in links.addresses if not link.startswith(("data:", "/", "#"))] == []
    assert [link for link in links.addresses if link.startswith("//")] == []
    assert re.findall(r"@import[^;]{0,200}|url\(\s*['\"]?(?:https?:)?//[^)]{0,200}", text) == []
    assert re.findall(r"\b(?:fetch|import|importScripts|WebSocket|EventSource)\(\s*['\"](?:\w+:)?//[^'\"]*", text) == []


def test_the_browser_is_told_to_load_nothing_from_elsewhere(app: Flask) -> None:
    policy = app.test_client().get("/docs").headers["Content-Security-Policy"]

    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert set(" ".join(directives.values()).split()) <= {"'none'", "'self'", "'unsafe-inline'", "data:"}


def test_the_page_shows_our_document(page: str) -> None:
    assert "/openapi.json" in page
    assert "<title>" in page
    assert "Voxanne" in page.split("</title>", maxsplit=1)[0]
