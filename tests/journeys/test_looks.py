"""What only a browser can tell of a page's look: the head's menu and links, and the dark that comes while one reads."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Demo, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

TOPS = "all => [...new Set(all.map(one => Math.round(one.getBoundingClientRect().top)))]"


@pytest.fixture(params=[True, False], ids=["with scripts", "without"])
def reader(request: pytest.FixtureRequest, chromium: Browser, demo: Demo) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=demo.site, viewport={"width": 390, "height": 844}, java_script_enabled=request.param
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_escape_closes_the_heads_menu_and_gives_the_focus_back(reader: Page, width: int) -> None:
    reader.set_viewport_size({"width": width, "height": 844})
    reader.goto("/articles")
    button = reader.locator(".site-nav").get_by_role("button", name="Body")
    menu = reader.locator(".menu-below")
    expect(menu).to_be_hidden()
    button.focus()
    reader.keyboard.press("Enter")
    expect(menu).to_be_visible()
    reader.keyboard.press("Tab")
    expect(menu.get_by_role("link").first).to_be_focused()
    reader.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    # Below its line, within the page, and shut by a press elsewhere.
    at, below = button.bounding_box(), menu.bounding_box()
    assert at
    assert below
    assert at["y"] + at["height"] - 2 <= below["y"] <= at["y"] + at["height"] + 24
    assert below["x"] >= 0
    assert below["x"] + below["width"] <= width
    reader.mouse.click(width / 2, 700)
    expect(menu).to_be_hidden()


@pytest.mark.parametrize("width", [360, 390])
def test_a_members_links_stand_in_one_line_with_the_sites(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    sign_in(page, "visitor", "/account")
    lines = page.locator(".site-nav > ul > li")
    assert lines.count() == 6
    assert len(lines.evaluate_all(TOPS)) == 1


def test_what_to_search_for_fits_into_its_field_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/search", "/nothing-here"):
        page.goto(path)
        field = page.locator("main input[name=q]")
        field.fill(field.get_attribute("placeholder") or "")
        assert field.evaluate("one => one.scrollWidth <= one.clientWidth"), path


def test_fields_beside_each_other_stay_in_line_whatever_is_said_above_them(page: Page) -> None:
    page.goto("/articles/hip-pain-from-running")
    page.locator("#respond").get_by_label("E-mail *").fill("not an address")
    page.locator("#respond").get_by_role("button", name="Post response").click()
    expect(page.locator("#respond .field-error")).to_have_count(3)
    assert len(page.locator("#respond .form-row input").evaluate_all(TOPS)) == 1


def test_chapters_and_transcript_share_the_line_between_them(page: Page) -> None:
    page.goto("/courses/lower-body/hamstring-strap")
    chapters, transcript = page.locator(".jump-list"), page.locator(".transcript > summary").first
    above, below = chapters.bounding_box(), transcript.bounding_box()
    assert above
    assert below
    assert below["y"] - (above["y"] + above["height"]) < 1
    assert transcript.evaluate("one => getComputedStyle(one).borderTopWidth") == "0px"


def test_the_dark_comes_at_once_where_motion_is_reduced(page: Page) -> None:
    """Words in the old ink on the new ground could not be read, however short that is."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto("/articles/hip-pain-from-running")
    page.evaluate(
        "document.addEventListener('transitionrun', () => { window.moved = (window.moved || 0) + 1; }, true)"
    )
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.wait_for_timeout(300)
    assert page.evaluate("window.moved || 0") == 0
