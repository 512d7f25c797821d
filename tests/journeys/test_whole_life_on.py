"""A member's life goes on, clicked in the demo: staying for less, another plan, leaving, gifts, money given back."""

import re

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


def test_a_members_life_from_the_offer_to_stay_to_a_dispute(
    page: Page, context: BrowserContext, demo: Demo, chromium: Browser
) -> None:
    life = Life(page, context, demo, somebodys("noelani"))
    join(page, demo, life.address)
    begins(life)
    with somebody(chromium, demo, width=1280) as studio:
        sign_in(studio, "teacher", "/studio")
        stays_for_less(life, studio)
        changes_plan(life)
        gets_a_part_back(life, studio)
        leaves(life, studio)
        gives(life, studio, chromium)
        comes_back(life)
        gets_all_back(life, studio)
        is_disputed(life, studio)


def begins(life: Life) -> None:
    """From the lesson that was wanted to Stripe's page, and back to it."""
    to_checkout(life.page)
    life.page.locator("form[data-checkout] button[value=pay]").click()
    life.page.wait_for_url(f"**{LESSON}*")
    assert_plays(life.page)
    life.account("The next payment is on")


def stays_for_less(life: Life, studio: Page) -> None:
    """Who would cancel is offered less to pay, once; the studio counts it, and the next bill is lower."""
    page = life.page
    page.goto("/account")
    page.get_by_role("link", name="Cancel", exact=True).click()
    expect(page.locator("main")).to_contain_text("stay, and pay 30 % less for the next 3 months")
    assert faults(page) == []
    page.get_by_role("button", name="Stay for less").click()
    page.wait_for_url("**/account?done=less")
    page.goto("/account/cancel")
    assert page.get_by_role("button", name="Stay for less").count() == 0, "it is offered once"
    studio.goto("/studio/money/leaving")
    words = studio.locator("main").inner_text()
    assert re.search(r"\d+ members? (was|were) offered something to stay; [1-9]\d* took it", words), words
    life.later("32 days later")
    life.shows("/account/bills", "$13.30")


def changes_plan(life: Life) -> None:
    """What another plan costs is said before it is paid, to the cent."""
    page = life.page
    page.goto("/account")
    page.get_by_role("link", name="See other plans").click()
    page.get_by_role("link", name=re.compile("See what changes.*Yearly")).click()
    expect(page.locator("main")).to_contain_text("for the rest of the time, less what you have paid already")
    assert faults(page) == []
    pay = page.get_by_role("button", name=re.compile("^Pay .* and change"))
    shown = re.search(r"\$[\d.,]+", pay.inner_text())
    assert shown
    pay.click()
    page.wait_for_url("**/account?done=plan*")
    life.account("Yearly membership")
    life.shows("/account/bills", shown.group(0))


def details(studio: Page, address: str, amount: str) -> None:
    """The page of somebody's newest payment of so much."""
    studio.goto(f"/studio/members?q={address}")
    studio.locator("main tbody tr", has_text=address).get_by_role("link").first.click()
    row = studio.locator("section[aria-labelledby=payments] tbody tr", has_text=amount).first
    row.get_by_role("link", name="Details").click()
    expect(studio.get_by_role("heading", name="Give money back")).to_be_visible()
    assert faults(studio) == []


def give_back(studio: Page, amount: str = "") -> None:
    if amount:
        studio.fill("input[name=amount]", amount)
    studio.get_by_role("button", name="Give it back").click()
    expect(studio.locator("main")).to_contain_text("The money is on its way back.")


def gets_a_part_back(life: Life, studio: Page) -> None:
    """A part of the money goes back, which takes nothing; it is said before."""
    details(studio, life.address, "$1")
    expect(studio.locator("main")).to_contain_text("A part of it: what may be watched stays as it is.")
    give_back(studio, "10")
    life.shows("/account/bills", "$10 given back")
    life.may_watch()


def leaves(life: Life, studio: Page) -> None:
    """One question, one click; what is paid is watched to its end; then the wall."""
    page = life.page
    page.goto("/account")
    page.get_by_role("link", name="Cancel", exact=True).click()
    page.get_by_label("I have reached what I came for").check()
    page.fill("[name=words]", "My hips are quiet now.")
    page.get_by_role("button", name="Cancel, and send this answer").click()
    page.wait_for_url("**/account?done=cancelled")
    life.demo.mail_to(life.address, "cancelled")
    life.account("You have cancelled. You can watch until")
    studio.goto("/studio/money/leaving")
    expect(studio.locator("main")).to_contain_text("My hips are quiet now.")
    assert faults(studio) == []
    life.later("32 days later")
    life.account("You have cancelled. You can watch until")
    life.may_watch()
    life.later("367 days later")
    life.may_watch(can=False)
    expect(page.locator(".wall")).to_contain_text("Your membership has ended. Join again to go on watching.")
    life.demo.mail_to(life.address, "has ended", seconds=PATIENCE_S)


def gives(life: Life, studio: Page, chromium: Browser) -> None:
    """A gift, claimed by a friend who makes an account for it; the studio gives the money back, and it ends."""
    page, demo, keola = life.page, life.demo, somebodys("keola")
    page.goto("/gifts")
    for name, value in (("to_name", "Keola"), ("to_email", keola), ("message", "For your hip.")):
        page.fill(f"[name={name}]", value)
    page.get_by_role("button", name="Go on to pay").click()
    page.wait_for_url("**/c/pay/**")
    page.locator("form[data-checkout] button[value=pay]").click()
    page.wait_for_url("**/account/gifts*")
    expect(page.locator("main")).to_contain_text("Keola")
    life.may_watch(can=False)
    with somebody(chromium, demo) as friend:
        claims(friend, demo, keola)
        demo.mail_to(life.address, "has taken your gift")
        details(studio, life.address, "$49")
        expect(studio.locator("main")).to_contain_text("the gift for Keola ends at once")
        give_back(studio)
        Life(friend, friend.context, demo, keola).may_watch(can=False)
    life.shows("/account/gifts", "the gift is void")


def claims(friend: Page, demo: Demo, address: str) -> None:
    """The mailed link, an account, and the button that makes it theirs."""
    friend.goto(demo.link_to(address, "/gifts/claim", PATIENCE_S))
    expect(friend.locator("main")).to_contain_text("For your hip.")
    assert faults(friend) == []
    friend.get_by_role("link", name="Make an account").click()
    friend.fill("input[name=name]", "Keola")
    friend.fill("input[name=email]", address)
    form = friend.locator("main form", has=friend.locator("input[name=name]"))
    form.get_by_role("button").first.click()
    friend.wait_for_url("**/join/sent?**")
    friend.goto(demo.link_to(address, "/confirm"))
    friend.fill("input[name=password]", "slow and steady hips")
    friend.locator("main form").get_by_role("button").first.click()
    friend.get_by_role("button", name="Take it").click()
    friend.wait_for_url("**/library")
    friend.goto(LESSON)
    assert_plays(friend)


def comes_back(life: Life) -> None:
    """Who was a member before joins again by the wall."""
    life.page.goto(LESSON)
    begins(life)


def gets_all_back(life: Life, studio: Page) -> None:
    """All of a month goes back: said before, and the lessons close until the next payment opens them."""
    details(studio, life.address, "$19")
    expect(studio.locator("main")).to_contain_text("cannot watch the paid lessons any more, at once.")
    expect(studio.locator("main")).to_contain_text("The membership goes on, and is charged again on")
    give_back(studio)
    life.may_watch(can=False)
    expect(life.page.locator(".wall")).to_contain_text("Your last payment was given back")
    life.account("They open again with the next payment")
    life.later("32 days later")
    life.may_watch()


def is_disputed(life: Life, studio: Page) -> None:
    """Her bank asks a payment back: the lessons rest, she and the teacher are told; the teacher wins."""
    life.desk.goto(f"{life.demo.stripe}/")
    row = life.desk.locator("tr", has_text=life.address).filter(has_text="$19")
    row.get_by_role("button", name="Dispute").first.click()
    life.desk.wait_for_load_state()
    life.may_watch(can=False)
    expect(life.page.locator(".wall")).to_contain_text("A payment of yours is disputed.")
    life.account("so the paid lessons rest until your bank has decided")
    studio.goto("/studio")
    studio.get_by_role("link", name="See what is disputed").click()
    expect(studio.get_by_role("heading", name="Disputed")).to_be_visible()
    assert faults(studio) == []
    life.desk.goto(f"{life.demo.stripe}/")
    life.desk.get_by_role("button", name="Won").first.click()
    life.desk.wait_for_load_state()
    life.may_watch()
    life.account("The next payment is on")
