"""A course with a free and a paid lesson, each with a small stream on disk, and people who ask for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from app import db
from app.accounts.models import User
from app.catalog.models import Course, Lesson
from app.playback import tokens
from app.playback.models import Playback
from app.playback.starting import media_ring
from app.settings import get_settings
from tests import factories
from tests.conftest import application

SIGN_IN = "Please log in to watch the paid videos."
JSON = {"Accept": "application/json"}
SEGMENT = bytes(range(256)) * 40


@dataclass(frozen=True)
class Scene:
    """`duration_s` of both films: 24."""

    course: Course
    free: Lesson
    paid: Lesson
    member: User


async def set_up() -> Scene:
    """Both lessons out, their streams on disk, and a member who may watch everything."""
    async with db.transaction() as session:
        course = await factories.course(session)
        section = await factories.section(session, course)
        free = await factories.lesson(session, section, is_free=True)
        paid = await factories.lesson(session, section, position=1)
        member = await factories.user(session)
        await factories.entitlement(session, member)
    fill(free.video_id)
    fill(paid.video_id)
    return Scene(course, free, paid, member)


def fill(video_id: UUID | None, version: int = 1) -> Path:
    """A small stream where the transcoder puts them."""
    folder = get_settings().media_dir / "videos" / str(video_id) / str(version)
    (folder / "360p").mkdir(parents=True, exist_ok=True)
    (folder / "master.m3u8").write_text(f"#EXTM3U\n# {video_id} {version}\n")
    (folder / "360p" / "seg_00001.m4s").write_bytes(SEGMENT)
    return folder


@lru_cache(maxsize=1)
def _app() -> FastAPI:
    return application()


@asynccontextmanager
async def device(user: User | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser, signed in as `user`; what it asks for is JSON, as the player does."""
    transport = httpx.ASGITransport(app=_app(), raise_app_exceptions=False, client=("127.0.0.1", 50001))
    async with httpx.AsyncClient(
        transport=transport, base_url=get_settings().base_url, headers=JSON
    ) as browser:
        if user is not None:
            await factories.sign_in(browser, user)
        yield browser


async def start(browser: httpx.AsyncClient, lesson: Lesson, **asked: Any) -> dict[str, Any]:
    """Begin to watch; answers what the player gets."""
    answer = await browser.post(f"/lessons/{lesson.id}/playback", json=asked)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def renew(browser: httpx.AsyncClient, begun: dict[str, Any], **asked: Any) -> httpx.Response:
    """Ask for a new token, with the grant that came with the viewing."""
    return await browser.post(begun["renew_url"], json={"grant": begun["grant"], **asked})


def sid_of(playlist_url: str) -> UUID:
    """The session id in a playlist's token."""
    token, video, version = playlist_url.split("/")[2:5]
    verified = tokens.verify(media_ring(), token, video, version, 0)
    assert verified is not None
    return verified.playback_id


async def row_of(playlist_url: str) -> Playback:
    """The row behind a playlist's token."""
    async with db.transaction() as session:
        row = await session.get(Playback, sid_of(playlist_url))
    assert row is not None
    return row


def segment_of(playlist_url: str) -> str:
    return playlist_url.removesuffix("master.m3u8") + "360p/seg_00001.m4s"


def assert_problem(answer: httpx.Response, status: int, sentence: str) -> dict[str, Any]:
    """RFC 9457 with our sentence, kept by nobody."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["detail"]) == (status, sentence)
    return body
