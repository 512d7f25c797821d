"""A guest becomes known: held twice, and from the third response on shown at once, without being asked anything."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import Demo, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo"), pytest.mark.long]


def write(page: Page, body: str) -> None:
    page.goto("/articles/why-two-seconds")
    page.fill("input[name=name]", "Pua")
    page.fill("input[name=email]", "pua@example.org")
    page.fill("textarea[name=body]", body)
    # Nobody writes faster than two seconds.
    page.wait_for_timeout(2200)
    page.get_by_role("button", name="Post response").click()
    page.wait_for_url(lambda url: "held=1" in url or "#response-" in url)


def test_the_third_response_of_a_guest_is_on_the_page_at_once(
    page: Page, context: BrowserContext, chromium: Browser, demo: Demo
) -> None:
    staff = chromium.new_context(base_url=demo.site)
    try:
        studio = staff.new_page()
        sign_in(studio, "teacher", "/studio/responses")
        for body in ("The first one of Pua.", "The second one of Pua."):
            write(page, body)
            assert "held=1" in page.url
            studio.goto("/studio/responses")
            studio.locator("li.queue-item", has_text=body).get_by_role("button", name="Approve").click()
            expect(studio.get_by_text("1 response approved.")).to_be_visible()
        write(page, "The third one of Pua.")
        assert "#response-" in page.url
        expect(page.get_by_text("The third one of Pua.")).to_be_visible()
        without_script = chromium.new_context(
            base_url=demo.site, java_script_enabled=False, storage_state=context.storage_state()
        )
        plain = without_script.new_page()
        write(plain, "The fourth one of Pua, without JavaScript.")
        assert "held=1" in plain.url
        expect(plain.get_by_text("Only you see this until").first).to_be_visible()
        without_script.close()
    finally:
        staff.close()
