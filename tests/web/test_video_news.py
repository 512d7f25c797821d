"""Server-sent events about videos, over a real socket: told within a second, once, and ended in good time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.async_api import async_playwright, expect
from sqlalchemy import delete, update

from app import db
from app.accounts import sessions
from app.accounts.models import UserSession
from app.clock import utcnow
from app.settings import get_settings
from app.video.captions_models import CaptionDraft
from app.video.events import Listener
from app.video.models import Upload, Video
from tests import browsing, factories
from tests.web.server import COOKIE, Server, running

URL = "/studio/videos/events"
# One web process for all.
pytestmark = pytest.mark.xdist_group("video_news")


@pytest.fixture(scope="module")
def shared(worker_database_url: str) -> Iterator[Server]:
    with running(Server(worker_database_url, get_settings().data_dir)) as server:
        yield server


@pytest.fixture
async def server(shared: Server, database: db.Database) -> Server:
    """Running, over rows that are this test's alone."""
    if shared.process is None:
        await asyncio.to_thread(shared.start)
    return shared


@pytest.fixture
async def teacher(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with db.transaction() as session:
        user = await factories.staff(session)
        token = await sessions.start(session, user, user_agent="test", ip="127.0.0.1", now=utcnow())
    async with httpx.AsyncClient(
        base_url=server.url, cookies={COOKIE: token}, trust_env=False, verify=False, timeout=20
    ) as client:
        yield client


async def change(video: Video, **values: Any) -> None:
    async with db.transaction() as session:
        await session.execute(update(Video).where(Video.id == video.id).values(**values, changed_at=utcnow()))


class Ear:
    """Reads events of one open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines = response.aiter_lines()
        self.last_id = ""

    async def next(self, seconds: float = 5) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                line = await anext(self.lines)
                if line.startswith("id: "):
                    self.last_id = line.removeprefix("id: ")
                if line.startswith("data: "):
                    found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    return found

    async def to_the_end(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            async for _line in self.lines:
                pass


async def test_a_page_hears_of_each_change_and_comes_back_where_it_was(
    server: Server, teacher: httpx.AsyncClient
) -> None:
    async with db.transaction() as session:
        owner = await factories.staff(session)
        video = await factories.video(session, state="queued", percent=0, version=0)
        await factories.video(session, changed_at=utcnow() - timedelta(hours=1))
        upload = Upload(owner_id=owner.id, filename="a.mp4", length_bytes=1, offset_bytes=1, video_id=video.id,
                        expires_at=utcnow(), finished_at=utcnow())  # fmt: skip
        session.add(upload)
    async with teacher.stream("GET", URL) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        ear = Ear(response)
        assert await ear.next() == {
            "id": str(video.id),
            "upload_id": str(upload.id),
            "state": "queued",
            "stage": "Waiting for its turn",
            "percent": 0,
            "failure": None,
            "beginning": "",
        }
        await change(video, state="encoding", percent=40)
        told = await ear.next(3)
        assert (told["stage"], told["percent"]) == ("Encoding", 40)
        await change(video)
        await change(video, percent=41)
        assert (await ear.next())["percent"] == 41
    await change(video, state="failed", failure="It broke.")
    async with teacher.stream("GET", URL, headers={"Last-Event-ID": ear.last_id}) as response:
        told = await Ear(response).next()
        assert (told["state"], told["stage"], told["failure"]) == ("failed", "", "It broke.")


async def test_a_stream_ends_with_the_sign_in(server: Server, teacher: httpx.AsyncClient) -> None:
    async with teacher.stream("GET", URL) as response:
        async with db.transaction() as session:
            await session.execute(update(UserSession).values(revoked_at=utcnow()))
        await Ear(response).to_the_end(20)
    assert (await teacher.get(URL)).status_code == 401


async def test_what_was_committed_late_is_not_missed(database: db.Database) -> None:
    """Another transaction took its time before this one, and is seen after it."""
    now = utcnow()
    listener = Listener(now - timedelta(seconds=30))
    async with db.transaction() as session:
        await factories.video(session, changed_at=now)
    assert len(await listener.news()) == 1
    async with db.transaction() as session:
        await factories.video(session, changed_at=now - timedelta(seconds=2))
    assert len(await listener.news()) == 1
    assert await listener.news() == []


async def test_a_page_hears_of_a_draft_until_it_is_ready_or_stopped(
    server: Server, teacher: httpx.AsyncClient
) -> None:
    async with db.transaction() as session:
        long_ago = utcnow() - timedelta(hours=1)
        video = await factories.video(session, changed_at=long_ago)
        old = await factories.video(session, changed_at=long_ago)
        session.add(CaptionDraft(video_id=video.id, language="de", changed_at=long_ago))
        session.add(CaptionDraft(video_id=old.id, language="de", state="ready", changed_at=long_ago))
    async with teacher.stream("GET", URL) as response:
        ear = Ear(response)
        assert await ear.next() == {"id": str(video.id), "state": "queued", "percent": 0}
        await redraft(video, state="running", percent=40)
        assert await ear.next(3) == {"id": str(video.id), "state": "running", "percent": 40}
        # Told every second by the worker, also when nothing is new.
        await redraft(video)
        await redraft(video, state="ready", percent=100, vtt="WEBVTT\n")
        assert await ear.next() == {"id": str(video.id), "state": "ready", "percent": 100}
        await redraft(video, state="queued", percent=0)
        assert (await ear.next())["state"] == "queued"
        async with db.transaction() as session:
            await session.execute(delete(CaptionDraft).where(CaptionDraft.video_id == video.id))
        assert (await ear.next())["state"] == "gone"


@pytest.mark.browser
async def test_a_drafts_percentage_grows_on_a_page_that_is_open(server: Server) -> None:
    async with db.transaction() as session:
        user = await factories.staff(session)
        token = await sessions.start(session, user, user_agent="test", ip="127.0.0.1", now=utcnow())
        video = await factories.video(session)
        session.add(CaptionDraft(video_id=video.id, language="de"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**browsing.launch())
        page = await browser.new_page()
        await page.context.add_cookies([{"name": COOKIE, "value": token, "url": server.url}])
        await page.goto(f"{server.url}/studio/videos/{video.id}/captions")
        await page.evaluate("window.isTheSame = true")
        part = page.locator("#writing")
        await expect(part).to_contain_text("A draft in German waits for a worker.")
        await redraft(video, state="running", percent=1)
        await expect(part).to_contain_text("A draft in German is being written.")
        await redraft(video, percent=42)
        await expect(part.locator("[data-draft-percent]")).to_have_text("42")
        await expect(part.locator("progress")).to_have_js_property("value", 42)
        await redraft(video, state="ready", percent=100, vtt="WEBVTT\n")
        await expect(part.get_by_role("link", name="Read the draft")).to_be_visible()
        assert await page.evaluate("window.isTheSame"), "nothing was loaded again"
        await browser.close()


async def redraft(video: Video, **values: Any) -> None:
    async with db.transaction() as session:
        await session.execute(
            update(CaptionDraft)
            .where(CaptionDraft.video_id == video.id)
            .values(**values, changed_at=utcnow())
        )


# The last one: whoever comes after it starts the web process anew.
async def test_a_stream_ends_when_the_server_is_asked_to_stop(
    server: Server, teacher: httpx.AsyncClient
) -> None:
    async with teacher.stream("GET", URL) as response:
        ear = asyncio.create_task(Ear(response).to_the_end(10))
        await asyncio.sleep(0.5)
        before = len(server.words())
        began = time.monotonic()
        said = (await asyncio.to_thread(server.stop))[before:]
        await ear
    assert time.monotonic() - began < 3
    assert "Traceback" not in said
    assert "Cancel" not in said
