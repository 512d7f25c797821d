"""Captions beside a stream: what is written after a change, what goes, and what a repetition or a rival does."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import update

from app import db
from app.clock import utcnow
from app.jobs import engine, lifeline
from app.settings import get_settings
from app.video import captioning, captions_files
from app.video.captions_files import publish_captions
from app.video.captions_models import CaptionTrack
from app.video.hls import Segment, Sound, Variant, master_playlist, media_playlist, parse_media
from app.video.models import Video
from tests import factories

SEGMENTS = (Segment("seg_00001.m4s", 6.0, 500_000), Segment("seg_00002.m4s", 2.5, 200_000))
VARIANT = Variant("360p", "360p/media.m3u8", "avc1.64001e", 640, 360, 25.0, SEGMENTS)
MASTER = master_playlist([VARIANT], Sound("audio/media.m3u8", "mp4a.40.2", 2, SEGMENTS))
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nLie on your back.\n"


def stream(film: Video, version: int) -> Path:
    """A stream as the transcoder stores it."""
    folder = get_settings().media_dir / "videos" / str(film.id) / str(version)
    (folder / "360p").mkdir(parents=True)
    (folder / "master.m3u8").write_text(MASTER)
    (folder / "360p" / "media.m3u8").write_text(media_playlist(SEGMENTS, "init.mp4"))
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "t").iterdir()) if (folder / "t").is_dir() else []


async def video() -> Video:
    async with db.transaction() as session:
        return await factories.video(session)


async def says(film: Video, language: str, vtt: str = VTT) -> CaptionTrack:
    async with db.transaction() as session:
        track = CaptionTrack(video_id=film.id, language=language, label=language, vtt=vtt)
        session.add(track)
        return track


async def test_tracks_are_written_and_named_and_go_when_they_are_deleted(database: db.Database) -> None:
    film = await video()
    folder = stream(film, 1)
    await says(film, "pt-BR")
    english = await says(film, "en")
    await publish_captions(film.id, 1)
    assert files(folder) == ["en.m3u8", "en.vtt", "pt-BR.m3u8", "pt-BR.vtt"]
    assert "Lie on your back." in (folder / "t" / "en.vtt").read_text()
    assert parse_media((folder / "t" / "en.m3u8").read_text()) == (Segment("en.vtt", 8.5),)
    named = (folder / "master.m3u8").read_text()
    assert named.count("TYPE=SUBTITLES") == 2
    assert named.count('SUBTITLES="text"') == 1
    await publish_captions(film.id, 1)
    assert (folder / "master.m3u8").read_text() == named
    async with db.transaction() as session:
        await session.delete(await session.merge(english))
    await publish_captions(film.id, 1)
    assert files(folder) == ["pt-BR.m3u8", "pt-BR.vtt"]
    assert 'LANGUAGE="en"' not in (folder / "master.m3u8").read_text()


async def test_a_video_without_captions_is_left_as_it_is(database: db.Database) -> None:
    film = await video()
    folder = stream(film, 1)
    await publish_captions(film.id, 1)
    assert (folder / "master.m3u8").read_text() == MASTER
    assert files(folder) == []


async def test_where_no_stream_is_stored_nothing_is_written(database: db.Database) -> None:
    film = await video()
    await says(film, "en")
    await publish_captions(film.id, 3)
    assert not (get_settings().media_dir / "videos" / str(film.id)).exists()


async def test_a_change_reaches_the_stream_that_is_shown_and_leaves_one_that_is_being_made(
    database: db.Database,
) -> None:
    film = await video()
    shown, coming = stream(film, 1), stream(film, 2)
    await says(film, "en")
    await captions_files.publish_again(str(film.id))
    assert files(shown) == ["en.m3u8", "en.vtt"]
    assert files(coming) == []


async def test_a_change_made_just_before_a_new_version_is_shown_is_not_lost(database: db.Database) -> None:
    film = await video()
    stream(film, 1)
    coming = stream(film, 2)
    await publish_captions(film.id, 2)
    await says(film, "en")
    await captions_files.publish_again(str(film.id))
    async with db.transaction() as session:
        await session.execute(update(Video).where(Video.id == film.id).values(version=2))
    await publish_captions(film.id, 2)
    assert files(coming) == ["en.m3u8", "en.vtt"]


async def test_a_video_without_a_stream_has_nowhere_to_write(database: db.Database) -> None:
    async with db.transaction() as session:
        film = await factories.video(session, version=0, state="queued")
    await says(film, "en")
    await captions_files.publish_again(str(film.id))
    assert not (get_settings().media_dir / "videos" / str(film.id)).exists()


async def test_work_for_a_deleted_video_does_nothing(database: db.Database) -> None:
    film = await video()
    folder = stream(film, 1)
    async with db.transaction() as session:
        await session.delete(await session.merge(film))
    await captions_files.publish_again(str(film.id))
    assert files(folder) == []


async def test_two_writers_take_turns(database: db.Database) -> None:
    film = await video()
    folder = stream(film, 1)
    track = await says(film, "en")
    first = asyncio.create_task(publish_captions(film.id, 1))
    async with db.transaction() as session:
        await session.execute(
            update(CaptionTrack).where(CaptionTrack.id == track.id).values(vtt=VTT.replace("back", "side"))
        )
    await publish_captions(film.id, 1)
    await first
    assert "Lie on your side." in (folder / "t" / "en.vtt").read_text()


async def test_a_worker_brings_a_change_into_the_stream(database: db.Database) -> None:
    film = await video()
    folder = stream(film, 1)
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        await captioning.add(session, teacher.id, film.id, "en", "", VTT.encode(), utcnow())
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    try:
        await engine.register_queues(encode_concurrency=1)
        for _turn in range(200):
            if 'LANGUAGE="en"' in (folder / "master.m3u8").read_text():
                break
            await asyncio.sleep(0.05)
    finally:
        await asyncio.to_thread(engine.stop, 1)
    assert files(folder) == ["en.m3u8", "en.vtt"]
    assert 'LANGUAGE="en"' in (folder / "master.m3u8").read_text()


async def test_who_cannot_have_a_turn_says_so(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    film = await video()
    monkeypatch.setattr(captions_files, "WAITS", 2)
    async with db.try_lock(f"captions:{film.id}"):
        with pytest.raises(captions_files.Busy):
            await publish_captions(film.id, 1)


async def test_the_language_in_a_files_name_is_always_one_that_the_stream_serves() -> None:
    for typed in ("en", "zh_hant_tw", "es-419", "de-1996"):
        tag = captioning.language_tag(typed)
        assert "/" not in tag
        assert tag.replace("-", "").isalnum()
