"""The stream's front door: who gets bytes, who gets the sentence, and how often the database is asked."""

from collections.abc import MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from app import db
from app.access.models import Entitlement
from app.accounts.models import User, UserSession
from app.catalog.models import Course, Lesson
from app.clock import utcnow
from app.playback import tokens
from app.playback.models import Playback
from app.playback.standing import standing
from app.playback.starting import media_ring
from app.settings import get_settings
from tests import factories
from tests.conftest import application
from tests.statements import statements

SENTENCE = "Please log in to watch the paid videos."
BYTES = bytes(range(256)) * 40


class Watched:
    """A member who may watch, and the address of what they watch."""

    def __init__(self, lesson: Lesson, member: User, playlist_url: str) -> None:
        self.lesson = lesson
        self.member = member
        self.playlist_url = playlist_url
        self.base = playlist_url.removesuffix("master.m3u8")
        self.token, self.video, self.version = playlist_url.split("/")[2:5]

    @property
    def playback_id(self) -> UUID:
        verified = tokens.verify(media_ring(), self.token, self.video, self.version, 0)
        assert verified is not None
        return verified.playback_id


def fill(video_id: UUID, version: int = 1) -> Path:
    """Put a small stream where the transcoder would."""
    folder = get_settings().media_dir / "videos" / str(video_id) / str(version)
    (folder / "360p").mkdir(parents=True, exist_ok=True)
    (folder / "master.m3u8").write_text("#EXTM3U\n")
    (folder / "360p" / "media.m3u8").write_text("#EXTM3U\n")
    (folder / "360p" / "init.mp4").write_bytes(b"init")
    (folder / "360p" / "seg_00001.m4s").write_bytes(BYTES)
    (folder / "poster.jpg").write_bytes(b"\xff\xd8poster")
    return folder


@pytest.fixture
async def watched(client: httpx.AsyncClient) -> Watched:
    async with db.transaction() as session:
        member = await factories.user(session)
        section = await factories.section(session, await factories.course(session))
        lesson = await factories.lesson(session, section)
        await factories.entitlement(session, member)
    assert lesson.video_id
    fill(lesson.video_id)
    await factories.sign_in(client, member)
    answer = await client.post(f"/lessons/{lesson.id}/playback")
    assert answer.status_code == 201
    client.cookies.clear()
    return Watched(lesson, member, answer.json()["playlist_url"])


async def get_raw(raw_path: bytes) -> httpx.Response:
    """Ask for a path exactly as it is spelled: httpx would tidy dots away, a hostile client does not."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": unquote(raw_path.decode("latin-1")),
        "raw_path": raw_path,
        "query_string": b"",
        "headers": [(b"host", b"limber.test")],
        "client": ("127.0.0.1", 1),
        "server": ("limber.test", 443),
    }
    await application()(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body)


async def test_a_token_opens_playlists_and_segments_without_a_cookie(
    client: httpx.AsyncClient, watched: Watched
) -> None:
    master = await client.get(watched.playlist_url)
    assert (master.status_code, master.headers["content-type"]) == (200, "application/vnd.apple.mpegurl")
    segment = await client.get(watched.base + "360p/seg_00001.m4s")
    assert segment.content == BYTES
    assert segment.headers["content-type"] == "video/iso.segment"
    age = segment.headers["cache-control"]
    assert age.startswith("private, max-age=")
    assert 280 <= int(age.rpartition("=")[2]) <= 300
    assert "access-control-allow-origin" not in segment.headers
    assert segment.headers["x-content-type-options"] == "nosniff"
    head = await client.head(watched.base + "360p/init.mp4")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "4", b"")


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-9", 206, BYTES[:10]),
        ("bytes=10000-", 206, BYTES[10000:]),
        ("bytes=-5", 206, BYTES[-5:]),
        ("bytes=99999-", 416, None),
    ],
)
async def test_byte_ranges_work(
    client: httpx.AsyncClient, watched: Watched, asked: str, status: int, expected: bytes | None
) -> None:
    answer = await client.get(watched.base + "360p/seg_00001.m4s", headers={"Range": asked})
    assert answer.status_code == status
    assert expected is None or answer.content == expected


async def test_no_query_per_segment(
    client: httpx.AsyncClient, watched: Watched, database: db.Database
) -> None:
    with statements(database) as seen:
        for _ in range(30):
            assert (await client.get(watched.base + "360p/seg_00001.m4s")).status_code == 200
    # What began lately, and the keys, are read every so often, whoever asks for what.
    assert len([statement for statement in seen if "playback.id = ANY" in statement]) == 1
    assert len(seen) <= 3


async def test_a_file_that_is_not_there_is_404_for_those_who_may(
    client: httpx.AsyncClient, watched: Watched
) -> None:
    assert (await client.get(watched.base + "360p/seg_99999.m4s")).status_code == 404
    assert (await client.get(watched.base + "360p")).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "x/y/1/master.m3u8",
        "{token}/{video}/1",
        "{token}/{video}/1/",
        "{token}/{video}/01/master.m3u8",
        "{token}/{video}/2/master.m3u8",
        "{token}/{upper}/1/master.m3u8",
        "{token}/{other}/1/master.m3u8",
        "{token}x/{video}/1/master.m3u8",
        "{cut}/{video}/1/master.m3u8",
        "{token}/{video}/1/../1/master.m3u8",
        "{token}/{video}/1/%2e%2e/1/master.m3u8",
        "{token}/{video}/1/..%2f1%2fmaster.m3u8",
        "{token}/{video}/1/..%5c1%5cmaster.m3u8",
        "{token}/{video}/1/%6daster.m3u8",
        "{token}/{video}/1//master.m3u8",
        "{token}/{video}/1/./master.m3u8",
        "{token}/{video}/1//etc/passwd.jpg",
        "{token}/{video}/1/master.m3u8%00.jpg",
        "{token}/{video}/1/master.m3u8%0a",
        "{token}/{video}/1/master.m3u8/",
        "{token}/{video}/1/m\u00e4ster.m3u8",
        "{token}/{video}/1/.hidden.jpg",
        "{token}/{video}/1/source.py",
        "{token}/{video}/1/link.jpg",
    ],
)
async def test_every_other_address_gets_the_sentence_and_nothing_else(
    client: httpx.AsyncClient, watched: Watched, path: str, tmp_path: Path
) -> None:
    folder = get_settings().media_dir / "videos" / watched.video / "1"
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    (folder / "source.py").write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(secret)
    filled = path.format(
        token=watched.token,
        cut=watched.token[:-1],
        video=watched.video,
        upper=watched.video.upper(),
        other=uuid4(),
    )
    answer = await get_raw(f"/media/{filled}".encode())
    asked = await client.get("/media-auth", headers=[(b"X-Original-URI", f"/media/{filled}".encode())])
    if path.endswith("link.jpg"):
        # Well spelled, so nginx's disable_symlinks answers for it there.
        assert (answer.status_code, asked.status_code) == (404, 204)
        return
    assert (answer.status_code, asked.status_code) == (403, 403)
    assert answer.text == SENTENCE
    assert answer.headers["cache-control"] == "no-store"


async def test_a_token_warmed_on_a_free_film_opens_no_paid_one(
    client: httpx.AsyncClient, watched: Watched
) -> None:
    async with db.transaction() as session:
        section = await factories.section(session, await factories.course(session))
        free = await factories.lesson(session, section, is_free=True)
    assert free.video_id
    fill(free.video_id)
    playlist = (await client.post(f"/lessons/{free.id}/playback")).json()["playlist_url"]
    assert (await client.get(playlist)).status_code == 200
    stolen = playlist.replace(str(free.video_id), watched.video)
    assert (await client.get(stolen)).status_code == 403
    assert (await client.get("/media-auth", headers={"X-Original-URI": stolen})).status_code == 403


async def test_an_ended_token_is_refused(client: httpx.AsyncClient, watched: Watched) -> None:
    past = int(utcnow().timestamp()) - 1
    old = tokens.sign(media_ring(), watched.playback_id, UUID(watched.video), 1, past)
    answer = await client.get(f"/media/{old}/{watched.video}/1/master.m3u8")
    assert (answer.status_code, answer.text) == (403, SENTENCE)


async def _end(what: str, watched: Watched) -> None:
    now = utcnow()
    async with db.transaction() as session:
        match what:
            case "entitlement over":
                await session.execute(update(Entitlement).values(ends_at=now))
            case "entitlement revoked":
                await session.execute(update(Entitlement).values(revoked_at=now))
            case "entitlement deleted":
                await session.delete(await session.get(User, watched.member.id))
            case "signed out":
                await session.execute(update(UserSession).values(revoked_at=now))
            case "sign-in expired":
                await session.execute(update(UserSession).values(expires_at=now - timedelta(seconds=1)))
            case "banned":
                await session.execute(update(User).values(banned_at=now))
            case "playback stopped":
                await session.execute(update(Playback).values(revoked_at=now))
            case "lesson withdrawn":
                await session.execute(update(Lesson).values(state="draft"))
            case "course withdrawn":
                await session.execute(update(Course).values(state="draft"))
            case "lesson has another film":
                other = await factories.video(session)
                await session.execute(update(Lesson).values(video_id=other.id))


@pytest.mark.parametrize(
    "what",
    [
        "entitlement over",
        "entitlement revoked",
        "entitlement deleted",
        "signed out",
        "sign-in expired",
        "banned",
        "playback stopped",
        "lesson withdrawn",
        "course withdrawn",
        "lesson has another film",
    ],
)
async def test_a_copied_address_dies_with_its_cause(
    client: httpx.AsyncClient, watched: Watched, what: str
) -> None:
    assert (await client.get(watched.playlist_url)).status_code == 200
    await _end(what, watched)
    standing.forget()
    answer = await client.get(watched.playlist_url)
    assert (answer.status_code, answer.text) == (403, SENTENCE)
    asked = await client.get("/media-auth", headers={"X-Original-URI": watched.playlist_url})
    assert asked.status_code == 403


async def test_nginx_gets_204_or_403_and_no_body(client: httpx.AsyncClient, watched: Watched) -> None:
    good = await client.get("/media-auth", headers={"X-Original-URI": watched.playlist_url + "?x=1"})
    assert (good.status_code, good.content) == (204, b"")
    for headers in ({}, {"X-Original-URI": ""}, {"X-Original-URI": "/account"}):
        bad = await client.get("/media-auth", headers=headers)
        assert (bad.status_code, bad.content) == (403, b"")


async def test_nginx_gets_403_even_when_the_database_is_away(
    client: httpx.AsyncClient, watched: Watched
) -> None:
    await db.close_database()
    db.open_database("postgresql://nobody@/nothing?host=/nonexistent")
    answer = await client.get("/media-auth", headers={"X-Original-URI": watched.playlist_url})
    assert answer.status_code == 403
