"""Every kind of page: no axe violation (WCAG 2.2 AA), nothing wider than the screen, no foreign request."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.journeys.conftest import Demo, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

AXE = Path(__file__).resolve().parent.parent.parent / "node_modules/axe-core/axe.min.js"
PAGES = {
    "anonymous": (
        "/",
        "/articles",
        "/articles/hip-pain-from-running",
        "/articles/what-sitting-does-to-your-hips",
        "/series/running-without-hip-pain",
        "/coming",
        "/coming/neck-at-the-desk",
        "/courses",
        "/courses/lower-body",
        "/courses/lower-body/deep-rotators",
        "/courses/lower-body/hamstring-strap",
        "/courses/lower-body/the-six-rotators-seated",
        "/login",
        "/join",
        "/forgot",
        "/plans",
        "/contact",
        "/body",
        "/body?region=seat",
        "/muscles",
        "/conditions/sciatica",
        "/search?q=pirifomis",
        "/search?q=zeppelin",
        "/library",
        "/articles/tag/running",
        "/about",
        "/privacy",
        "/imprint",
        "/nothing-here",
        "/articles/nothing-here",
    ),
    "member": (
        "/library",
        "/account",
        "/account/cancel",
        "/account/bills",
        "/account/streams",
        "/courses/lower-body/gluteals",
        "/plans",
    ),
    "teacher": (
        "/studio",
        "/studio/articles",
        "/studio/articles/new",
        "/studio/responses",
        "/studio/responses/bans",
        "/studio/series",
        "/studio/series/new",
        "/studio/waiting",
        "/studio/waiting/new",
        "/studio/messages",
        "/studio/courses",
        "/studio/courses/new",
        "/studio/videos",
        "/studio/plans",
        "/studio/plans/new",
        "/studio/money",
        "/studio/money/leaving",
        "/studio/money/articles",
        "/studio/body",
        "/studio/body/new",
        "/studio/members",
        "/studio/activity",
        "/studio/settings",
        "/studio/pages",
        "/studio/look",
    ),
}
RUN = """() => axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
})"""


def faults(page: Page) -> list[str]:
    """What axe finds, one line each."""
    page.evaluate(AXE.read_text("utf-8") + "\n;undefined")
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        f"{page.url}: {violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def visit(context: BrowserContext, who: str, site: str) -> list[str]:
    page = context.new_page()
    strangers: list[str] = []
    page.on(
        "request", lambda request: strangers.append(request.url) if not is_ours(request.url, site) else None
    )
    if who != "anonymous":
        sign_in(page, who)
    complaints: list[str] = []
    for path in PAGES[who]:
        page.goto(path)
        page.wait_for_timeout(150)
        complaints += faults(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > page.viewport_size["width"]:  # type: ignore[index]  # the contexts below all have a size
            complaints.append(f"{path} is {width} px wide")
    return complaints + [f"a request to {url}" for url in strangers]


def is_ours(url: str, site: str) -> bool:
    return url.startswith((site, "data:", "blob:"))


@pytest.mark.parametrize("who", list(PAGES))
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "dark"),
        pytest.param(1280, "light", marks=pytest.mark.long),
        pytest.param(320, "light", marks=pytest.mark.long),
        pytest.param(390, "light", marks=pytest.mark.long),
        pytest.param(390, "dark", marks=pytest.mark.long),
        pytest.param(1280, "dark", marks=pytest.mark.long),
    ],
)
def test_pages_are_for_everybody(chromium: Browser, demo: Demo, who: str, width: int, scheme: Any) -> None:
    context = chromium.new_context(
        base_url=demo.site,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    try:
        assert visit(context, who, demo.site) == []
    finally:
        context.close()


def test_an_article_has_one_small_script_and_its_worker_only_for_who_writes(page: Page) -> None:
    scripts: list[str] = []
    page.on(
        "request", lambda request: scripts.append(request.url) if request.resource_type == "script" else None
    )
    page.goto("/articles/hip-pain-from-running")
    page.wait_for_load_state("networkidle")
    assert [url.rpartition("/")[2].partition(".")[0] for url in scripts] == ["respond"]


def test_an_article_weighs_little_and_asks_nobody_else(page: Page, demo: Demo) -> None:
    """Compressed, as they come over the line: at most 15 KB of scripts and 25 KB of styles (issue 6)."""
    weights = {"script": 0, "stylesheet": 0}
    strangers: list[str] = []

    def weigh(request: Request) -> None:
        if not is_ours(request.url, demo.site):
            strangers.append(request.url)
        if request.resource_type in weights:
            weights[request.resource_type] += request.sizes()["responseBodySize"]

    page.on("requestfinished", weigh)
    page.goto("/articles/hip-pain-from-running")
    page.wait_for_load_state("networkidle")
    assert strangers == []
    assert weights["script"] <= 15_000
    assert 0 < weights["stylesheet"] <= 25_000


def test_nothing_moves_while_an_article_loads(page: Page) -> None:
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => { for (const entry of list.getEntries())"
        " if (!entry.hadRecentInput) window.shift += entry.value; }).observe({type: 'layout-shift', buffered: true});"
    )
    page.goto("/articles/hip-pain-from-running")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    assert page.evaluate("window.shift") < 0.02
