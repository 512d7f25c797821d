"""A member's bank refuses: the mail, its link without signing in, a new card, and everything goes on at once."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Demo, somebodys
from tests.journeys.test_accessibility import faults
from tests.journeys.test_buying import LESSON, join, to_checkout

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]


@pytest.fixture
def keeps_unpaid(demo: Demo) -> Iterator[None]:
    """Stripe's account is set to keep what was never paid, so that paying late brings it back."""

    with httpx.Client(trust_env=False, verify=False, follow_redirects=True) as desk:
        desk.post(f"{demo.stripe}/sandbox/retries", data={"then": "unpaid"}).raise_for_status()
        yield
        desk.post(f"{demo.stripe}/sandbox/retries", data={"then": "cancel"}).raise_for_status()


def test_a_declined_member_gives_a_new_card_by_the_mail_and_watches_at_once(
    page: Page, demo: Demo, chromium: Browser, keeps_unpaid: None
) -> None:
    address = somebodys("kai")
    join(page, demo, address)
    to_checkout(page)
    page.fill("input[name=card_number]", "4000 0000 0000 0341")
    page.get_by_role("button").first.click()
    page.wait_for_url(f"**{LESSON}*")

    demo.let_pass(days=32)
    first = demo.mail_to(address, "did not go through")
    assert "/billing/card?token=" in first["text"]
    page.goto("/library")
    banner = page.get_by_role("complementary", name="Payment")
    expect(banner).to_contain_text("You can watch until")
    assert faults(page) == []
    page.goto(LESSON)
    assert page.locator("[data-player]").count() == 1, "the grace period"

    demo.let_pass(days=15)
    demo.mail_to(address, "paid lessons rest")
    page.goto(LESSON)
    assert page.locator("[data-player]").count() == 0, "access has stopped"
    expect(page.get_by_role("complementary", name="Payment")).to_contain_text("rests until it is paid")

    link = demo.link_to(address, "/billing/card")
    elsewhere = chromium.new_context(base_url=demo.site)
    phone = elsewhere.new_page()
    phone.goto(link)
    expect(phone.get_by_role("link", name="Log in")).to_be_visible()
    assert faults(phone) == []
    phone.get_by_role("button", name="Go to the card form").click()
    phone.wait_for_url("**/flow/payment_method_update")
    assert phone.get_by_role("button").count() == 1, "a form for a card, and nothing else"
    phone.get_by_role("button", name="Update card").click()
    phone.wait_for_url("**/billing/card/done*")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you, all is well")
    assert faults(phone) == []
    elsewhere.close()

    page.goto(LESSON)
    assert page.locator("[data-player]").count() == 1, "at once"
    assert page.get_by_role("complementary", name="Payment").count() == 0
    demo.mail_to(address, "payment has arrived")
