"""What is left behind by crashes and by people who went away is finished or removed, and nothing else is."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app import db
from app.clock import utcnow
from app.settings import get_settings
from app.video import faults, parts, stranded, upload_files, upload_parts, upload_standing, uploads_sweep
from app.video.models import Upload, Video
from app.video.progress import Lost, Report, begin, end_failed
from app.video.queueing import enqueue_transcode
from app.video.source import EncodingFailed, VideoError
from tests import factories

LATER = timedelta(hours=1)


async def upload(data: bytes, length: int, expires_at: datetime) -> UUID:
    async with db.transaction() as session:
        owner = await factories.staff(session)
        row = Upload(
            owner_id=owner.id,
            filename="a.mp4",
            length_bytes=length,
            offset_bytes=len(data),
            expires_at=expires_at,
        )
        session.add(row)
    upload_files.create(row.id)
    upload_files.path_of(row.id).write_bytes(data)
    return row.id


async def row_of(upload_id: UUID) -> Upload | None:
    async with db.transaction() as session:
        return await session.get(Upload, upload_id)


def aged(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


async def test_a_whole_upload_without_a_video_is_finished(database: db.Database) -> None:
    """The server was killed after the last byte, and nobody came back."""
    whole = await upload(b"12345", 5, utcnow() + LATER)
    part = await upload(b"123", 5, utcnow() + LATER)
    assert await uploads_sweep.finish_whole() == 1
    row = await row_of(whole)
    assert row is not None
    assert row.video_id == upload_files.video_id_of(whole)
    assert (
        get_settings().media_dir / upload_parts.source_key(row.video_id, "a.mp4")
    ).read_bytes() == b"12345"
    other = await row_of(part)
    assert other is not None
    assert other.finished_at is None
    assert await uploads_sweep.finish_whole() == 0


async def test_a_whole_upload_whose_file_is_lost_waits_to_expire(database: db.Database) -> None:
    whole = await upload(b"12345", 5, utcnow() + LATER)
    upload_files.remove(whole)
    assert await uploads_sweep.finish_whole() == 0
    assert await row_of(whole) is not None


async def test_an_expired_upload_frees_its_space(database: db.Database) -> None:
    old = await upload(b"123", 5, utcnow() - timedelta(seconds=1))
    young = await upload(b"123", 5, utcnow() + LATER)
    assert await uploads_sweep.remove_expired() == 1
    assert await row_of(old) is None
    assert not upload_files.path_of(old).exists()
    assert await row_of(young) is not None
    assert upload_files.path_of(young).exists()


async def test_an_upload_that_bytes_arrive_for_is_left_alone(database: db.Database) -> None:
    old = await upload(b"123", 5, utcnow() - timedelta(seconds=1))
    async with db.try_lock(upload_standing.lock_name(old)) as held:
        assert held
        assert await uploads_sweep.remove_expired() == 0
    assert await row_of(old) is not None


async def test_a_finished_upload_loses_its_row_and_keeps_its_video(database: db.Database) -> None:
    whole = await upload(b"12345", 5, utcnow() + LATER)
    await uploads_sweep.finish_whole()
    async with db.transaction() as session:
        row = await session.get_one(Upload, whole)
        row.expires_at = utcnow()
        video_id = row.video_id
    assert await uploads_sweep.remove_expired() == 1
    async with db.transaction() as session:
        video = await session.get_one(Video, video_id)
    assert (get_settings().media_dir / video.source_key).exists()


async def test_leftovers_of_crashes_go_when_they_are_old(database: db.Database) -> None:
    known = await upload(b"123", 5, utcnow() + LATER)
    aged(upload_files.path_of(known), uploads_sweep.ORPHAN_S * 2)
    orphan, fresh = upload_files.folder() / str(uuid4()), upload_files.folder() / str(uuid4())
    orphan.write_bytes(b"x")
    fresh.write_bytes(b"x")
    aged(orphan, uploads_sweep.ORPHAN_S + 60)
    stale, busy = parts.work_folder(str(uuid4()), 1), parts.work_folder(str(uuid4()), 1)
    for folder in (stale, busy):
        folder.mkdir(parents=True)
    aged(stale, uploads_sweep.STALE_S + 60)
    await uploads_sweep.remove_leftovers()
    assert upload_files.path_of(known).exists()
    assert not orphan.exists()
    assert fresh.exists()
    assert not stale.exists()
    assert busy.exists()


async def test_a_video_whose_work_is_gone_fails_with_a_way_on(database: db.Database) -> None:
    then = utcnow() - timedelta(minutes=11)
    async with db.transaction() as session:
        lost = await factories.video(session, state="encoding", version=0, changed_at=then)
        ended = await factories.video(session, state="encoding", version=0, changed_at=then)
        queued = await factories.video(session, state="queued", version=0, changed_at=then)
        recent = await factories.video(session, state="checking", version=0)
        await enqueue_transcode(session, ended.id, 1)
        await session.execute(
            text("UPDATE dbos.workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'")
        )
        await enqueue_transcode(session, queued.id, 1)
    assert await stranded.fail_stranded(utcnow()) == 2
    async with db.transaction() as session:
        states = {
            row.id: (await session.get_one(Video, row.id)).state for row in (lost, ended, queued, recent)
        }
        failure = (await session.get_one(Video, lost.id)).failure
    assert states == {lost.id: "failed", ended.id: "failed", queued.id: "queued", recent.id: "checking"}
    assert "press “Try again”" in (failure or "")


async def test_a_worker_that_wakes_late_does_not_write_over_an_end(database: db.Database) -> None:
    async with db.transaction() as session:
        video = await factories.video(session, state="queued", version=0)
    assert await begin(video.id, 1) == 1
    report = Report(video.id, 1)
    await report.say("encoding", "720p", 40)
    async with db.transaction() as session:
        (await session.get_one(Video, video.id)).state = "ready"
    with pytest.raises(Lost):
        await report.say("encoding", "720p", 41)
    await end_failed(video.id, 1, VideoError("It broke."))
    async with db.transaction() as session:
        after = await session.get_one(Video, video.id)
    assert (after.state, after.failure) == ("ready", None)


def test_a_full_disk_is_named() -> None:
    from app.video.ffmpeg import STALLED
    from app.video.source import DISK_FULL

    assert "Make room" in faults.sentence(EncodingFailed(DISK_FULL))
    assert "Make room" in faults.sentence(OSError(28, "No space left on device"))
    assert "on our side" in faults.sentence(EncodingFailed(STALLED))
    assert "on our side" in faults.sentence(ValueError("?"))
