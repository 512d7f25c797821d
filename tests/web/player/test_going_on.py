"""A viewing that goes on: through a renewed token, an ended session, a lost network, and a new signing key."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.test_accessibility import faults
from tests.web.player.stage import MEMBERS, Stage, fill_in, log_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("player-controls")]

BUFFERED = "(({ buffered }) => buffered.end(buffered.length - 1))(document.querySelector('video'))"
ENDED = re.compile("Your session has ended")


def seek(page: Page, second: float) -> None:
    page.evaluate("second => { document.querySelector('video').currentTime = second; }", second)


def shows(page: Page, second: float) -> None:
    """Wait until this moment of the film is on the screen, or one shortly after."""
    page.wait_for_function(
        """second => {
            const { currentTime, readyState, seeking } = document.querySelector("video");
            return !seeking && readyState >= 2 && currentTime >= second - 0.05 && currentTime < second + 8;
        }""",
        arg=second,
    )


def play(page: Page) -> None:
    page.evaluate("() => { const v = document.querySelector('video'); v.muted = true; return v.play(); }")


def tokens(page: Page) -> list[str]:
    """The tokens of the media requests from now on, each once."""
    seen: list[str] = []

    def note(url: str) -> None:
        found = re.search(r"/media/([^/]+)/.*\.(?:m4s|mp4)", url)
        if found and found[1] not in seen:
            seen.append(found[1])

    page.on("request", lambda request: note(request.url))
    return seen


def log_out(context: BrowserContext) -> None:
    """As when it ran out."""
    context.clear_cookies()


def lose_the_session(page: Page, second: float) -> None:
    log_out(page.context)
    page.clock.fast_forward("06:00")
    seek(page, second)
    expect(page.get_by_role("alert")).to_contain_text(ENDED)


def test_a_renewed_token_is_taken_without_a_hiccup(stage: Stage) -> None:
    with stage.page(stage.paid, who=MEMBERS[0], clock=True) as page:
        used = tokens(page)
        play(page)
        shows(page, 1)
        page.wait_for_function(f"() => {BUFFERED} > 40")
        page.wait_for_timeout(1000)  # a token that ends in the same second is the same token
        seam = page.evaluate(f"() => {BUFFERED}")
        with page.expect_response("**/renew") as renewed:
            page.clock.fast_forward("04:00")
            seek(page, 20)
        assert renewed.value.status == 200
        page.wait_for_function(f"seam => {BUFFERED} > seam + 5", arg=seam)
        seek(page, seam - 1)
        shows(page, seam - 1)
        page.evaluate(
            "() => { window.waits = 0; document.querySelector('video').onwaiting = () => window.waits++; }"
        )
        page.wait_for_function("seam => document.querySelector('video').currentTime > seam + 1", arg=seam)
        assert page.evaluate("() => window.waits") == 0
        assert len(used) == 2


def test_who_logs_in_again_comes_back_to_the_same_second(stage: Stage) -> None:
    with stage.page(stage.paid, who=MEMBERS[1], clock=True) as page:
        seek(page, 20)
        shows(page, 20)
        lose_the_session(page, 95.4)
        expect(page.get_by_role("alert")).to_contain_text("the film goes on from 1:35")
        assert faults(page) == []
        # axe knows no contrast over a picture.
        expect(page.get_by_role("button", name="Go on")).to_have_css("color", "rgb(253, 248, 241)")
        page.get_by_role("link", name="Log in").last.click()
        fill_in(page, MEMBERS[1])
        assert page.url.endswith("#t=95.4")
        page.wait_for_selector("[data-player][data-state=ready]")
        shows(page, 95.4)
        assert page.locator(".player-error").count() == 0


@pytest.mark.long
def test_who_logged_in_in_another_tab_just_goes_on(stage: Stage) -> None:
    with stage.page(stage.paid, who=MEMBERS[2], clock=True) as page:
        page.evaluate("() => { window.sameDocument = true; }")
        play(page)
        shows(page, 1)
        lose_the_session(page, 95)
        again = page.get_by_role("button", name="Go on")
        again.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("You are not logged in yet.")
        other = page.context.new_page()
        log_in(other, MEMBERS[2])
        page.bring_to_front()
        again.click()
        expect(page.locator("[data-player-says]")).to_have_text("Going on from 1:35.")
        shows(page, 95)
        page.wait_for_function("() => document.querySelector('video').currentTime > 95.5")
        assert page.evaluate("() => window.sameDocument")
        assert page.locator(".player-error").count() == 0


def test_a_lost_network_is_told_and_costs_no_place(stage: Stage) -> None:
    with stage.page() as page:
        says = page.locator("[data-player-says]")
        page.context.set_offline(True)
        seek(page, 90)
        expect(says).to_have_text("The connection is away. Trying again.")
        page.context.set_offline(False)
        shows(page, 90)
        expect(says).to_have_text("The connection is back.")


@pytest.mark.long
def test_a_page_that_was_opened_without_a_network_starts_by_itself_later(stage: Stage) -> None:
    with stage.page() as page:
        page.route("**/playback", lambda route: route.abort())
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("The connection is away. Trying again.")
        page.unroute("**/playback")
        page.wait_for_selector("[data-player][data-state=ready]")
        expect(page.get_by_role("alert")).to_have_count(0)
