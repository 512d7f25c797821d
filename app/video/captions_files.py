"""Bring captions beside a finished stream: WebVTT files, their playlists, and their names in the master."""

import asyncio
from uuid import UUID

from sqlalchemy import select

from app import db, storage
from app.jobs import engine
from app.video import captions, queries, subtitles
from app.video.captions_models import CaptionTrack
from app.video.models import Video
from app.video.subtitles import Track

MASTER = "master.m3u8"
WAIT_S = 0.25
WAITS = 40


class Busy(Exception):
    """Another worker is writing the captions of this video; try again."""


@engine.workflow("publish_captions")
async def publish_changed(video_id: str) -> None:
    """After a change: into the stream that is shown. One that is being made takes them up by itself."""
    await _publish_changed(video_id)


@engine.step(tries=8, first_wait_s=2.0)
async def _publish_changed(video_id: str) -> None:
    await publish_again(video_id)


async def publish_again(video_id: str) -> None:
    """Write the captions beside the stream that is shown; there may be none yet."""
    async with db.transaction() as session:
        version = await session.scalar(select(Video.version).where(Video.id == UUID(video_id)))
    if version:
        await publish_captions(UUID(video_id), version)


async def publish_captions(video_id: UUID, version: int) -> None:
    """Write the video's captions as they are now beside stream `version`; does nothing where no such stream is stored.

    Whoever makes a new version calls it twice: when all of it is stored, so that it is never shown without captions,
    and once more when it is shown, because a change in between was written beside the older one. May be repeated.

    Raises:
        Busy: another worker holds the video's captions for longer than ten seconds.
        OSError: storage is full or away.
    """
    for _turn in range(WAITS):
        async with db.try_lock(f"captions:{video_id}") as is_ours:
            if is_ours:
                await _write(video_id, f"videos/{video_id}/{version}")
                return
        await asyncio.sleep(WAIT_S)
    raise Busy(str(video_id))


async def _write(video_id: UUID, prefix: str) -> None:
    master = await _text(f"{prefix}/{MASTER}")
    if master is None:
        return
    async with db.transaction() as session:
        rows = await queries.caption_tracks(session, video_id)
    tracks = [Track(row.language, row.label) for row in rows]
    if rows:
        duration_s = await _duration_s(prefix, master)
        for row, track in zip(rows, tracks, strict=True):
            await storage.put(f"{prefix}/{track.file}", _for_stream(row).encode())
            await storage.put(
                f"{prefix}/{track.playlist}", subtitles.media_playlist(track, duration_s).encode()
            )
    named = subtitles.with_subtitles(master, tracks)
    if named != master:
        await storage.put(f"{prefix}/{MASTER}", named.encode())
    # Last, so that no playlist names what is gone.
    current = {f"{prefix}/{name}" for track in tracks for name in (track.file, track.playlist)}
    await storage.delete(
        [key for key in await storage.sizes(f"{prefix}/{subtitles.FOLDER}") if key not in current]
    )


def _for_stream(row: CaptionTrack) -> str:
    return subtitles.to_vtt(captions.read(row.vtt, None), for_stream=True)


async def _duration_s(prefix: str, master: str) -> float:
    first = subtitles.first_variant(master)
    return subtitles.duration_s(await _text(f"{prefix}/{first}") or "") if first else 0.0


async def _text(key: str) -> str | None:
    try:
        return (await storage.get(key)).decode()
    except FileNotFoundError:
        return None
