"""From a stranger at the wall to a paying member, and back to the wall when the paid time is over."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Demo, assert_plays, sign_in, somebodys

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

SENTENCE = "Please log in to watch the paid videos."
LESSON = "/courses/lower-body/deep-rotators"


def join(page: Page, demo: Demo, address: str) -> None:
    """Join from the wall, and confirm by the mail's link."""
    page.goto(LESSON)
    expect(page.get_by_text(SENTENCE)).to_be_visible()
    page.locator(".wall").get_by_role("link", name="Log in").click()
    page.get_by_role("link", name="Join").first.click()
    page.fill("input[name=name]", "Leilani Journey")
    page.fill("input[name=email]", address)
    page.locator("main form", has=page.locator("input[name=name]")).get_by_role("button").first.click()
    page.wait_for_url("**/join/sent?**")
    page.goto(demo.link_to(address, "/confirm"))
    page.fill("input[name=password]", "slow and steady hips")
    page.locator("main form").get_by_role("button").first.click()
    page.wait_for_url(f"**{LESSON}")


def to_checkout(page: Page) -> None:
    """From the lesson's offer to Stripe's page."""
    page.locator(".wall").get_by_role("link").first.click()
    page.locator("form[action='/checkout']").first.get_by_role("button").click()
    page.wait_for_url("**/c/pay/**")


def test_anonymous_joins_pays_watches_cancels_and_meets_the_wall_again(page: Page, demo: Demo) -> None:
    join(page, demo, somebodys("leilani"))
    assert page.locator("[data-player]").count() == 0
    to_checkout(page)
    page.get_by_role("button").first.click()
    page.wait_for_url(f"**{LESSON}*")
    assert page.locator("[data-lesson-id]").count() == 1
    assert_plays(page)

    page.goto("/account")
    page.locator("form[action='/account/portal']").get_by_role("button").first.click()
    page.wait_for_url("**/p/session/**")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("link", name="Return").first.click()
    page.wait_for_url("**/account*")
    expect(page.locator("main")).to_contain_text("You have cancelled")
    page.goto(LESSON)
    assert page.locator("[data-player]").count() == 1, "what is paid for stays until its end"

    demo.let_pass(days=32)
    deadline = time.monotonic() + 30
    while page.locator("[data-player]").count() and time.monotonic() < deadline:
        time.sleep(0.5)
        page.goto(LESSON)
    assert page.locator("[data-player]").count() == 0
    expect(page.locator(".wall")).to_be_visible()


def test_a_declined_card_says_so_and_a_second_one_works(page: Page, demo: Demo) -> None:
    join(page, demo, somebodys("keanu"))
    to_checkout(page)
    page.fill("input[name=card_number]", "4000 0000 0000 0002")
    page.get_by_role("button").first.click()
    expect(page.get_by_text("Your card was declined.")).to_be_visible()
    page.goto(demo.site + LESSON)
    assert page.locator("[data-player]").count() == 0
    to_checkout(page)
    page.get_by_role("button").first.click()
    page.wait_for_url(f"**{LESSON}*")
    assert page.locator("[data-player]").count() == 1


def test_a_visitor_with_an_account_is_offered_the_membership(page: Page) -> None:
    sign_in(page, "visitor", LESSON)
    page.wait_for_url(f"**{LESSON}")
    wall = page.locator(".wall")
    expect(wall).to_be_visible()
    assert SENTENCE not in wall.inner_text()
    assert page.locator("[data-player]").count() == 0
