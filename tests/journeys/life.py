"""A member's life in the demo: their browser, the page on which the stand-in's clock moves, and other people's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import Demo
from tests.journeys.test_accessibility import faults
from tests.journeys.test_buying import LESSON

PATIENCE_S = 60


@contextmanager
def somebody(chromium: Browser, demo: Demo, width: int = 390) -> Iterator[Page]:
    """A browser of somebody else's; a phone, unless it is wider."""
    context = chromium.new_context(base_url=demo.site, viewport={"width": width, "height": 844})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


class Life:
    """One member's browser and address, and the page on which the stand-in's clock is moved."""

    def __init__(self, page: Page, context: BrowserContext, demo: Demo, address: str) -> None:
        self.page, self.demo, self.address = page, demo, address
        self.desk = context.new_page()
        # A year that passes for everybody in the demo takes the stand-in a while.
        self.desk.set_default_timeout(PATIENCE_S * 1000)

    def later(self, *words: str) -> None:
        """Press a button of the stand-in's clock for each."""
        for one in words:
            self.desk.goto(f"{self.demo.stripe}/")
            self.desk.get_by_role("button", name=one, exact=True).click()
            self.desk.wait_for_load_state()

    def account(self, words: str) -> None:
        """The account says so, as soon as Stripe's events have arrived; and it is for everybody."""
        self.shows("/account", words)
        assert faults(self.page) == []

    def shows(self, path: str, words: str) -> None:
        """Look until it says so."""
        deadline = time.monotonic() + PATIENCE_S
        self.page.goto(path)
        while words not in self.page.locator("main").inner_text() and time.monotonic() < deadline:
            time.sleep(0.5)
            self.page.goto(path)
        expect(self.page.locator("main")).to_contain_text(words)

    def may_watch(self, *, can: bool = True) -> None:
        """Look until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        self.page.goto(LESSON)
        while (self.page.locator("[data-player]").count() == 1) != can and time.monotonic() < deadline:
            time.sleep(0.5)
            self.page.goto(LESSON)
        assert self.page.locator("[data-player]").count() == int(can)

    def paid(self) -> int:
        """How many bills of a month are paid."""
        self.page.goto("/account/bills")
        return self.page.locator("main tbody tr", has_text="$19").filter(has_text="Paid").count()

    def new_card(self, number: str) -> None:
        """By the account page and Stripe's form."""
        self.page.goto("/account")
        self.page.get_by_role("button", name="Change my card").click()
        self.page.wait_for_url("**/flow/payment_method_update")
        self.page.fill("input[name=card_number]", number)
        self.page.get_by_role("button", name="Update card").click()
        self.page.wait_for_url("**/account")
