"""/ops in a real browser: drawn, quiet, at home; usable by keyboard and screen reader; honest about what is away."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import PASSWORD, Account, Watched, sign_in, sign_up, visit, watch
from tests.performance.server import Server
from voxanne.cache import REGIONS
from voxanne.routes.ops import ASSETS

PACKAGES = Path(__file__).parents[2] / "supabase" / "local" / "node_modules"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
FOCUSED = (
    "[document.activeElement.id, document.activeElement.textContent.trim().replace(/\\s+/g, ' ')].join(' ').trim()"
)
LISTEN = """() => {
  window.told = [];
  const everything = { childList: true, subtree: true, characterData: true };
  for (const live of document.querySelectorAll("[role=status], [role=alert], [aria-live]"))
    new MutationObserver(() => told.push(live.textContent)).observe(live, everything);
}"""

# How many points of a chart's canvas are not empty, near the colour of its first line.
INKED = """number => {
  const canvas = document.querySelectorAll(".plot canvas")[number];
  const found = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let points = 0;
  for (let at = 0; at < found.length; at += 4) if (found[at + 3] > 200 && found[at + 2] - found[at] > 80) points++;
  return points;
}"""


@pytest.fixture
def page(watched: Watched, operator: Account) -> Page:
    """The page of an operator who has signed in, with some traffic to show."""
    for path in ("/", "/api/nowhere", "/health"):
        watched.page.request.get(path)
    sign_in(watched.page, operator)
    wait_until_drawn(watched.page)
    return watched.page


def wait_until_drawn(page: Page) -> None:
    """Without the script, which is the last to be loaded, a link is a link."""
    expect(page.locator(".plot canvas")).to_have_count(6 + len(REGIONS))


@pytest.fixture
def control() -> Iterator[Callable[[str, str], None]]:
    """Stops parts of Supabase, and starts them again in the end."""
    stopped = set()

    def act(action: str, part: str) -> None:
        httpx.post(f"{os.environ['SUPABASE_URL']}/__control/{action}/{part}", timeout=30).raise_for_status()
        (stopped.add if action == "stop" else stopped.discard)(part)

    yield act
    for part in list(stopped):
        act("start", part)


def refresh(page: Page) -> None:
    with page.expect_response("**/ops"):
        page.get_by_role("link", name="Refresh now").click()


def test_an_operator_signs_in_and_sees_charts(page: Page) -> None:
    expect(page).to_have_url(re.compile("/ops$"))
    expect(page.get_by_role("heading", name="The last five minutes at a glance")).to_be_visible()
    refresh(page)

    plots = page.locator(".plot")
    expect(plots).to_have_count(6 + len(REGIONS))
    wait_until_drawn(page)
    expect(plots.first).to_have_accessible_name(re.compile(r"^Line chart of the last hour: Latency in ms\. p50 \d"))
    page.wait_for_function(f"({INKED})(1) > 20")  # there is a line for the requests


def test_nothing_is_asked_of_another_host_and_nothing_complained_of(
    watched: Watched, page: Page, server: Server
) -> None:
    refresh(page)
    page.get_by_text("Hit rates in % as a table").click()

    assert len(watched.asked) > 5
    assert [url for url in watched.asked if not url.startswith(f"{server.url}/ops")] == []
    assert watched.said == []


def test_the_cookie_is_out_of_reach_and_leaves_with_the_session(page: Page) -> None:
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"], cookie["secure"]) == (True, "Strict", "/ops", True)
    assert page.evaluate("document.cookie + localStorage.length + sessionStorage.length") == "00"

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("Password")).to_be_visible()
    assert page.context.cookies() == []


def test_an_ordinary_user_is_told_why_there_is_nothing(watched: Watched) -> None:
    sign_in(watched.page, sign_up())

    expect(watched.page.get_by_role("alert")).to_contain_text("for those who run the platform")
    assert watched.page.context.cookies() == []


def test_a_form_of_another_site_does_not_sign_in(watched: Watched, server: Server, operator: Account) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    fields = f'<input name="email" value="{operator.email}"><input name="password" value="{PASSWORD}">'
    watched.page.route(f"{other}/evil", lambda route: route.fulfill(content_type="text/html", body=form))
    form = f'<form method="post" action="{server.url}/ops/session">{fields}<button>Win</button></form>'
    watched.page.goto(f"{other}/evil")

    with watched.page.expect_response("**/ops/session") as reply:
        watched.page.get_by_role("button", name="Win").click()

    assert reply.value.status == 403
    assert watched.page.context.cookies() == []


def test_the_keyboard_reaches_everything_in_reading_order(page: Page) -> None:
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
    wanted = [
        "Skip to the numbers", "pause Pause refreshing", "refresh Refresh now", "Sign out",
        "Latency, throughput and errors as a table",
        "Hit rates in % as a table", "Connections and size as a table",
    ]  # fmt: skip
    places = [seen.index(name) for name in wanted]
    assert places == sorted(places)
    for table in page.locator(".scroll").all():
        assert table.get_attribute("aria-labelledby") or table.get_attribute("aria-label")


def test_focus_is_seen(page: Page) -> None:
    for _ in range(2):
        page.keyboard.press("Tab")

    assert page.evaluate("getComputedStyle(document.activeElement).outline").endswith("solid 3px")


def test_a_refresh_keeps_scroll_focus_and_what_is_open_and_tells_nothing(page: Page) -> None:
    summary = page.get_by_text("Connections and size as a table")
    summary.focus()
    page.keyboard.press("Enter")
    page.evaluate("scrollTo(0, 700)")
    before = page.evaluate("[scrollY, document.activeElement.textContent]")
    taken = page.locator("#taken").inner_text()
    page.wait_for_timeout(1000)  # it is told to the second
    page.evaluate(LISTEN)
    page.request.get("/api/nowhere")

    page.evaluate("document.getElementById('refresh').click()")
    expect(page.locator("#taken")).not_to_have_text(taken)

    assert page.evaluate("[scrollY, document.activeElement.textContent]") == before
    assert page.locator("details[open]").count() == 1
    assert page.evaluate("told") == []


def test_it_refreshes_by_itself_until_paused(watched: Watched, operator: Account) -> None:
    page = watched.page
    page.clock.install()
    sign_in(page, operator)
    wait_until_drawn(page)
    with page.expect_response("**/ops"):
        page.clock.run_for(16_000)

    pause = page.get_by_role("button", name="Pause refreshing")
    pause.focus()
    page.keyboard.press("Space")
    expect(pause).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state("networkidle")
    asked = len(watched.asked)
    page.clock.run_for(120_000)
    assert len(watched.asked) == asked

    with page.expect_response("**/ops"):
        page.keyboard.press("Space")
    expect(pause).to_have_attribute("aria-pressed", "false")


def test_the_end_of_the_session_is_told_and_the_numbers_stay(page: Page) -> None:
    page.context.clear_cookies()

    refresh(page)

    expect(page.locator("#status")).to_contain_text("Your session has ended, and the numbers are old.")
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
    expect(page.locator("#routes-rows")).to_contain_text("/health")


def test_a_server_that_does_not_answer_is_told_once_with_the_age_of_the_numbers(page: Page) -> None:
    page.route("**/ops", lambda route: route.abort())
    page.get_by_role("link", name="Refresh now").click()
    told = page.locator("#status")
    expect(told).to_contain_text(
        re.compile(r"The server does not answer\. The numbers are old: As of \d\d:\d\d:\d\d UTC")
    )

    page.unroute("**/ops")
    refresh(page)

    expect(told).to_have_text("")


def test_a_refresh_that_was_asked_for_is_seen_to_be_under_way(page: Page) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/ops", hold)
    button = page.get_by_role("link", name="Refresh now")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")

    while not waiting:
        page.wait_for_timeout(20)
    waiting[0].continue_()

    expect(button).not_to_have_attribute("aria-busy", "true")


def test_with_the_database_stopped_the_old_numbers_are_marked(page: Page, control: Callable[[str, str], None]) -> None:
    refresh(page)
    expect(page.locator("#tables-rows")).to_contain_text("call_logs")  # else there is nothing to grow old
    control("stop", "rest")
    refresh(page)

    expect(page.locator("#problems")).to_contain_text(
        "The database can't be reached right now. What is shown of it is from"
    )
    expect(page.locator("#told")).to_contain_text("The database can't be reached")
    expect(page.locator("#database-state")).to_contain_text("These are old numbers, from")
    expect(page.locator("#tables-rows")).to_contain_text("call_logs")
    page.reload()
    expect(page.locator("#database-state")).to_contain_text("These are old numbers, from")

    control("start", "rest")
    expect(page.locator("#problems")).to_have_text("", timeout=60_000)


def test_with_redis_stopped_it_says_whose_numbers_these_are(page: Page, control: Callable[[str, str], None]) -> None:
    control("stop", "redis")
    page.reload()

    expect(page.locator("#problems")).to_contain_text("Redis does not answer")
    expect(page.locator("#taken")).to_contain_text("one process only")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_axe_finds_nothing_to_mend(
    browser: Browser, server: Server, operator: Account, *, scheme: str, size: dict[str, int], signed_in: bool
) -> None:
    context = visit(browser, server, color_scheme=scheme, viewport=size, reduced_motion="reduce")
    # axe is put in past the policy, as a browser's extension would.
    page = context.new_page()
    if signed_in:
        sign_in(page, operator)
        expect(page.locator("#taken")).to_be_visible()
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    else:
        page.goto("/ops")
        page.get_by_label("E-mail address").fill("nobody@clinic.example")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
    page.evaluate((PACKAGES / "axe-core" / "axe.min.js").read_text())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    found = page.evaluate("tags => axe.run({ runOnly: tags })", tags)

    told = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]
    assert told == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"
    context.close()


def test_colours_follow_the_system_while_the_page_is_open(watched: Watched, page: Page) -> None:
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert watched.said == []


def test_without_script_the_numbers_are_in_the_tables(browser: Browser, server: Server, operator: Account) -> None:
    context = visit(browser, server, java_script_enabled=False)
    page = watch(context.new_page()).page
    sign_in(page, operator)

    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("#routes-rows")).to_contain_text("/ops")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    context.close()


@pytest.mark.parametrize(("name", "source"), [
    ("uPlot.iife.min.js", "dist/uPlot.iife.min.js"), ("uPlot.min.css", "dist/uPlot.min.css"),
    ("uPlot.LICENSE", "LICENSE"),
])  # fmt: skip
def test_the_chart_library_is_the_one_of_the_lock_file(name: str, source: str) -> None:
    assert (ASSETS / name).read_bytes() == (PACKAGES / "uplot" / source).read_bytes()
