"""What one can do in the player, by keyboard and by pointer: said aloud, remembered, without an axe violation."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.test_accessibility import faults
from tests.web.player.stage import MEMBERS, Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("player-controls")]

NOTHING_CUT = """() => {
    const stage = document.querySelector("[data-stage]").getBoundingClientRect();
    return [...document.querySelectorAll(".bar-buttons > *, .bar-time > *, .player-large button")]
        .filter((one) => one.checkVisibility())
        .map((one) => [one.localName, one.getBoundingClientRect()])
        .filter(([, { left, right }]) => left < stage.left - 1 || right > stage.right + 1)
        .map(([name]) => name);
}"""


def nothing_is_cut(page: Page) -> None:
    """Once the player knows what this browser offers: until then a slow machine shows the buttons of everything."""
    page.wait_for_function(f"() => ({NOTHING_CUT})().length === 0")


def at(page: Page) -> float:
    return float(page.evaluate("() => document.querySelector('video').currentTime"))


def go_to(page: Page, second: float) -> None:
    page.evaluate("second => (document.querySelector('video').currentTime = second)", second)
    page.wait_for_function("() => !document.querySelector('video').seeking")


def play(page: Page) -> None:
    page.evaluate("() => { const v = document.querySelector('video'); v.muted = true; return v.play(); }")


def is_(page: Page, condition: str) -> None:
    """Wait until this holds of the `video`."""
    page.wait_for_function(f"() => {{ const video = document.querySelector('video'); return {condition}; }}")


def says(page: Page) -> Locator:
    return page.locator("[data-player-says]")


def test_each_key_does_what_the_list_says(stage: Stage) -> None:
    with stage.page(width=1280) as page:
        keys = page.keyboard
        keys.press("k")
        is_(page, "!video.paused")
        keys.press("Space")
        is_(page, "video.paused")
        keys.press("5")
        is_(page, "video.currentTime === 60")
        for key, second in (
            ("ArrowRight", 65),
            ("l", 75),
            ("j", 65),
            ("ArrowLeft", 60),
            ("9", 108),
            ("0", 0),
        ):
            keys.press(key)
            is_(page, f"video.currentTime === {second}")
        keys.press("m")
        is_(page, "video.muted")
        expect(says(page)).to_have_text("The sound is off.")
        keys.press("m")
        is_(page, "!video.muted")
        keys.press(">")
        is_(page, "video.playbackRate === 1.25")
        expect(says(page)).to_have_text("Speed 1.25×")
        keys.press("<")
        keys.press("<")
        is_(page, "video.playbackRate === 0.75")
        keys.press("c")
        is_(page, "[...video.textTracks].some((t) => t.kind !== 'chapters' && t.mode === 'showing')")
        expect(says(page)).to_have_text("Captions are on.")
        keys.press("f")
        page.wait_for_function("() => document.fullscreenElement?.id === 'player'")
        keys.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("button", name="Close").click()
        keys.press("f")
        page.wait_for_function("() => !document.fullscreenElement")


def test_up_and_down_are_the_sound_inside_the_player_and_the_page_elsewhere(stage: Stage) -> None:
    with stage.page(width=1280) as page:
        page.keyboard.press("ArrowDown")
        page.wait_for_function("() => scrollY > 0")
        is_(page, "video.volume === 1")
        page.locator(".bar-buttons media-play-button").focus()
        page.keyboard.press("ArrowDown")
        is_(page, "video.volume === 0.9")
        expect(says(page)).to_have_text("Volume 90%")


def test_the_transcript_is_searched_and_a_line_leads_to_its_moment(stage: Stage) -> None:
    with stage.page(width=1280) as page:
        page.locator(".transcript summary").click()
        search = page.get_by_label("Search the transcript")
        found, line = page.locator("[data-transcript-found]"), page.locator(".transcript-lines li")
        search.fill("hamstring")
        expect(found).to_have_text("No line has these words.")
        expect(line).to_be_hidden()
        # In any case, with accents or without.
        search.fill("BREÁTHE out")
        expect(found).to_have_text("1 line")
        expect(line).to_be_visible()
        go_to(page, 60)
        line.get_by_role("link").click()
        is_(page, "video.currentTime < 30")
        assert faults(page) == []


def test_whoever_types_does_not_steer_and_keys_of_the_page_can_be_turned_off(stage: Stage) -> None:
    with stage.page(width=1280) as page:
        page.locator(".transcript summary").click()
        page.locator("[data-transcript-search] input").press_sequentially("kml 5?")
        is_(page, "video.paused && !video.muted && video.currentTime === 0")
        assert page.locator("dialog[open]").count() == 0
        page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
        page.locator(".bar-buttons [data-open=settings]").click()
        page.get_by_label("Keys work on the whole page").uncheck()
        page.keyboard.press("Escape")
        page.reload()
        page.wait_for_selector("[data-player][data-state=ready]")
        page.keyboard.press("5")
        page.wait_for_timeout(100)
        assert at(page) == 0
        page.locator(".bar-buttons media-play-button").focus()
        page.keyboard.press("5")
        is_(page, "video.currentTime === 60")


def test_a_loop_goes_from_a_to_b_until_it_is_cleared(stage: Stage) -> None:
    with stage.page(width=1280) as page:
        marks = page.locator("[data-loop-marks]")
        expect(marks).to_be_hidden()
        page.keyboard.press("b")
        expect(says(page)).to_have_text("A loop ends at least one second after its beginning.")
        go_to(page, 30)
        page.keyboard.press("a")
        expect(says(page)).to_have_text("The loop begins at 0:30. Now choose its end.")
        go_to(page, 32)
        page.keyboard.press("b")
        expect(says(page)).to_have_text("Looping from 0:30 to 0:32.")
        expect(marks).to_be_visible()
        box, bar = marks.bounding_box(), page.locator(".loop-marks span").first.bounding_box()
        assert box
        assert bar
        assert bar["x"] + bar["width"] / 2 == pytest.approx(box["x"] + box["width"] / 4, abs=3)
        go_to(page, 31)
        page.evaluate("() => { window.most = 0; window.rounds = 0; }")
        page.evaluate(
            """() => {
                const video = document.querySelector("video");
                let last = video.currentTime;
                video.addEventListener("timeupdate", () => {
                    if (video.currentTime < last) window.rounds++;
                    last = video.currentTime;
                    window.most = Math.max(window.most, last);
                });
            }"""
        )
        play(page)
        page.wait_for_function("() => window.rounds >= 2")
        assert page.evaluate("() => window.most") < 32.3
        page.evaluate("() => document.querySelector('video').pause()")
        go_to(page, 50)
        play(page)
        page.wait_for_timeout(500)
        assert at(page) > 50, "who looks for a place behind the loop stays there"
        page.keyboard.press("x")
        expect(says(page)).to_have_text("The loop is off.")
        expect(marks).to_be_hidden()


def test_a_loop_is_set_by_one_button_and_on_a_phone_in_the_settings(stage: Stage) -> None:
    with stage.page(width=1280) as page:
        button = page.locator(".bar-buttons [data-loop=step]")
        go_to(page, 10)
        for name in ("Loop: begin here", "Loop: end here", "Stop the loop"):
            expect(button).to_have_accessible_name(name)
            button.click()
            go_to(page, at(page) + 5)
        expect(button).to_have_accessible_name("Loop: begin here")
    with stage.page(has_touch=True) as page:
        expect(page.locator(".bar-buttons [data-loop=step]")).to_be_hidden()
        for second, name in ((20, "A: begin here"), (25, "B: end here")):
            go_to(page, second)
            page.locator(".bar-buttons [data-open=settings]").tap()
            page.get_by_role("button", name=name).tap()
            page.keyboard.press("Escape")
        page.locator(".bar-buttons [data-open=settings]").tap()
        expect(page.locator("[data-loop-told]")).to_have_text("0:20 – 0:25")
        page.get_by_role("button", name="Clear").tap()
        expect(page.locator("[data-loop-told]")).to_have_text("Off")


def test_a_mirrored_picture_leaves_its_captions_readable(stage: Stage) -> None:
    flipped = "() => new DOMMatrix(getComputedStyle(document.querySelector('video')).transform).a"
    with stage.page(width=1280) as page:
        spoken = page.locator("[data-spoken]")
        page.keyboard.press("c")
        button = page.locator(".bar-buttons [data-view=mirror]")
        expect(button).to_have_attribute("aria-pressed", "false")
        expect(spoken).to_be_empty()
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(says(page)).to_have_text("The picture is mirrored.")
        assert page.evaluate(flipped) == -1
        go_to(page, 1)
        expect(spoken).to_have_text("Breathe out")
        expect(spoken.locator("i")).to_have_text("out")
        assert faults(page) == []
        page.reload()
        page.wait_for_selector("[data-player][data-state=ready]")
        assert page.evaluate(flipped) == -1, "it is remembered"
        page.keyboard.press("r")
        expect(says(page)).to_have_text("The picture is as it was filmed.")
        assert page.evaluate(flipped) == 1
        expect(spoken).to_be_empty()


def test_settings_hold_speed_quality_and_chapters_on_a_phone(stage: Stage) -> None:
    with stage.page(width=320, has_touch=True) as page:
        nothing_is_cut(page)
        opener = page.locator(".bar-buttons [data-open=settings]")
        opener.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Settings")
        expect(dialog).to_be_visible()
        assert faults(page) == []
        page.get_by_label("Speed").select_option("1.5")
        is_(page, "video.playbackRate === 1.5")
        quality = page.get_by_label("Quality")
        # 360p as a rule; on a slow machine the first piece may be asked for before the player has its size.
        expect(quality.locator("option").first).to_have_text(re.compile(r"Automatic \(now (360|480)p\)"))
        assert quality.locator("option").all_inner_texts()[1:] == ["480p", "360p"]
        with page.expect_response(lambda answer: "/v480/" in answer.url):
            quality.select_option("480p")
            go_to(page, 100)
        expect(quality.locator("option").first).to_have_text("Automatic")
        chapter = page.get_by_role("combobox", name="Chapter")
        expect(chapter.locator("option:checked")).to_have_text("Rest")
        chapter.select_option("Hips & <back>")
        is_(page, "video.currentTime === 40")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
        page.reload()
        page.wait_for_selector("[data-player][data-state=ready]")
        is_(page, "video.playbackRate === 1.5")
        opener.tap()
        page.touchscreen.tap(160, 20)
        expect(dialog).to_be_hidden()


def test_large_controls_can_be_hit_from_the_mat(stage: Stage) -> None:
    with stage.page(has_touch=True) as page:
        large = page.get_by_role("group", name="Large controls")
        expect(large).to_be_hidden()
        page.locator(".bar-buttons [data-open=settings]").tap()
        page.get_by_role("checkbox", name="Large controls").check()
        page.keyboard.press("Escape")
        expect(large).to_be_visible()
        for button in large.get_by_role("button").all():
            box = button.bounding_box()
            assert box
            assert min(box["width"], box["height"]) >= 60
        nothing_is_cut(page)
        assert faults(page) == []
        large.get_by_role("button", name="Forward 10 s").tap()
        is_(page, "video.currentTime === 10")
        large.get_by_role("button", name="Loop: begin here").tap()
        go_to(page, 15)
        large.get_by_role("button", name="Loop: end here").tap()
        expect(large.get_by_role("button", name="Stop the loop")).to_be_visible()
        large.get_by_role("button", name="Mirror image").tap()
        expect(large.get_by_role("button", name="Mirror image")).to_have_attribute("aria-pressed", "true")
        large.get_by_role("button", name="Play").tap()
        is_(page, "!video.paused")
        large.get_by_role("button", name="Pause").focus()
        page.keyboard.press("Space")
        is_(page, "video.paused")
        page.reload()
        page.wait_for_selector("[data-player][data-state=ready]")
        expect(large).to_be_visible()
        page.keyboard.press("g")
        expect(large).to_be_hidden()


def test_other_screens_are_offered_only_where_the_browser_offers_them(stage: Stage) -> None:
    airplay = """() => {
        window.WebKitPlaybackTargetAvailabilityEvent = class extends Event {};
        HTMLMediaElement.prototype.webkitShowPlaybackTargetPicker = () => (window.picked = true);
    }"""
    with stage.page(width=1280) as page:
        expect(page.locator("media-airplay-button")).to_be_hidden()
        expect(page.locator("media-cast-button")).to_be_hidden()
        expect(page.locator("media-pip-button")).to_be_visible()
        page.context.add_init_script(f"({airplay})()")
        page.reload()
        page.wait_for_selector("[data-player][data-state=ready]")
        expect(page.locator("media-airplay-button")).to_be_hidden()
        page.evaluate(
            """() => document.querySelector("video").dispatchEvent(
                Object.assign(new Event("webkitplaybacktargetavailabilitychanged"), { availability: "available" }),
            )"""
        )
        page.get_by_role("button", name="AirPlay").click()
        assert page.evaluate("() => window.picked")


def test_the_members_name_wanders_over_the_film_and_is_in_nobodys_way(stage: Stage) -> None:
    where = """() => {
        const { left, top } = document.querySelector("[data-mark]").getBoundingClientRect();
        return [Math.round(left), Math.round(top)];
    }"""
    with stage.page() as page:
        assert page.locator("[data-mark]").count() == 0, "a visitor has no name"
    with stage.page(stage.paid, who=MEMBERS[7], width=1280, reduced_motion="reduce") as page:
        mark = page.locator("[data-mark]")
        expect(mark).to_have_text("Keala <Nakamura>")
        expect(mark).to_have_attribute("aria-hidden", "true")
        expect(mark).to_have_css("user-select", "none")
        expect(mark).to_have_css("pointer-events", "none")
        first = page.evaluate(where)
        for second, moved in ((19, False), (21, True), (39, False), (41, True)):
            go_to(page, second)
            page.wait_for_timeout(50)
            assert (page.evaluate(where) != first) == moved, (
                "without motion it stands, and then stands elsewhere"
            )
            first = page.evaluate(where)
        page.keyboard.press("f")
        page.wait_for_function("() => document.fullscreenElement")
        inside = "() => document.fullscreenElement.contains(document.querySelector('[data-mark]'))"
        assert page.evaluate(inside)
        page.keyboard.press("f")
        page.emulate_media(reduced_motion="no-preference")
        seen = set()
        play(page)
        for _look in range(8):
            page.wait_for_timeout(250)
            seen.add(tuple(page.evaluate(where)))
        assert len(seen) >= 4, "it glides"
