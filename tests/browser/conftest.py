"""A real browser: Debian's chromium, driven by Playwright (which brings none along here)."""

import itertools
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.performance.server import Server, serving

PASSWORD = "receptionist"
PATIENCE_MS = 30_000
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_addresses = itertools.count(1)


@dataclass(frozen=True)
class Account:
    email: str
    user_id: str


def sign_up() -> Account:
    """Make an ordinary account at Supabase Auth."""
    email = f"ops-{uuid.uuid4().hex[:12]}@clinic.example"
    reply = httpx.post(
        f"{os.environ['SUPABASE_URL']}/auth/v1/signup",
        json={"email": email, "password": PASSWORD, "data": {"business_name": "Clinic B"}},
        headers={"apikey": os.environ["SUPABASE_PUBLISHABLE_KEY"]},
        timeout=20,
    )
    return Account(email, reply.raise_for_status().json()["user"]["id"])


@pytest.fixture(scope="module")
def operator() -> Account:
    return sign_up()


@pytest.fixture(scope="module")
def server(operator: Account) -> Iterator[Server]:
    """The program as deployed, with that operator."""
    with serving(operators=operator.user_id, redis_url=os.environ["REDIS_URL"]) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        # Chromium's sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, with all that it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def watch(page: Page) -> Watched:
    watched = Watched(page)
    page.on("request", lambda request: watched.asked.append(request.url))
    page.on("console", lambda message: watched.said.append(message.text))
    page.on("pageerror", lambda error: watched.said.append(str(error)))
    return watched


def visit(browser: Browser, server: Server, **options: Any) -> BrowserContext:
    """Begin anew, from an address of one's own: sign-ins are limited by address."""
    headers = {"X-Forwarded-For": f"203.0.113.{next(_addresses)}"}
    return browser.new_context(base_url=server.url, extra_http_headers=headers, **options)


@pytest.fixture
def watched(browser: Browser, server: Server) -> Iterator[Watched]:
    context = visit(browser, server, color_scheme="light")
    yield watch(context.new_page())
    context.close()


def sign_in(page: Page, account: Account) -> None:
    page.goto("/ops")
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("load")
