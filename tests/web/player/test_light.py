"""The player does little while a film runs: the time bar moves when the film says where it is."""

import pytest

from tests.web.player.stage import Stage
from tests.web.player.test_controls import is_, play

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("player-controls")]

SECONDS = 1.5
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


def test_the_bar_moves_when_the_film_says_where_it_is_and_not_with_every_frame(stage: Stage) -> None:
    with stage.page(width=1280) as page:
        play(page)
        is_(page, "video.currentTime > 1")
        # Controls are shown for two seconds after the mouse has moved; those that are hidden nobody moves.
        page.locator("[data-stage]").hover()
        assert page.locator("media-time-range").evaluate(
            "one => one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })"
        )
        seen = page.evaluate(MOVES, SECONDS)
    assert seen["moves"] >= SECONDS, "it does move"
    # The film speaks some four times a second; a browser that draws slowly would let this pass without reason.
    assert seen["frames"] >= SECONDS * 15
    assert seen["moves"] <= SECONDS * 6
