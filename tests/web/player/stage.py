"""One film, one server and one browser for the tests of the player: a free and a paid lesson, and a member."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, Page

from app import db
from app.accounts.passwords import hashed
from app.clock import utcnow
from app.practice.models import Practice
from app.settings import get_settings
from app.video import captioning
from app.video.captions_files import publish_captions
from tests import browsing, factories
from tests.apart import own_database, settings_of
from tests.journeys.conftest import PASSWORD
from tests.video.making import make_stream
from tests.video.test_storyboard import grey_film
from tests.web.server import Server

FILM_S = 120
# One for each page: where a member stopped, and how many films they play, must not depend on other tests.
MEMBERS = [f"keala{n}@example.com" for n in range(10)]
CHAPTERS = "0:00 Warm-up\n0:40 Hips & <back>\n1:20 Rest"
CAPTIONS = b"WEBVTT\n\n00:00:00.000 --> 00:02:00.000\nBreathe <i>out</i>\n"


@cache
def film(length_s: int) -> Path:
    """The stream of a film, made once in a process: a short one in two sizes, an hour in one."""
    folder = Path(tempfile.mkdtemp(prefix="limber-test-player-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    look = ("854x480", "10") if length_s == FILM_S else ("320x180", "5")
    path = grey_film(folder / "film.mp4", length_s, *look)
    _source, _ladder, place = asyncio.run(make_stream(path, folder / "work"))
    return place


@dataclass
class Stage:
    """Where the lessons are, and pages to open them in; `complaints` is what the browser said of them."""

    server: Server
    browser: Browser
    free: str
    paid: str
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def page(
        self, address: str = "", *, who: str = "", width: int = 390, clock: bool = False, **options: Any
    ) -> Iterator[Page]:
        """A lesson (the free one) in a browser of its own, ready to play; `clock`: its clock can be moved."""
        context = self.browser.new_context(
            base_url=self.server.url, viewport={"width": width, "height": 844}, locale="en-US", **options
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        self.listen(page)
        try:
            if who:
                log_in(page, who)
            if clock:
                page.clock.install()
            page.goto(address or self.free)
            page.wait_for_selector("[data-player][data-state=ready]")
            page.wait_for_function("() => document.querySelector('video').duration > 100")
            yield page
            assert self.complaints == []
        finally:
            self.complaints.clear()
            context.close()

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text)
                if said.type == "error" and "Failed to load resource" not in said.text
                else None
            ),
        )


def log_in(page: Page, who: str, address: str = "/login") -> None:
    """Through the form, as anyone does."""
    page.goto(address)
    fill_in(page, who)


def fill_in(page: Page, who: str) -> None:
    page.fill("input[name=email]", who)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form", has=page.locator("input[name=password]")).get_by_role("button").first.click()
    page.wait_for_load_state()


async def _fill(url: str, length_s: int) -> tuple[str, str]:
    db.open_database(url, pool_size=2)
    try:
        async with db.transaction() as session:
            session.add(Practice(id=1, is_marking=True))
            teacher = await factories.staff(session)
            course = await factories.course(session)
            section = await factories.section(session, course)
            video = await factories.video(session, duration_s=float(length_s))
            free = await factories.lesson(session, section, is_free=True, video_id=video.id)
            paid = await factories.lesson(session, section, video_id=video.id)
            secret = await hashed(PASSWORD)
            for email in MEMBERS:
                member = await factories.user(
                    session, email=email, name="Keala <Nakamura>", password_hash=secret
                )
                await factories.entitlement(session, member, course_id=None)
        await _put(video.id, teacher.id, length_s)
        return f"/courses/{course.slug}/{free.slug}", f"/courses/{course.slug}/{paid.slug}"
    finally:
        await db.close_database()


async def _put(video_id: UUID, teacher_id: UUID, length_s: int) -> None:
    place = get_settings().media_dir / "videos" / str(video_id) / "1"
    await asyncio.to_thread(shutil.copytree, film(length_s), place)
    async with db.transaction() as session:
        await captioning.set_chapters(session, teacher_id, video_id, CHAPTERS)
        await captioning.add(session, teacher_id, video_id, "en", "English", CAPTIONS, utcnow())
    await publish_captions(video_id, 1)


@contextmanager
def staged(server_url: str, folder: Path, length_s: int = FILM_S, *, whole: bool = False) -> Iterator[Stage]:
    """Everything that a module of the player's tests needs, started once."""
    film(length_s)
    with own_database(server_url, "player") as url:
        with settings_of(DATABASE_URL=url, LIMBER_DATA_DIR=str(folder)):
            free, paid = asyncio.run(_fill(url, length_s))
        server = Server(url, folder)
        server.start()
        try:
            with browsing.chromium(whole=whole) as browser:
                yield Stage(server, browser, free, paid)
        finally:
            if server.process is not None:
                server.stop()
            server.said.close()
