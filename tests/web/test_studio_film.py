"""A film's page in the studio, open in a browser while the film is encoded: what comes to it without a reload."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app import db
from app.accounts import sessions
from app.clock import utcnow
from app.settings import get_settings
from tests import browsing, factories
from tests.journeys.test_accessibility import faults
from tests.video.sources import AAC, X264, ffmpeg, sound
from tests.video.test_chunks import workers
from tests.video.test_transcode import add_video
from tests.web.server import COOKIE, serving

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("player")]
FILM_S = 210
FIRST_CHUNK_S = 24


async def _set_up(database_url: str, film: Path) -> tuple[str, str]:
    """The address of the film's page and the token of a teacher's session."""
    db.open_database(database_url, pool_size=2)
    try:
        video_id = await add_video(film.read_bytes())
        async with db.transaction() as session:
            teacher = await factories.staff(session)
            token = await sessions.start(session, teacher, user_agent="test", ip="127.0.0.1", now=utcnow())
        return f"/studio/videos/{video_id}", token
    finally:
        await db.close_database()


def check_watching(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Watch the beginning").click(timeout=120_000)
    expect(page.locator("[data-video-beginning]")).to_contain_text("It can be watched up to 0:24 so far")
    page.wait_for_selector("[data-player]:not([data-state=loading])")
    page.evaluate("window.isFirstLoad = true")
    assert page.locator("#posters img").count() == 0
    # Past the end of all that there was when the player began.
    page.evaluate(
        "at => { const v = document.querySelector('video'); v.muted = true; v.currentTime = at; return v.play(); }",
        FIRST_CHUNK_S - 4,
    )
    page.wait_for_function(
        "end => document.querySelector('video').currentTime > end + 2", arg=FIRST_CHUNK_S, timeout=120_000
    )
    assert page.locator("#standing").get_attribute("data-state") == "encoding"
    expect(page.locator("[data-video-beginning]")).to_contain_text(re.compile("up to [12]:24 so far"))


def check_whole(page: Page) -> None:
    page.wait_for_selector("#standing[data-state=ready]", timeout=300_000)
    expect(page.locator("#posters input[name=poster]:checked")).to_have_value("auto")
    assert page.locator("#posters img").count() >= 2
    expect(page.locator("[data-video-beginning]")).to_be_hidden()
    page.wait_for_function(
        "s => Math.abs(document.querySelector('video').duration - s) < 0.2", arg=FILM_S, timeout=30_000
    )
    page.evaluate("at => { document.querySelector('video').currentTime = at; }", FILM_S - 3)
    page.wait_for_function("() => document.querySelector('video').ended", timeout=30_000)
    assert page.evaluate("window.isFirstLoad") is True


def test_a_film_can_be_watched_while_it_is_encoded_and_is_whole_at_the_end_without_a_reload(
    database_url: str, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=640x360:r=25:d={FILM_S}", *sound(FILM_S), *X264, *AAC, film)
    address, token = asyncio.run(_set_up(database_url, film))
    with serving(database_url, get_settings().data_dir) as server, browsing.chromium() as browser:
        context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 844})
        context.add_cookies([{"name": COOKIE, "value": token, "url": server.url}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        with workers(database_url, 1):
            check_watching(page, address)
            check_whole(page)
        assert faults(page) == []
        assert complaints == []
