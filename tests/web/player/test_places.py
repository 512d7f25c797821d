"""The player and the server about one viewing: kept while the network is away, stopped from elsewhere."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.player.stage import MEMBERS, Stage
from tests.web.player.test_going_on import play, seek, shows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("player-controls")]

KEPT = "() => Object.keys(localStorage).filter(key => key.startsWith('limber:unsaved:')).length"


def _resumed(page: Page) -> float:
    return float(page.evaluate("() => document.querySelector('video').currentTime"))


def test_what_was_watched_without_a_network_is_where_another_device_goes_on(stage: Stage) -> None:
    with stage.page(stage.paid, who=MEMBERS[6]) as phone:
        play(phone)
        shows(phone, 1)
        phone.wait_for_function(f"() => ({KEPT})() === 0")
        phone.context.set_offline(True)
        seek(phone, 12)
        phone.wait_for_function(f"() => ({KEPT})() === 1")
        phone.evaluate("() => document.querySelector('video').pause()")
        left_at = _resumed(phone)
        phone.context.set_offline(False)
        phone.wait_for_function(f"() => ({KEPT})() === 0")
        with stage.page(stage.paid, who=MEMBERS[6]) as laptop:
            assert abs(_resumed(laptop) - left_at) < 5


@pytest.mark.long
def test_a_page_that_lost_its_network_for_good_tells_it_before_the_next_viewing(stage: Stage) -> None:
    with stage.page(stage.paid, who=MEMBERS[8]) as page:
        play(page)
        shows(page, 1)
        page.context.set_offline(True)
        seek(page, 20)
        page.wait_for_function(f"() => ({KEPT})() === 1")
        page.evaluate("() => document.querySelector('video').pause()")
        # Not even the event of the network's return reaches the page.
        page.add_init_script("window.addEventListener('online', e => e.stopImmediatePropagation(), true)")
        page.context.set_offline(False)
        page.reload()
        page.wait_for_selector("[data-player][data-state=ready]")
        assert abs(_resumed(page) - 20) < 5


def test_a_film_that_is_stopped_from_another_device_says_so(stage: Stage) -> None:
    with stage.page(stage.paid, who=MEMBERS[9]) as television:
        play(television)
        shows(television, 1)
        with stage.page(stage.paid, who=MEMBERS[9]) as phone:
            phone.goto("/account/streams")
            expect(phone.get_by_role("heading", name="Playing now")).to_be_visible()
            phone.get_by_role("button", name=re.compile("^Stop")).first.click()
            expect(phone.get_by_role("status")).to_contain_text("That film is stopped.")
        expect(television.get_by_role("alert")).to_contain_text("stopped from another device", timeout=12_000)
