"""The player does little: the bar moves when the film says where it is, and the first frame waits for no clock."""

import pytest

from tests.web.player.stage import Stage
from tests.web.player.test_controls import is_, play

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("player-controls")]

SECONDS = 3
# How often the bar stood somewhere else than at the frame before.
MOVES = """seconds => new Promise((resolve) => {
    const range = document.querySelector("media-time-range").shadowRoot.querySelector("input");
    const ends = performance.now() + seconds * 1000;
    let at = range.value, moves = 0, frames = 0;
    const look = () => {
        frames += 1;
        if (range.value !== at) moves += 1;
        at = range.value;
        if (performance.now() < ends) requestAnimationFrame(look);
        else resolve({ moves, frames });
    };
    requestAnimationFrame(look);
})"""
# hls.js looks every 100 ms whether there is something to do, besides doing it when something comes.
NO_CLOCK = """{
    const real = window.setInterval;
    window.setInterval = (what, ms, ...more) => real(what, ms === 100 ? 1e9 : ms, ...more);
}"""


def test_the_bar_moves_when_the_film_says_where_it_is_and_not_with_every_frame(stage: Stage) -> None:
    with stage.page() as page:
        play(page)
        is_(page, "video.currentTime > 1")
        seen = page.evaluate(MOVES, SECONDS)
    assert seen["moves"] >= SECONDS, "it does move"
    # The film speaks some four times a second; a browser that draws slowly would let this pass without reason.
    assert seen["frames"] >= SECONDS * 15
    assert seen["moves"] <= SECONDS * 6


def test_the_first_frame_waits_for_no_turn_of_hls_js(stage: Stage) -> None:
    """Each thing that it needs is asked for when the one before has come."""
    context = stage.browser.new_context(base_url=stage.server.url, viewport={"width": 390, "height": 844})
    context.add_init_script(NO_CLOCK)
    try:
        page = context.new_page()
        page.goto(stage.free)
        is_(page, "video.readyState >= 2")
    finally:
        context.close()
