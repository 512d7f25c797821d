"""Storage against the database: what is missing is found and made again, what belongs to nothing goes, nothing else."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app import db, storage
from app.clock import utcnow
from app.settings import get_settings
from app.video import objects, storage_verify, streams, upload_files
from app.video.models import Upload, Video
from app.video.objects import Stored
from app.video.storage_verify import Known, WrongDatabase, verify, why_orphan
from app.video.upload_files import video_id_of
from tests import factories

STREAM = {
    "master.m3u8": '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="sound/list.m3u8"\n#EXT-X-STREAM-INF:\n720p/list.m3u8\n',
    "sound/list.m3u8": '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\n1.m4s\n#EXT-X-ENDLIST\n',
    "720p/list.m3u8": '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\n1.m4s\n#EXTINF:4,\n2.m4s\n#EXT-X-ENDLIST\n',
    "sound/init.mp4": "i",
    "sound/1.m4s": "s",
    "720p/init.mp4": "i",
    "720p/1.m4s": "v",
    "720p/2.m4s": "v",
    "poster.jpg": "p",
    "storyboard/storyboard.vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:08.000\n0-1.jpg#xywh=0,0,256,144\n",
    "storyboard/0-1.jpg": "s",
}
NOW = utcnow()


@pytest.fixture
async def empty(database: db.Database) -> AsyncIterator[None]:
    """Other tests of this process leave files in the one folder for media."""
    for folder in storage_verify.FOLDERS:
        await storage.delete_prefix(folder)
    await asyncio.to_thread(shutil.rmtree, upload_files.folder(), ignore_errors=True)
    yield
    for folder in storage_verify.FOLDERS:
        await storage.delete_prefix(folder)


async def add(**values: Any) -> UUID:
    """A video with its whole stream and its source."""
    async with db.transaction() as session:
        row: Video = await factories.video(session, source_bytes=6, **values)
        row.source_key = f"sources/{row.id}/original.mov"
    await storage.put(row.source_key, b"source")
    for name, words in STREAM.items():
        await storage.put(f"videos/{row.id}/{row.version}/{name}", words.encode())
    return row.id


async def lose(key: str) -> None:
    await objects.delete([key])


def age(key: str, hours: float = 25) -> None:
    then = time.time() - hours * 3600
    os.utime(get_settings().media_dir / key, (then, then))


async def put_old(key: str) -> None:
    await storage.put(key, b"x")
    age(key)


async def video(video_id: UUID) -> Video:
    async with db.transaction() as session:
        return await session.get_one(Video, video_id)


async def test_what_is_whole_is_not_touched(empty: None) -> None:
    said: list[str] = []
    await add()
    await add(version=4, attempt=4)
    found = await verify(utcnow(), said.append, repair=True)
    assert (found.videos, found.objects, found.broken, found.orphans, found.wrong) == (2, 24, 0, 0, 0)
    assert said == []


@pytest.mark.parametrize("name", STREAM)
async def test_each_file_that_a_stream_names_is_missed(empty: None, name: str) -> None:
    video_id = await add()
    prefix = f"videos/{video_id}/1"
    await lose(f"{prefix}/{name}")
    assert await streams.missing(prefix) == [f"{prefix}/{name}"]
    await storage.put(f"{prefix}/{name}", b"")
    assert await streams.missing(prefix) == [f"{prefix}/{name}"]


async def test_a_stream_from_before_there_were_storyboards_lacks_nothing(empty: None) -> None:
    video_id = await add()
    for name in ("storyboard/storyboard.vtt", "storyboard/0-1.jpg"):
        await lose(f"videos/{video_id}/1/{name}")
    assert await streams.missing(f"videos/{video_id}/1") == []


async def test_posters_that_are_offered_or_chosen_belong(empty: None) -> None:
    said: list[str] = []
    video_id = await add(poster_times=[4000, 8000], poster_choice="own", poster_own="b" * 32)
    for at_ms in (4000, 8000):
        for name in ("poster.jpg", "poster-small.jpg"):
            await put_old(f"videos/{video_id}/1/posters/{at_ms}/{name}")
    for own in ("a", "b"):
        await put_old(f"videos/{video_id}/own/{own * 32}/poster.jpg")
        await put_old(f"videos/{video_id}/own/{own * 32}/poster-small.jpg")
    found = await verify(utcnow(), said.append, repair=True)
    assert (found.broken, found.orphans, found.repaired, found.wrong) == (0, 2, 2, 0)
    assert all("a" * 32 in line and "another picture replaced it" in line for line in said)


async def test_a_chosen_picture_that_is_lost_is_said_and_limber_chooses_again(empty: None) -> None:
    said: list[str] = []
    video_id = await add(poster_choice="own", poster_own="b" * 32)
    await put_old(f"videos/{video_id}/own/{'b' * 32}/poster.jpg")
    found = await verify(utcnow(), said.append)
    assert (found.broken, found.wrong) == (1, 1)
    assert said == [f"missing  videos/{video_id}/own/{'b' * 32}/poster-small.jpg"]
    found = await verify(utcnow(), said.append, repair=True)
    assert (found.broken, found.orphans, found.repaired, found.wrong) == (1, 1, 2, 0), "its other half goes"
    after = await video(video_id)
    assert (after.poster_choice, after.poster_own, after.poster_version) == ("auto", "", 1)
    assert after.state == "ready", "nothing is encoded for a picture"


async def test_a_stream_that_lacks_a_file_is_encoded_again(empty: None) -> None:
    said: list[str] = []
    video_id = await add()
    await lose(f"videos/{video_id}/1/720p/2.m4s")
    found = await verify(utcnow(), said.append)
    assert (found.broken, found.wrong, found.repaired) == (1, 1, 0)
    assert said == [f"missing  videos/{video_id}/1/720p/2.m4s"]
    assert (await video(video_id)).state == "ready"
    found = await verify(utcnow(), said.append, repair=True)
    assert (found.broken, found.wrong, found.repaired) == (1, 0, 1)
    assert ((await video(video_id)).state, (await video(video_id)).attempt) == ("queued", 2)
    async with db.transaction() as session:
        works = list(await session.scalars(text("SELECT workflow_uuid FROM dbos.workflow_status")))
    assert works == [f"transcode:{video_id}:2"]
    found = await verify(utcnow(), said.append, repair=True)
    assert (found.wrong, (await video(video_id)).attempt) == (0, 2)


async def test_a_video_that_lost_its_source_too_fails_in_words(empty: None) -> None:
    video_id = await add()
    await lose(f"videos/{video_id}/1/720p/2.m4s")
    await lose(f"sources/{video_id}/original.mov")
    found = await verify(utcnow(), lambda _line: None, repair=True)
    assert (found.broken, found.wrong) == (1, 1)
    assert (await video(video_id)).state == "failed"
    assert "upload the film again" in ((await video(video_id)).failure or "")


async def test_a_lost_source_alone_is_told_and_an_unkept_one_is_not(empty: None) -> None:
    first, second = await add(), await add()
    await lose(f"sources/{first}/original.mov")
    await lose(f"sources/{second}/original.mov")
    async with db.transaction() as session:
        (await session.get_one(Video, second)).source_key = ""
    said: list[str] = []
    found = await verify(utcnow(), said.append)
    assert (found.broken, found.wrong) == (1, 1)
    assert str(first) in said[0]
    assert (await video(first)).state == "ready"


async def test_orphans_go_when_they_are_a_day_old_and_nothing_else_does(empty: None) -> None:
    kept, stranger = await add(version=3, attempt=3, ready_at=NOW - timedelta(days=2)), uuid4()
    orphans = [
        f"videos/{stranger}/1/master.m3u8",
        f"sources/{stranger}/original.mov",
        f"videos/{kept}/2/master.m3u8",
        f"videos/{kept}/4/master.m3u8",
        f"videos/{kept}/.publish-x/master.m3u8",
        f"sources/{kept}/.original.mov.part",
        "videos/what.txt",
    ]
    for key in orphans:
        await put_old(key)
    await storage.put(f"videos/{uuid4()}/1/master.m3u8", b"young")
    said: list[str] = []
    found = await verify(utcnow(), said.append)
    assert (found.orphans, found.young, found.wrong) == (len(orphans), 1, len(orphans))
    assert sorted(line.split()[1] for line in said) == sorted(orphans)
    found = await verify(utcnow(), said.append, repair=True)
    assert (found.repaired, found.wrong) == (len(orphans), 0)
    found = await verify(utcnow(), said.append)
    assert (found.orphans, found.young, found.broken, found.objects) == (0, 1, 0, len(STREAM) + 2)


async def test_an_upload_that_is_about_to_be_a_video_keeps_its_file(empty: None) -> None:
    await add()
    async with db.transaction() as session:
        owner = await factories.staff(session)
        upload = Upload(owner_id=owner.id, filename="a.mov", length_bytes=1, expires_at=NOW)
        session.add(upload)
        await session.flush()
    await put_old(f"sources/{video_id_of(upload.id)}/original.mov")
    assert (await verify(utcnow(), lambda _line: None)).orphans == 0


async def test_leftovers_of_uploads_go_when_they_are_a_day_old(empty: None) -> None:
    await add()
    old, young = uuid4(), uuid4()
    for upload_id in (old, young):
        upload_files.create(upload_id)
    then = time.time() - 25 * 3600
    os.utime(upload_files.path_of(old), (then, then))
    said: list[str] = []
    found = await verify(utcnow(), said.append, repair=True)
    assert (found.orphans, found.young, found.wrong) == (1, 1, 0)
    assert said == [f"removed  uploads/{old} (no upload has this id)"]
    assert not upload_files.path_of(old).exists()
    assert upload_files.path_of(young).exists()
    upload_files.remove(young)


async def test_an_empty_database_repairs_nothing(empty: None) -> None:
    await put_old(f"videos/{uuid4()}/1/master.m3u8")
    with pytest.raises(WrongDatabase):
        await verify(utcnow(), lambda _line: None, repair=True)


@pytest.mark.parametrize(
    ("name", "known", "is_orphan"),
    [
        ("3/master.m3u8", Known(version=3, attempt=3), False),
        ("4/master.m3u8", Known(version=3, attempt=4, is_busy=True), False),
        ("4/master.m3u8", Known(version=3, attempt=5, is_busy=True), True),
        ("4/master.m3u8", Known(version=3, attempt=4), True),
        ("2/master.m3u8", Known(version=3, attempt=3, ready_at=NOW - timedelta(hours=23)), False),
        ("2/master.m3u8", Known(version=3, attempt=3, ready_at=NOW - timedelta(hours=25)), True),
        ("1/a.m4s", Known(version=0, attempt=1, is_busy=True), False),
        ("captions/en.vtt", Known(version=3, attempt=3), False),
    ],
)
def test_an_object_belongs_to_what_is_shown_made_or_lately_shown(
    name: str, known: Known, is_orphan: bool
) -> None:
    entry = Stored(f"videos/{uuid4()}/{name}", 1, NOW, "")
    assert (why_orphan(entry, known, NOW) is not None) is is_orphan
