"""Every kind of page: no axe violation (WCAG 2.2 AA), nothing wider than the screen, no foreign request,
nothing that the security policy refuses."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
# One of each kind that most people meet.
FEW = {
    "anonymous": (
        "/",
        "/articles/hip-pain-from-running",
        "/courses/lower-body",
        "/courses/lower-body/deep-rotators",
        "/login",
        "/plans",
        "/contact",
        "/search?q=pirifomis",
    ),
    "member": ("/account", "/account/streams", "/courses/lower-body/gluteals"),
    "teacher": ("/studio", "/studio/articles/new", "/studio/videos", "/studio/money"),
}
# Everything else that has an address of its own, in the long runs: states that a link or a habit leads to, and errors.
MORE = {
    "anonymous": (
        "/articles/why-two-seconds",
        "/articles/hip-pain-from-running?reply=nobody",
        "/conditions",
        "/muscles/piriformis",
        "/body?region=head",
        "/gifts",
        "/search",
        "/search?q=hip",
        "/login?next=%2Fcourses%2Flower-body%2Fhip-flexor",
        "/join/sent",
        "/forgot/sent",
        "/contact/sent",
        "/plans?next=%2Fcourses%2Flower-body%2Fhip-flexor",
        "/account/deleted",
        "/change-email/done",
        "/confirm?token=x",
        "/reset?token=x",
        "/change-email?token=x",
        "/drafts?token=x",
        "/waiting/confirm?token=x",
        "/waiting/end?token=x",
        "/responses/follow?token=x",
        "/responses/unfollow?token=x",
        "/gifts/claim?token=x",
        "/billing/card?token=x",
        "/studio",
    ),
    "member": (
        "/",
        "/gifts",
        "/courses/lower-body",
        "/articles/what-sitting-does-to-your-hips",
        "/account/name",
        "/account/email",
        "/account/password",
        "/account/plan",
        "/account/plan/yearly",
        "/account/pause",
        "/account/gifts",
        "/account/delete",
        "/billing/cancelled",
        "/studio",
    ),
    "teacher": (
        "/studio/import",
        "/studio/members/sharing",
        "/studio/money/rehearsal",
        "/studio/messages?state=handled",
        "/studio/articles/new?page=1",
        "/studio/body/new?kind=condition",
        "/studio/look/preview",
        "/studio/settings/locations/new",
        "/studio/articles/00000000-0000-0000-0000-000000000000",
    ),
}
# What tells one thing of a kind from the next in the studio's addresses.
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|ch_\w+")
IS_DARK = "matchMedia('(prefers-color-scheme: dark)').matches"
RUN = "only => axe.run(document, {runOnly: only, resultTypes: ['violations']})"
ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def faults(page: Page, *, in_both_lights: bool = False) -> list[str]:
    """What axe finds, one line each; `in_both_lights`: of colours too in the light that the page is not in.

    (Only where nothing moves: buttons take a moment to change their colours.)
    """
    page.evaluate(AXE.read_text("utf-8") + "\n;undefined")
    lines = []
    own: Any
    other: Any
    own, other = ("dark", "light") if page.evaluate(IS_DARK) else ("light", "dark")
    looks: list[tuple[Any, Any]] = [(own, ALL_RULES)]
    if in_both_lights:
        looks.append((other, {"type": "rule", "values": ["color-contrast"]}))
    for scheme, only in looks:
        page.emulate_media(color_scheme=scheme)
        found: dict[str, Any] = page.evaluate(RUN, only)
        lines += [
            f"{page.url} ({scheme}): {violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]
    page.emulate_media(color_scheme=own)
    return lines


def found_inside(page: Page, kinds: set[str]) -> list[str]:
    """The studio's pages about one article, film or member that this page links to: the first of each kind."""
    links: list[str] = page.eval_on_selector_all(
        ".studio-main a[href^='/studio/']", "all => all.map(one => one.getAttribute('href').split('#')[0])"
    )
    new = []
    for link in links:
        kind = ID.sub("#", link)
        if "#" in kind and kind not in kinds and not link.endswith(".txt"):
            kinds.add(kind)
            new.append(link)
    return new


def visit(context: BrowserContext, who: str, site: str, paths: Sequence[str], *, inside: bool) -> list[str]:
    """What is wrong on these pages; `inside`: and on the pages of the studio that they lead to."""
    page = context.new_page()
    strangers: list[str] = []
    page.on(
        "request", lambda request: strangers.append(request.url) if not is_ours(request.url, site) else None
    )
    refused: list[str] = []
    page.on(
        "console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None
    )
    if who != "anonymous":
        sign_in(page, who)
    complaints: list[str] = []
    kinds: set[str] = set()
    todo = deque(paths)
    while todo:
        path = todo.popleft()
        page.goto(path)
        page.wait_for_timeout(150)
        complaints += [f"{path}: {words}" for words in refused]
        complaints += faults(page, in_both_lights=True)
        # What the checker itself tries is not the page's.
        refused.clear()
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > page.viewport_size["width"]:  # type: ignore[index]  # the contexts below all have a size
            complaints.append(f"{path} is {width} px wide")
        if inside:
            todo.extend(found_inside(page, kinds))
    if inside:
        assert len(kinds) >= 15, "the studio has more kinds of pages than these"
    return complaints + [f"a request to {url}" for url in strangers]


@contextmanager
def opened(chromium: Browser, demo: Demo, width: int) -> Iterator[BrowserContext]:
    context = chromium.new_context(
        base_url=demo.site, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    try:
        yield context
    finally:
        context.close()


def is_ours(url: str, site: str) -> bool:
    return url.startswith((site, "data:", "blob:"))


@pytest.mark.parametrize("who", list(PAGES))
def test_the_pages_most_seen_are_for_everybody(chromium: Browser, demo: Demo, who: str) -> None:
    with opened(chromium, demo, 320) as context:
        assert visit(context, who, demo.site, FEW[who], inside=False) == []


@pytest.mark.long
@pytest.mark.parametrize("who", list(PAGES))
@pytest.mark.parametrize(("width", "all_of_them"), [(320, False), (390, True), (1280, True)])
def test_pages_are_for_everybody(
    chromium: Browser, demo: Demo, who: str, width: int, all_of_them: bool
) -> None:
    paths = (*PAGES[who], *MORE[who]) if all_of_them else PAGES[who]
    with opened(chromium, demo, width) as context:
        assert visit(context, who, demo.site, paths, inside=all_of_them and who == "teacher") == []


def test_what_a_finger_presses_is_large_enough(page: Page) -> None:
    """Links that stand by themselves and every button: 44 px high on a phone (WCAG 2.2's own floor is 24)."""
    page.set_viewport_size({"width": 390, "height": 844})
    alone = ".search-link, .site-nav a, .contents a, .tel, .footer-links a, .response-actions a, main .btn, main .input"
    for path in ("/articles/hip-pain-from-running", "/login", "/account/deleted"):
        page.goto(path)
        small: list[str] = page.eval_on_selector_all(
            alone,
            "all => all.filter(one => one.offsetHeight && one.getBoundingClientRect().height < 43.5)"
            ".map(one => one.outerHTML)",
        )
        assert small == [], path


def test_an_article_has_one_small_script_and_its_worker_only_for_who_writes(page: Page) -> None:
    scripts: list[str] = []
    page.on(
        "request", lambda request: scripts.append(request.url) if request.resource_type == "script" else None
    )
    page.goto("/articles/hip-pain-from-running")
    page.wait_for_load_state("networkidle")
    assert [url.rpartition("/")[2].partition(".")[0] for url in scripts] == ["forms"]


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
