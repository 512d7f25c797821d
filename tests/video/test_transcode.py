"""From an upload's last byte to a stream that can be watched, by the real engine and the real ffmpeg."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app import db
from app.jobs import engine, lifeline
from app.settings import get_settings
from app.video import parts, queueing, removal, transcode, upload_parts, words  # noqa: F401 (registers the work)
from app.video.models import Video
from tests import factories
from tests.forked import start_worker
from tests.video.sources import AAC, X264, ffmpeg, sound


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=3", *sound(3), *X264, *AAC, path)
    return path


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough that an encode can be interrupted."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=60", *sound(60), *X264, *AAC, path)
    return path


@pytest.fixture
async def worker(database: db.Database) -> AsyncIterator[str]:
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    await engine.register_queues(encode_concurrency=1)
    yield executor_id
    await asyncio.to_thread(engine.stop, 1)


async def add_video(source: bytes, name: str = "clip.mp4") -> UUID:
    """A video whose source lies in storage and whose work is queued, as after the last byte of an upload."""
    async with db.transaction() as session:
        owner = await factories.staff(session)
        video = Video(
            title="Clip",
            source_filename=name,
            source_key="",
            source_bytes=len(source),
            uploaded_by=owner.id,
        )
        session.add(video)
        await session.flush()
        video.source_key = upload_parts.source_key(video.id, name)
        path = get_settings().media_dir / video.source_key
        path.parent.mkdir(parents=True)
        path.write_bytes(source)
        await queueing.enqueue_transcode(session, video.id, video.attempt)
    return video.id


async def until_ended(video_id: UUID, seconds: float = 60) -> Video:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        async with db.transaction() as session:
            video = await session.get_one(Video, video_id)
        if video.state in ("ready", "failed"):
            return video
        await asyncio.sleep(0.1)
    raise AssertionError(f"it is still {video.state} ({video.percent} %)")


async def test_a_clip_becomes_a_stream(worker: str, clip: Path) -> None:
    video = await until_ended(await add_video(clip.read_bytes()))
    assert (video.state, video.failure, video.version, video.percent) == ("ready", None, 1, 100)
    assert (video.width_px, video.height_px) == (640, 360)
    assert video.duration_s == pytest.approx(3, abs=0.1)
    folder = get_settings().media_dir / "videos" / str(video.id) / "1"
    assert (folder / "master.m3u8").read_text().startswith("#EXTM3U")
    assert (folder / "poster.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    await until_gone(parts.work_folder(str(video.id), 1))


async def until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 15
    while folder.exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_a_text_that_is_called_a_film_fails_in_words(worker: str) -> None:
    video = await until_ended(await add_video(b"Hold for two seconds.\n" * 100, "notes.mp4"))
    assert (video.state, video.version) == ("failed", 0)
    assert video.failure
    assert video.failure.endswith(".")


async def test_a_source_that_is_gone_fails_in_words(worker: str, clip: Path) -> None:
    video_id = await add_video(b"")
    (get_settings().media_dir / upload_parts.source_key(video_id, "clip.mp4")).unlink(missing_ok=True)
    video = await until_ended(video_id)
    assert video.state == "failed"
    assert "upload the film again" in (video.failure or "")


async def test_work_for_an_older_attempt_writes_nothing(worker: str, clip: Path) -> None:
    video_id = await add_video(clip.read_bytes())
    async with db.transaction() as session:
        video = await session.get_one(Video, video_id)
        video.attempt = 2
        await queueing.enqueue_transcode(session, video_id, 2)
    video = await until_ended(video_id)
    assert (video.state, video.version) == ("ready", 2)
    # The older attempt may still be on its way to learning so.
    folder = get_settings().media_dir / "videos" / str(video_id)
    await until_gone(folder / "1")
    assert [path.name for path in folder.iterdir()] == ["2"]


async def until_encoding(video_id: UUID, percent: int) -> None:
    for _ in range(600):
        async with db.transaction() as session:
            video = await session.get_one(Video, video_id)
        if video.state == "encoding" and video.percent >= percent:
            return
        assert video.state != "failed", video.failure
        await asyncio.sleep(0.05)
    raise AssertionError(f"it never came to {percent} %, but to {video.state} {video.percent}")


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_an_interrupted_encode_ends_ready_once(
    database: db.Database, long_clip: Path, how: signal.Signals
) -> None:
    video_id = await add_video(long_clip.read_bytes(), "long.mp4")
    first = start_worker(database.url)
    second = None
    try:
        await until_encoding(video_id, 10)
        first.send_signal(how)
        await asyncio.to_thread(first.wait, 30)
        second = start_worker(database.url)
        video = await until_ended(video_id, 110)
    finally:
        for process in (first, second):
            if process is not None and process.poll() is None:
                process.terminate()
                await asyncio.to_thread(process.wait, 30)
    assert (video.state, video.version) == ("ready", 1)
    folder = get_settings().media_dir / "videos" / str(video_id)
    assert [path.name for path in folder.iterdir()] == ["1"]


async def test_a_video_that_is_deleted_meanwhile_leaves_no_work(worker: str, long_clip: Path) -> None:
    video_id = await add_video(long_clip.read_bytes(), "long.mp4")
    await until_encoding(video_id, 1)
    async with db.transaction() as session:
        await session.delete(await session.get_one(Video, video_id))
    await until_gone(parts.work_folder(str(video_id), 1))
    assert not (get_settings().media_dir / "videos" / str(video_id)).exists()


@pytest.mark.long
async def test_a_worker_killed_at_any_moment_leaves_one_whole_stream(
    database: db.Database, long_clip: Path
) -> None:
    chance = random.Random(7)
    video_id = await add_video(long_clip.read_bytes(), "long.mp4")
    for _n in range(8):
        worker = start_worker(database.url)
        await asyncio.sleep(chance.uniform(2, 12))
        worker.kill()
        await asyncio.to_thread(worker.wait, 30)
    last = start_worker(database.url)
    try:
        video = await until_ended(video_id, 300)
    finally:
        last.terminate()
        await asyncio.to_thread(last.wait, 30)
    assert (video.state, video.version, video.failure) == ("ready", 1, None)
    folder = get_settings().media_dir / "videos" / str(video_id)
    assert [path.name for path in folder.iterdir()] == ["1"]
    assert (folder / "1" / "master.m3u8").exists()
    await until_gone(parts.work_folder(str(video_id), 1))


async def test_the_stream_that_is_shown_is_never_taken_for_a_failed_one(worker: str, clip: Path) -> None:
    video = await until_ended(await add_video(clip.read_bytes()))
    folder = get_settings().media_dir / "videos" / str(video.id)
    (folder / "2").mkdir()
    for version in (1, 2):
        await removal.remove_version(str(video.id), version)
    assert [path.name for path in folder.iterdir()] == ["1"]


async def test_what_waited_says_so_only_while_it_waits() -> None:
    video = Video(state="queued", stage=words.NO_STORAGE)
    assert words.stage(video) == "Waiting for the storage to answer"
    video.state = "encoding"
    assert words.stage(video) == "Encoding"
