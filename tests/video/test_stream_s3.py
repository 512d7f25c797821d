"""A film's whole life with its media in S3: encoded, captioned, given a picture, encoded again, and deleted."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import boto3  # type: ignore[import-untyped]  # it has no stubs
import pytest
from PIL import Image

from app import db, storage
from app.clock import utcnow
from app.jobs import engine, lifeline
from app.settings import get_settings
from app.video import (  # noqa: F401 (they register the work)
    captioning,
    captions_files,
    editing,
    poster_choice,
    poster_rules,
    queries,
    queueing,
    removal,
    transcode,
)
from app.video.captions_models import CaptionTrack
from app.video.models import Video
from app.video.upload_parts import source_key
from tests import factories
from tests.s3 import credentials, object_store
from tests.video.sources import AAC, X264, ffmpeg, sound

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("storage_s3")]
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\nLie on your back.\n"
JPEG = b"\xff\xd8\xff"
Thing = TypeVar("Thing")


@pytest.fixture
def in_s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """This process keeps its media in an empty bucket, and has a data folder of its own."""
    with object_store() as endpoint:
        for name, value in {
            **credentials(endpoint),
            "LIMBER_DATA_DIR": str(tmp_path),
            "LIMBER_STORAGE_URL": "s3://films/studio",
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="films")
        _fresh()
        yield
        monkeypatch.undo()
        _fresh()


def _fresh() -> None:
    for known in (get_settings, storage.store, storage._s3):
        known.cache_clear()


@pytest.fixture
async def worker(in_s3: None, database: db.Database) -> AsyncIterator[None]:
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    await engine.register_queues(encode_concurrency=1)
    yield
    await asyncio.to_thread(engine.stop, 1)


async def until(look: Callable[[], Awaitable[Thing | None]], what: str) -> Thing:
    """The first answer that is something."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if answer := await look():
            return answer
        await asyncio.sleep(0.2)
    raise AssertionError(what)


async def until_ready(video_id: UUID, version: int) -> Video:
    async def look() -> Video | None:
        async with db.transaction() as session:
            row = await session.get_one(Video, video_id)
        assert row.state != "failed", row.failure
        return row if row.version == version else None

    return await until(look, f"version {version} does not get ready")


async def begun(film: Path) -> tuple[UUID, UUID]:
    """A video whose source lies in S3 and whose work is queued; its id, and a teacher's."""
    async with db.transaction() as session:
        staff = await factories.staff(session)
        row = await factories.video(session, version=0, state="queued", source_bytes=film.stat().st_size)
        row.source_key = source_key(row.id, "film.mp4")
    await storage.put(row.source_key, film)
    async with db.transaction() as session:
        await captioning.add(session, staff.id, row.id, "en", "", VTT.encode(), utcnow())
        await queueing.enqueue_transcode(session, row.id, row.attempt)
    return row.id, staff.id


async def text(key: str) -> str:
    return (await storage.get(key)).decode()


async def until_said(place: str, language: str, words: str) -> None:
    async def look() -> bool:
        try:
            return words in await text(f"{place}/t/{language}.vtt")
        except FileNotFoundError:
            return False

    await until(look, f"captions in {language} do not say {words!r}")


async def has_sidecars(video: Video) -> None:
    """Captions in the master, a storyboard whose sheets are pictures, and every poster that is offered."""
    place = f"videos/{video.id}/{video.version}"
    assert 'LANGUAGE="en"' in await text(f"{place}/master.m3u8")
    board = await text(f"{place}/storyboard/storyboard.vtt")
    sheets = {line.partition("#")[0] for line in board.splitlines() if "#xywh=" in line}
    assert sheets
    for sheet in sheets:
        with Image.open(io.BytesIO(await storage.get(f"{place}/storyboard/{sheet}"))) as picture:
            assert picture.format == "JPEG"
    offered = {
        key.split("/")[-2] for key in await storage.sizes(f"{place}/posters") if key.endswith("/poster.jpg")
    }
    assert offered == {str(at) for at in video.poster_times}
    assert (await storage.get(f"{place}/poster.jpg")).startswith(JPEG)


async def changed_in_words(video_id: UUID, staff_id: UUID) -> None:
    place = f"videos/{video_id}/1"
    async with db.transaction() as session:
        track: CaptionTrack = (await queries.caption_tracks(session, video_id))[0]
        await captioning.edit(
            session, staff_id, video_id, track.id, "English", VTT.replace("back", "side"), utcnow()
        )
        await captioning.add(session, staff_id, video_id, "de", "", VTT.encode(), utcnow())
        await captioning.set_chapters(session, staff_id, video_id, "0:00 Warm-up\n0:02 Hips")
    await until_said(place, "en", "Lie on your side.")
    await until_said(place, "de", "Lie on your back.")
    async with db.transaction() as session:
        german = next(one for one in await queries.caption_tracks(session, video_id) if one.language == "de")
        await captioning.remove(session, staff_id, video_id, german.id)

    async def gone() -> bool:
        return f"{place}/t/de.vtt" not in await storage.sizes(f"{place}/t")

    await until(gone, "deleted captions stay")
    assert 'LANGUAGE="de"' not in await text(f"{place}/master.m3u8")


async def test_a_film_in_s3_has_all_that_one_on_disk_has_and_leaves_nothing(
    worker: None, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=5", *sound(5), *X264, *AAC, film)
    video_id, staff_id = await begun(film)
    first = await until_ready(video_id, 1)
    await has_sidecars(first)
    await changed_in_words(video_id, staff_id)
    wanted = first.poster_times[-1]
    own = await poster_choice.store(video_id, dict.fromkeys(poster_rules.NAMES, b"own"))
    async with db.transaction() as session:
        await poster_choice.show_own(session, staff_id, video_id, own, utcnow())
    async with db.transaction() as session:
        await poster_choice.choose(session, staff_id, video_id, str(wanted), utcnow())
        await editing.retry(session, staff_id, video_id, utcnow())
    second = await until_ready(video_id, 2)
    await has_sidecars(second)
    await until_said(f"videos/{video_id}/2", "en", "Lie on your side.")
    chosen = poster_rules.folder(second.id, second)
    assert (await storage.get(f"{chosen}/poster.jpg")).startswith(JPEG)
    assert await storage.get(f"videos/{video_id}/own/{own.name}/poster.jpg") == b"own"
    async with db.transaction() as session:
        await editing.delete(session, staff_id, video_id, [])

    async def nothing_left() -> bool:
        return not await storage.sizes("videos") and not await storage.sizes("sources")

    await until(nothing_left, "a deleted video leaves objects")
    assert not list((tmp_path / "media").rglob("*")), "nothing of it was on this disk"
