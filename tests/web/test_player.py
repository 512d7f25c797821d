"""The player in a browser: pictures over the time bar, chapters on it, and captions in the language that is chosen."""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from app import db
from app.clock import utcnow
from app.settings import get_settings
from app.video import captioning, storyboard
from app.video.captions_files import publish_captions
from app.video.chunks import cut
from app.video.storyboard import make_storyboard
from tests import browsing, factories
from tests.apart import own_database, settings_of
from tests.video.making import make_stream
from tests.video.test_storyboard import grey_film
from tests.web.server import Server, running

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("player")]
FILM_S = 24
STEP = 9 * 255 / 219
CHAPTERS = "0:00 Warm-up\n0:08 Hips & <back>\n0:16 Rest"
LANGUAGES = {"en": "English", "es": "Español"}
GREY = """canvas => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(width / 2, height / 2, 1, 1);
    return data[3] === 255 ? data[0] : null;
}"""


async def _make(folder: Path) -> None:
    path = grey_film(folder / "film.mp4", FILM_S, "320x180", "10")
    source, ladder, place = await make_stream(path, folder / "work")
    boards = [
        await make_storyboard(place, ladder, chunk.number, place / storyboard.FOLDER)
        for chunk in cut(source, ladder)
    ]
    text = storyboard.index(boards, source.duration_s)
    (place / storyboard.FOLDER / storyboard.INDEX).write_text(text)
    place.rename(folder / "stream")


@dataclass
class Cinema:
    """What all tests here share: a web process, a browser, and a stream that is lighter each two seconds."""

    server: Server
    browser: Browser
    database_url: str
    data_dir: Path
    stream: Path

    def show(self, languages: list[str], chapters: str, stream: Path) -> str:
        """The address of a new free lesson."""
        # The browser's driver runs a loop in this thread.
        with (
            settings_of(DATABASE_URL=self.database_url, LIMBER_DATA_DIR=str(self.data_dir)),
            ThreadPoolExecutor(1) as aside,
        ):
            return aside.submit(asyncio.run, _set_up(self.database_url, stream, languages, chapters)).result()


@pytest.fixture(scope="module")
def cinema(worker_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    folder = tmp_path_factory.mktemp("player")
    asyncio.run(_make(folder))
    with (
        own_database(worker_database_url, "cinema") as url,
        running(Server(url, folder / "data")) as server,
        browsing.chromium() as browser,
    ):
        yield Cinema(server, browser, url, folder / "data", folder / "stream")


async def _set_up(database_url: str, stream: Path, languages: list[str], chapters: str) -> str:
    db.open_database(database_url, pool_size=2)
    try:
        async with db.transaction() as session:
            course = await factories.course(session)
            section = await factories.section(session, course)
            lesson = await factories.lesson(session, section, is_free=True)
            teacher = await factories.staff(session)
        assert lesson.video_id is not None
        place = get_settings().media_dir / "videos" / str(lesson.video_id) / "1"
        await asyncio.to_thread(shutil.copytree, stream, place)
        async with db.transaction() as session:
            await captioning.set_chapters(session, teacher.id, lesson.video_id, chapters)
            for language in languages:
                await _say(session, teacher.id, lesson.video_id, language)
        await publish_captions(lesson.video_id, 1)
        return f"/courses/{course.slug}/{lesson.slug}"
    finally:
        await db.close_database()


async def _say(session: Any, teacher_id: UUID, video_id: UUID, language: str) -> None:
    vtt = f"WEBVTT\n\n00:00:00.000 --> 00:00:23.000\nWords in {language}\n"
    label = LANGUAGES[language]
    await captioning.add(session, teacher_id, video_id, language, label, vtt.encode(), utcnow())


@contextmanager
def lesson_page(
    cinema: Cinema,
    *,
    stream: Path | None = None,
    languages: tuple[str, ...] = (),
    chapters: str = "",
    width: int = 1280,
    **options: Any,
) -> Iterator[tuple[Page, str]]:
    """The page of a free lesson as an anonymous visitor opens it; it fails where the browser complains."""
    address = cinema.show(list(languages), chapters, stream or cinema.stream)
    context = cinema.browser.new_context(
        base_url=cinema.server.url, viewport={"width": width, "height": 844}, locale="en-US", **options
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and "Failed to load resource" not in said.text
            else None
        ),
    )
    try:
        yield page, address
        assert complaints == []
    finally:
        context.close()


def open_lesson(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("[data-player][data-state=ready]")
    page.wait_for_function("() => document.querySelector('video').duration > 20")


def point_at(page: Page, second: float) -> None:
    """Move the mouse to a moment on the time bar."""
    bar = page.locator("media-time-range")
    track = bar.evaluate(
        "bar => { const r = bar.range.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }"
    )
    x, y, width, height = track
    page.mouse.move(x + width * second / FILM_S, y + height / 2, steps=3)


def expect_tile(picture: Locator, number: int) -> None:
    for _look in range(100):
        grey = picture.evaluate(GREY)
        if grey is not None and abs(grey - STEP * number) < STEP / 2:
            return
        picture.page.wait_for_timeout(50)
    raise AssertionError(f"the picture is {grey}, not {STEP * number}")


def test_the_picture_over_the_time_bar_is_that_of_the_moment(cinema: Cinema) -> None:
    with lesson_page(cinema) as (page, address):
        open_lesson(page, address)
        picture = page.locator("canvas.preview-picture")
        expect(picture).to_be_hidden()
        for second, tile in ((5, 2), (21, 10), (13, 6)):
            point_at(page, second)
            expect(picture).to_be_visible()
            expect_tile(picture, tile)
        box = picture.bounding_box()
        stage = page.locator("[data-player]").bounding_box()
        assert box
        assert stage
        assert box["width"] / box["height"] == pytest.approx(16 / 9, abs=0.03)
        point_at(page, 0.1)
        expect_tile(picture, 0)
        page.wait_for_timeout(100)
        left = picture.bounding_box()
        assert left
        assert left["x"] >= stage["x"]
        page.mouse.move(10, 10)
        expect(picture).to_be_hidden()


def test_a_finger_on_the_time_bar_sees_the_picture_whether_it_moves_or_rests(cinema: Cinema) -> None:
    phone: dict[str, Any] = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with lesson_page(cinema, width=390, **phone) as (page, address):
        open_lesson(page, address)
        picture = page.locator("canvas.preview-picture")
        finger = page.context.new_cdp_session(page)
        x, y, width, height = page.locator("media-time-range").evaluate(
            "bar => { const r = bar.range.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }"
        )

        def touch(kind: str, second: float | None = None) -> None:
            points = [] if second is None else [{"x": x + width * second / FILM_S, "y": y + height / 2}]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 13)
        expect(picture).to_be_visible()
        expect_tile(picture, 6)
        touch("touchMove", 21)
        expect_tile(picture, 10)
        touch("touchEnd")
        expect(picture).to_be_hidden()
        page.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 21) < 1")


def test_a_picture_is_fetched_with_the_token_that_stands_at_that_time(cinema: Cinema) -> None:
    """A page that stood still for six minutes: its first token has ended, and here every use of it is noted."""
    with lesson_page(cinema) as (page, address):
        page.clock.install()
        open_lesson(page, address)
        with page.expect_response("**/storyboard/storyboard.vtt") as index:
            page.locator("[data-player]").hover(position={"x": 100, "y": 100})
        old = index.value.url.split("/")[4]
        asked: list[str] = []

        def note(route: Route) -> None:
            asked.append(route.request.url)
            route.fulfill(status=403, body="refused") if old in route.request.url else route.continue_()

        page.route("**/storyboard/**", note)
        # The browser's clock jumps and the server's does not: what ends in the same second there is the same token.
        page.wait_for_timeout(1100)
        page.clock.fast_forward("06:00")
        with page.expect_response("**/renew") as renewed:
            point_at(page, 21)
        assert renewed.value.status == 200
        expect_tile(page.locator("canvas.preview-picture"), 10)
        assert [url.rpartition("/")[2] for url in asked] == ["0-1.jpg"]
        assert old not in asked[0]


def test_a_refused_picture_is_asked_for_again_with_a_new_token(cinema: Cinema) -> None:
    """A device whose clock is slow believes in a token that has ended."""
    with lesson_page(cinema) as (page, address):
        refused: list[str] = []

        def refuse_first(route: Route) -> None:
            token = route.request.url.split("/")[4]
            if not refused or token == refused[0]:
                refused.append(token)
                route.fulfill(status=403, body="refused")
            else:
                route.continue_()

        page.route("**/storyboard/**", refuse_first)
        open_lesson(page, address)
        page.wait_for_timeout(1100)  # a token that ends in the same second is the same token
        point_at(page, 13)
        expect_tile(page.locator("canvas.preview-picture"), 6)
        assert refused


@pytest.mark.long
def test_a_film_without_a_storyboard_shows_the_time_alone(cinema: Cinema, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(cinema.stream, older, ignore=shutil.ignore_patterns(storyboard.FOLDER))
    with lesson_page(cinema, stream=older) as (page, address):
        open_lesson(page, address)
        with page.expect_response("**/storyboard/storyboard.vtt") as answered:
            point_at(page, 5)
        assert answered.value.status == 404
        expect(page.locator("media-preview-time-display[slot]")).to_be_visible()
        expect(page.locator("canvas.preview-picture")).to_be_hidden()
        point_at(page, 15)
        expect(page.locator("canvas.preview-picture")).to_be_hidden()


def test_chapters_are_marks_on_the_time_bar_and_named_over_it(cinema: Cinema) -> None:
    with lesson_page(cinema, chapters=CHAPTERS) as (page, address):
        open_lesson(page, address)
        marks = "bar => bar.shadowRoot.querySelectorAll('#segments-clipping rect').length"
        assert page.locator("media-time-range").evaluate(marks) == 3
        name = page.locator("media-preview-chapter-display[slot]")
        for second, title in ((4, "Warm-up"), (12, "Hips & <back>"), (20, "Rest")):
            point_at(page, second)
            expect(name).to_have_attribute("mediapreviewchapter", title)
            expect(name).to_be_visible()


@pytest.mark.long
def test_one_language_has_a_button_and_no_menu(cinema: Cinema) -> None:
    with lesson_page(cinema, languages=("en",)) as (page, address):
        open_lesson(page, address)
        expect(page.locator("media-captions-button")).to_be_visible()
        expect(page.locator("media-captions-menu-button")).to_be_hidden()
        page.locator("media-captions-button").focus()
        page.keyboard.press("Enter")
        assert_shows(page, "en")


def test_several_languages_have_a_menu_that_the_keyboard_opens_and_leaves(cinema: Cinema) -> None:
    with lesson_page(cinema, languages=("en", "es"), width=390, reduced_motion="reduce", has_touch=True) as (
        page,
        address,
    ):
        open_lesson(page, address)
        expect(page.locator("media-captions-button")).to_be_hidden()
        button, menu = page.locator("media-captions-menu-button"), page.locator("media-captions-menu")
        expect(menu).to_be_hidden()
        assert_bars_are_at_the_bottom(page)
        button.focus()
        page.keyboard.press("Enter")
        expect(menu).to_be_visible()
        items = menu.locator("media-chrome-menu-item")
        assert items.all_inner_texts() == ["Off", "English", "Español"]
        expect(items.nth(0)).to_be_focused()
        for item in items.all():
            box = item.bounding_box()
            assert box
            assert box["height"] >= 44
        stage, box = page.locator("[data-player]").bounding_box(), menu.bounding_box()
        assert box
        assert stage
        assert stage["x"] <= box["x"]
        assert box["x"] + box["width"] <= stage["x"] + stage["width"]
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(menu).to_be_hidden()
        expect(button).to_be_focused()
        assert_shows(page, "es")
        page.keyboard.press("Enter")
        expect(items.nth(2)).to_have_attribute("aria-checked", "true")
        expect(items.nth(0)).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        expect(items.nth(0)).to_be_focused()
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        assert_shows(page, None)


def assert_bars_are_at_the_bottom(page: Page) -> None:
    stage, bars = page.locator("[data-player]").bounding_box(), page.locator(".bars").bounding_box()
    assert stage
    assert bars
    assert bars["y"] + bars["height"] == pytest.approx(stage["y"] + stage["height"], abs=2)


def assert_shows(page: Page, language: str | None) -> None:
    """Captions in this language, and in no other, are on the picture; None: none are."""
    shown = """() => [...document.querySelector("video").textTracks]
        .filter(({ kind, mode }) => kind !== "chapters" && mode === "showing")
        .map(({ language, cues }) => `${language}: ${cues?.[0]?.text}`).join()"""
    words = "" if language is None else f"{language}: Words in {language}"
    page.wait_for_function(f"words => ({shown})() === words", arg=words)
