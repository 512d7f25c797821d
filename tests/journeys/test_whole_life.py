"""A member's life, from the trial to the rest, clicked in the demo; its clock moves on the stand-in's page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import Demo, assert_plays, sign_in, somebodys
from tests.journeys.life import PATIENCE_S, Life, somebody
from tests.journeys.test_accessibility import faults
from tests.journeys.test_buying import LESSON, join, to_checkout

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("demo"),
    pytest.mark.long,
    # A machine with other work takes its time, and every step has its own patience.
    pytest.mark.timeout(900),
]

GOOD, FAILS_LATER = "4242 4242 4242 4242", "4000 0000 0000 0341"


@pytest.fixture
def trial(chromium: Browser, demo: Demo) -> Iterator[None]:
    """The teacher gives seven free days with the monthly membership, and takes them away again."""
    with somebody(chromium, demo) as studio:
        sign_in(studio, "teacher", "/studio/plans")
        for days in ("7", "0"):
            studio.goto("/studio/plans")
            studio.locator("main").get_by_role("link", name="Monthly membership").first.click()
            studio.fill("input[name=trial_days]", days)
            assert faults(studio) == []
            studio.get_by_role("button", name="Save").click()
            studio.wait_for_url("**/studio/plans?did=edit")
            if days == "7":
                yield


def test_a_members_life_from_the_trial_to_the_rest(
    page: Page, context: BrowserContext, demo: Demo, chromium: Browser, trial: None
) -> None:
    life = Life(page, context, demo, somebodys("nalani"))
    join(page, demo, life.address)
    expect(page.locator(".wall")).to_contain_text("Try 7 days free")
    begins(life)
    renews(life)
    is_declined(life, chromium)
    rests(life)


def begins(life: Life) -> None:
    """A trial, by Stripe's page, and watching at once."""
    page = life.page
    to_checkout(page)
    expect(page.locator("body")).to_contain_text("7 days free")
    page.get_by_role("button").first.click()
    page.wait_for_url(f"**{LESSON}*")
    assert_plays(page)
    life.account("You are trying it out. The first payment is on")
    life.demo.mail_to(life.address, "Your membership has begun")


def renews(life: Life) -> None:
    """Three days before the trial ends a mail says what it will cost; then each month is charged."""
    life.later(*["A day later"] * 5)
    mail = life.demo.mail_to(life.address, "Your trial ends", seconds=PATIENCE_S)
    assert "$19 is charged for the first time" in mail["text"]
    life.later("A week later")
    life.account("The next payment is on")
    assert life.paid() == 1
    life.later("32 days later")
    life.may_watch()
    assert life.paid() == 2
    life.page.get_by_role("link", name=re.compile("^Bill")).first.click()
    expect(life.page.locator("body")).to_contain_text("$19")


def is_declined(life: Life, chromium: Browser) -> None:
    """A banner, a mail, its link on another device without signing in, and all is well."""
    page, demo = life.page, life.demo
    life.new_card(FAILS_LATER)
    life.later("32 days later")
    life.account("try it; else give another one above")
    banner = page.get_by_role("complementary", name="Payment")
    expect(banner).to_contain_text("The last payment did not go through. You can watch until")
    life.may_watch()
    assert "/billing/card?token=" in demo.mail_to(life.address, "did not go through")["text"]
    with somebody(chromium, demo) as phone:
        phone.goto(demo.link_to(life.address, "/billing/card"))
        phone.get_by_role("button", name="Go to the card form").click()
        phone.fill("input[name=card_number]", GOOD)
        phone.get_by_role("button", name="Update card").click()
        phone.wait_for_url("**/billing/card/done*")
        expect(phone.get_by_role("link", name="Log in")).to_be_visible()
        pay = phone.get_by_role("button", name=re.compile("^Pay"))
        if pay.count():
            pay.click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you, all is well")
    demo.mail_to(life.address, "payment has arrived")
    life.account("The next payment is on")
    assert page.get_by_role("complementary", name="Payment").count() == 0
    assert life.paid() == 3


def rests(life: Life) -> None:
    """A pause: nothing is charged, and going on early is one click."""
    page = life.page
    page.goto("/account")
    page.get_by_role("link", name="Pause", exact=True).click()
    page.get_by_role("button", name="Pause").click()
    page.wait_for_url("**/account?done=paused")
    life.account("You have paused")
    life.demo.mail_to(life.address, "membership rests")
    life.later("32 days later")
    assert life.paid() == 3
    page.goto("/account")
    page.get_by_role("button", name=re.compile("End the pause|Go on now")).click()
    page.wait_for_url("**/account?done=resumed")
    life.account("The next payment is on")
    life.may_watch()
