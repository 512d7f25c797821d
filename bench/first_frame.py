"""`first-frame`: from a click to a lesson's first frame, beside the same stream on a bare hls.js page of that nginx.

Twice. Ready: each page has prepared what it prepares before anybody presses play, and a mouse presses it. Cold: a
browser without a cache opens the page, and play is pressed the moment there is something to press. Both pages load
hls.js and the playlist at once; the bare one has no sign-in, no token, no words and no controls. The driver waits for
a word in the console: asking a page that loads would put its scripts into it.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, sync_playwright

from bench import films
from bench.front_door import ROOT, front_door
from bench.resume import add_film, kill, until
from bench.streams import serving
from bench.workers import start_worker
from bench.workshop import workshop

GOAL = 1.15
ROUNDS = 40
LENGTH_S = 60
HEIGHT_PX = 480
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
    # A script presses play in the cold rounds, which is no person to a browser.
    "--autoplay-policy=no-user-gesture-required",
]
OURS, BARE = "ours", "bare"
BARE_PAGE = """<!doctype html><meta charset="utf-8"><title>Bare</title>
<script src="hls.min.js"></script>
<video playsinline width="1280" height="720"></video><button>Play</button>
<script>
const video = document.querySelector("video");
const hls = new Hls();
hls.loadSource("%s");
hls.attachMedia(video);
document.querySelector("button").onclick = () => video.play();
</script>"""
BARE_PLACE = """
    location /bare/ {
        alias %s/bare/;
        types { text/html html; text/javascript js; }
    }
    location /plain/ {
        alias %s/;
        types { application/vnd.apple.mpegurl m3u8; video/iso.segment m4s; video/mp4 mp4; }
    }
"""
# When the first frame after play was shown, by the clock that says when the page was asked for and when it was clicked.
WATCH = """
(() => {
  addEventListener("click", (event) => (window.clickedAt ??= event.timeStamp), true);
  const look = () => {
    const video = document.querySelector("video");
    if (!video) return requestAnimationFrame(look);
    const frame = (now) => {
      if (video.paused) video.requestVideoFrameCallback(frame);
      else { window.framedAt = now; console.log("framed"); }
    };
    video.requestVideoFrameCallback(frame);
    if (COLD) press();
  };
  const press = () => {
    const ours = document.querySelector("button.big-play");
    const button = ours ?? document.querySelector("button");
    if (ours || button?.onclick) return button.click();
    requestAnimationFrame(press);
  };
  look();
})();
"""
BUTTON = {OURS: "button.big-play", BARE: "button"}


@dataclass(frozen=True)
class Stand:
    """Both pages, and the cookie that our one wants."""

    pages: dict[str, str]
    cookie: tuple[str, str]
    origin: str


async def made(database_url: str) -> tuple[str, UUID, tuple[str, str]]:
    """A paid lesson with a film that a worker made, and a member who may watch it: its address, video and cookie."""
    from app import db
    from app.access.models import Entitlement
    from app.accounts import sessions
    from app.accounts.models import User
    from app.catalog.models import Course, Lesson, Section
    from app.clock import utcnow
    from app.web.guard import cookie_name

    db.open_database(database_url, pool_size=2)
    worker = start_worker(database_url)
    try:
        source = films.smaller(films.film(LENGTH_S), HEIGHT_PX)
        video_id = await add_film(source, source.stat().st_size)
        if await until(video_id, {"ready", "failed"}, within_s=600) != "ready":
            raise RuntimeError("the film failed")
        now = utcnow()
        async with db.transaction() as session:
            course = Course(slug="bench", title="Bench", state="published", published_at=now)
            user = User(email="m@example.com", name="M", password_hash="!", email_confirmed_at=now)
            session.add_all([course, user])
            await session.flush()
            section = Section(course_id=course.id, title="Bench", position=0)
            session.add(section)
            await session.flush()
            session.add_all(
                [
                    Lesson(
                        course_id=course.id,
                        section_id=section.id,
                        slug="lesson",
                        title="Lesson",
                        position=0,
                        state="published",
                        published_at=now,
                        video_id=video_id,
                    ),
                    Entitlement(user_id=user.id, source_kind="manual", source_id="1", starts_at=now),
                ]
            )
            cookie = await sessions.start(session, user, user_agent="bench", ip="127.0.0.1", now=now)
        return "/courses/bench/lesson", video_id, (cookie_name(), cookie)
    finally:
        kill(worker)
        await db.close_database()


@contextmanager
def stand() -> Iterator[Stand]:
    """The application behind the shipped nginx, and the bare page on the same nginx."""
    with workshop() as (database_url, folder):
        lesson, video_id, cookie = asyncio.run(made(database_url))
        media = folder / "media"
        bare = folder / "bare"
        bare.mkdir()
        stream = f"/plain/videos/{video_id}/1/master.m3u8"
        (bare / "index.html").write_text(BARE_PAGE % stream)
        (bare / "hls.min.js").write_bytes((ROOT / "node_modules/hls.js/dist/hls.min.js").read_bytes())
        extra = BARE_PLACE % (folder, media)
        with serving() as web, front_door(folder, web.port, media, extra=extra) as door:
            origin = f"http://127.0.0.1:{door.port}"
            yield Stand({OURS: origin + lesson, BARE: origin + "/bare/index.html"}, cookie, origin)


def clicked(browser: Browser, at: Stand, side: str, kind: str) -> float:
    """Milliseconds from the click (on the page's link, or on play) to the first frame, in a browser without a cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    try:
        name, value = at.cookie
        context.add_cookies([{"name": name, "value": value, "url": at.origin}])
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.add_init_script(WATCH.replace("COLD", str(kind == "cold").lower()))
        with page.expect_console_message(lambda message: message.text == "framed"):
            page.goto(at.pages[side], wait_until="commit")
            if kind == "ready":
                page.wait_for_load_state("load")
                page.wait_for_function("() => document.querySelector('video')?.readyState >= 3")
                page.wait_for_timeout(1000)
                page.locator(BUTTON[side]).click()
        begun = "window.clickedAt" if kind == "ready" else "0"
        return float(page.evaluate(f"() => window.framedAt - {begun}"))
    finally:
        context.close()


def alternated(browser: Browser, at: Stand, kind: str, rounds: int) -> dict[str, list[float]]:
    """Both sides turn by turn, the first of a round changing; one round before them is not counted."""
    found: dict[str, list[float]] = {OURS: [], BARE: []}
    for number in range(rounds + 1):
        for side in (OURS, BARE) if number % 2 else (BARE, OURS):
            took = clicked(browser, at, side, kind)
            if number:
                found[side].append(took)
    return found


def middle(values: list[float]) -> float:
    """The mean of the middle half: frames come every 16 ms, hls.js's turns every 100, and a median jumps between."""
    quarter = len(values) // 4
    return statistics.mean(sorted(values)[quarter : len(values) - quarter])


def compared(found: dict[str, list[float]]) -> dict[str, Any]:
    ours, bare = (middle(found[side]) for side in (OURS, BARE))
    return {
        "ratio": round(ours / bare, 3),
        "ms": round(ours, 1),
        "bare_ms": round(bare, 1),
        "range_ms": [round(min(found[OURS]), 1), round(max(found[OURS]), 1)],
        "bare_range_ms": [round(min(found[BARE]), 1), round(max(found[BARE]), 1)],
    }


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure on a server, a database and a film of its own; about four minutes.

    Raises:
        RuntimeError: no Chromium is installed.
    """
    from tests.machine import browser as browser_path

    path = browser_path()
    if path is None:
        raise RuntimeError("no Chromium is installed (python -m tests.machine installs it)")
    began = time.monotonic()
    with stand() as at, sync_playwright() as playwright:
        print(f"first-frame: the film is there after {time.monotonic() - began:.0f} s", file=sys.stderr)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        ready = compared(alternated(browser, at, "ready", rounds))
        cold = compared(alternated(browser, at, "cold", rounds))
        browser.close()
    ratio = max(ready["ratio"], cold["ratio"])
    return {
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio <= GOAL,
        "rounds": rounds,
        "ready": ready,
        "cold": cold,
    }
