"""The studio's uploader in a browser: several files, pauses, lost networks, closed windows, and what arrives."""

import asyncio
import hashlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page, expect

from app import db
from app.accounts import sessions
from app.clock import utcnow
from tests import browsing, factories
from tests.journeys.test_accessibility import faults
from tests.web.server import COOKIE, Server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("uploading")]
FILM_BYTES = 6_000_000
# More than the kernel holds for a server that does not read.
LARGE_BYTES = 30_000_000
MOST_BYTES = 50_000_000
SLOW, FAST = 1_500_000, -1
LIST = "/studio/videos"


@dataclass
class Studio:
    """A web process, a teacher who is signed in there, and a browser that can be opened and closed."""

    server: Server
    database_url: str
    browser: Browser
    token: str
    folder: Path

    @contextmanager
    def window(self) -> Iterator[BrowserContext]:
        context = self.browser.new_context(base_url=self.server.url, viewport={"width": 390, "height": 844})
        context.set_default_timeout(20_000)
        context.add_cookies([{"name": COOKIE, "value": self.token, "url": self.server.url}])
        yield context
        context.close()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """The server takes nothing meanwhile: a window that closes sends all it can as soon as nobody slows it down."""
        assert self.server.process is not None
        self.server.process.send_signal(signal.SIGSTOP)
        yield
        self.server.process.send_signal(signal.SIGCONT)

    def stored(self) -> dict[str, str]:
        """The digest of each uploaded file, by the name that it had on the teacher's disk."""
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute("SELECT source_filename, source_key FROM video").fetchall()
        return {name: _digest(self.folder / "media" / key) for name, key in rows}

    def files(self) -> set[Path]:
        """Files of uploads that are under way."""
        return {path for path in (self.folder / "uploads").rglob("*") if path.is_file()}

    def uploads(self) -> list[tuple[int, int]]:
        """Offset and length of each upload that the server knows."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(
                "SELECT offset_bytes, length_bytes FROM upload ORDER BY created_at"
            ).fetchall()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def _teacher(database_url: str) -> str:
    db.open_database(database_url, pool_size=2)
    try:
        async with db.transaction() as session:
            teacher = await factories.staff(session)
            return await sessions.start(session, teacher, user_agent="test", ip="127.0.0.1", now=utcnow())
    finally:
        await db.close_database()


@pytest.fixture(scope="module")
def opened(worker_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Started once. No worker runs: what arrives stays queued."""
    folder = tmp_path_factory.mktemp("uploading")
    server = Server(worker_database_url, folder)
    server.environment["LIMBER_MAX_UPLOAD_BYTES"] = str(MOST_BYTES)
    server.start()
    try:
        with browsing.chromium() as browser:
            yield Studio(server, worker_database_url, browser, "", folder)
    finally:
        server.stop()
        server.said.close()


@pytest.fixture
def studio(opened: Studio, database_url: str) -> Studio:
    # The browser's driver runs a loop in this thread.
    with ThreadPoolExecutor(1) as aside:
        opened.token = aside.submit(asyncio.run, _teacher(database_url)).result()
    return opened


def film(folder: Path, name: str = "hips.mp4", size: int = FILM_BYTES) -> Path:
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


def choose(page: Page, *paths: Path) -> None:
    page.set_input_files("[data-upload] input[type=file]", [str(path) for path in paths])


def row(page: Page, name: str) -> Locator:
    return page.locator(".upload-row", has=page.get_by_text(name, exact=True))


def network(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


def at_rate(line: CDPSession, bytes_per_s: int, *, is_offline: bool = False) -> None:
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s},
    )


def is_under_way(page: Page, name: str, least: float = 15) -> None:
    expect(row(page, name)).to_have_attribute("data-state", "uploading")
    page.wait_for_function(
        "least => document.querySelector('.upload-row progress').value > least", arg=least, timeout=20_000
    )


def test_several_files_are_dropped_and_each_has_its_bar(studio: Studio) -> None:
    with studio.window() as window:
        page = window.new_page()
        page.goto(LIST)
        dropped = page.evaluate_handle(
            """() => {
                const dropped = new DataTransfer();
                for (const [name, letter] of [["hips.mp4", "h"], ["knees.mov", "k"], ["back.mkv", "b"]])
                    dropped.items.add(new File([letter.repeat(300_000)], name, { type: "video/mp4" }));
                return dropped;
            }"""
        )
        page.dispatch_event("[data-upload-drop]", "dragover", {"dataTransfer": dropped})
        expect(page.locator("[data-upload-drop]")).to_have_attribute("data-over", "")
        page.dispatch_event("[data-upload-drop]", "drop", {"dataTransfer": dropped})
        expect(page.locator("[data-upload-drop]")).not_to_have_attribute("data-over", "")
        expect(page.locator(".upload-row[data-state=queued]")).to_have_count(3)
        expect(page.locator(".upload-row progress")).to_have_count(3)
        assert faults(page) == []
    wanted = {
        name: hashlib.sha256(name[0].encode() * 300_000).hexdigest()
        for name in ("hips.mp4", "knees.mov", "back.mkv")
    }
    assert studio.stored() == wanted


def test_a_file_is_paused_and_goes_on_where_it_was(studio: Studio, tmp_path: Path) -> None:
    path = film(tmp_path)
    with studio.window() as window:
        page = window.new_page()
        page.goto(LIST)
        line = network(page)
        at_rate(line, SLOW)
        choose(page, path)
        is_under_way(page, path.name)
        page.get_by_role("button", name="Pause: hips.mp4").click()
        expect(row(page, path.name)).to_have_attribute("data-state", "paused")
        # The server hears of the broken line a moment later.
        for _look in range(50):
            ((offset, length),) = studio.uploads()
            if offset:
                break
            page.wait_for_timeout(100)
        assert 0 < offset < length == FILM_BYTES
        page.wait_for_timeout(300)
        assert studio.uploads() == [(offset, length)]
        at_rate(line, FAST)
        page.get_by_role("button", name="Go on: hips.mp4").click()
        expect(row(page, path.name)).to_have_attribute("data-state", "queued")
    assert studio.stored() == {path.name: _digest(path)}


def test_a_network_that_is_lost_and_comes_back_is_waited_for(studio: Studio, tmp_path: Path) -> None:
    path = film(tmp_path)
    with studio.window() as window:
        page = window.new_page()
        page.goto(LIST)
        line = network(page)
        at_rate(line, SLOW)
        choose(page, path)
        is_under_way(page, path.name)
        at_rate(line, SLOW, is_offline=True)
        # What the browser calls offline begins nothing new; this is what breaks the line.
        studio.server.kill()
        expect(row(page, path.name)).to_have_attribute("data-state", "stopped")
        expect(row(page, path.name)).to_contain_text("It goes on when the network is back.")
        studio.server.start()
        at_rate(line, FAST)
        expect(row(page, path.name)).to_have_attribute("data-state", "queued")
    assert studio.stored() == {path.name: _digest(path)}


def test_a_window_that_was_closed_is_opened_again_and_the_file_goes_on(
    studio: Studio, tmp_path: Path
) -> None:
    path = film(tmp_path, size=LARGE_BYTES)
    with studio.window() as window:
        page = window.new_page()
        page.goto(LIST)
        at_rate(network(page), LARGE_BYTES // 5)
        choose(page, path)
        is_under_way(page, path.name, least=30)
        with studio.asleep():
            page.close()
        again = window.new_page()
        starts: list[int] = []
        again.on(
            "request",
            lambda sent: (
                starts.append(int(sent.headers["upload-offset"])) if sent.method == "PATCH" else None
            ),
        )
        again.goto(LIST)
        expect(row(again, path.name)).to_have_attribute("data-state", "again")
        expect(row(again, path.name)).to_contain_text("Choose this file again and it goes on from there.")
        ((offset, _length),) = studio.uploads()
        choose(again, path)
        expect(row(again, path.name)).to_have_attribute("data-state", "queued")
        expect(again.locator(".upload-row")).to_have_count(1)
        assert starts[0] == offset > 0
    assert studio.stored() == {path.name: _digest(path)}


def test_what_may_not_come_is_said_before_a_byte_is_sent(studio: Studio, tmp_path: Path) -> None:
    large = tmp_path / "whole-weekend.mp4"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    (tmp_path / "notes.txt").write_text("Hold for two seconds.")
    (tmp_path / "empty.mp4").write_bytes(b"")
    with studio.window() as window:
        page = window.new_page()
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.method))
        page.goto(LIST)
        choose(page, large, tmp_path / "notes.txt", tmp_path / "empty.mp4")
        for name, words in (
            (large.name, "the most that is taken is 50 MB"),
            ("notes.txt", "This is not a film."),
            ("empty.mp4", "This file is empty."),
        ):
            expect(row(page, name)).to_have_attribute("data-state", "failed")
            expect(row(page, name)).to_contain_text(words)
        assert "PATCH" not in sent
        page.get_by_role("button", name="Remove from the list: notes.txt").click()
        expect(page.locator(".upload-row")).to_have_count(2)
    assert studio.uploads() == []


def test_an_upload_that_is_cancelled_leaves_nothing(studio: Studio, tmp_path: Path) -> None:
    path, before = film(tmp_path), studio.files()
    with studio.window() as window:
        page = window.new_page()
        page.goto(LIST)
        at_rate(network(page), SLOW)
        choose(page, path)
        is_under_way(page, path.name)
        assert studio.files() > before
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Cancel: hips.mp4").click()
        expect(page.locator(".upload-row")).to_have_count(0)
        page.reload()
        expect(page.locator(".upload-row")).to_have_count(0)
    assert studio.uploads() == []
    assert studio.files() == before
    assert studio.stored() == {}
