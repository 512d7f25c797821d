"""The worker's part of a free clip: cut it, store it, say so; and take its files away when it is gone."""

import asyncio
import logging
import shutil
import tempfile
from pathlib import Path
from uuid import UUID

from sqlalchemy import update

from app import db
from app.clock import utcnow
from app.i18n import N_
from app.jobs import engine
from app.video import captions, clip_cut, clip_rules, queries, subtitles
from app.video.clip_models import Clip
from app.video.clip_rules import Span
from app.video.faults import sentence
from app.video.models import Video
from app.video.packaging import put
from app.video.removal import delete_folder
from app.video.source import VideoError, writing

log = logging.getLogger("limber.video")
NO_STREAM = N_("The film has no stream to cut from. When it is ready, press “Try again”.")


class Gone(Exception):
    """The clip was deleted, or is cut anew, while this was at work."""


@engine.workflow("cut_clip")
async def cut_clip(clip_id: str, turn: int) -> None:
    """Ends `ready`, or `failed` with its reason. A worker that dies is continued anew."""
    try:
        await _cut(clip_id, turn)
    except Gone:
        return
    except VideoError as refusal:
        log.warning("the clip %s: %s", clip_id, refusal.detail or refusal.message)
        await _end_failed(clip_id, turn, refusal.message)
    except Exception as fault:
        log.exception("the clip %s could not be cut", clip_id)
        await _end_failed(clip_id, turn, sentence(fault))


@engine.step(tries=3, first_wait_s=5.0, final=(Gone, VideoError))
async def _cut(clip_id: str, turn: int) -> None:
    await cut(UUID(clip_id), turn)


async def cut(clip_id: UUID, turn: int) -> None:
    """Make and store the files of a clip, and say that it is ready. May be repeated.

    Raises:
        Gone: it is not wanted any more; nothing of it is left in storage.
        Unusable, EncodingFailed: see `clip_cut.cut`.
    """
    clip, video = await _begin(clip_id, turn)
    if not video.version:
        raise VideoError(NO_STREAM)
    span = Span(clip.start_ms, clip.end_ms)
    language, said = await _said(clip.video_id, span)
    with writing():
        out = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="limber-clip-"))
    try:
        try:
            made = await clip_cut.cut(f"videos/{video.id}/{video.version}", video.renditions, span, out)
        except FileNotFoundError as missing:
            raise VideoError(NO_STREAM, detail=str(missing)) from missing
        for name in (clip_rules.MP4, clip_rules.POSTER):
            await put(f"{clip_rules.folder(clip)}/{name}", out / name)
    finally:
        await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
    try:
        await _say(
            clip_id,
            turn,
            state="ready",
            error=None,
            width_px=made.width_px,
            height_px=made.height_px,
            language=language,
            vtt=said,
            ready_at=utcnow(),
        )
    except Gone:
        await delete_folder(clip_rules.folder(clip))
        raise


async def _begin(clip_id: UUID, turn: int) -> tuple[Clip, Video]:
    async with db.transaction() as session:
        clip = await session.get(Clip, clip_id)
        if clip is None or clip.turn != turn:
            raise Gone
        clip.state, clip.changed_at = "running", utcnow()
        return clip, await queries.by_id(session, clip.video_id)


async def _said(video_id: UUID, span: Span) -> tuple[str, str]:
    """(language, WebVTT) of the film's first captions in the piece; empty where nothing is said in it."""
    async with db.transaction() as session:
        tracks = await queries.caption_tracks(session, video_id)
    for track in tracks[:1]:
        cues = clip_rules.cues_within(captions.read(track.vtt, None), span)
        if cues:
            return track.language, subtitles.to_vtt(cues)
    return "", ""


async def _say(clip_id: UUID, turn: int, **values: object) -> None:
    async with db.transaction() as session:
        mine = await session.execute(
            update(Clip)
            .where(Clip.id == clip_id, Clip.turn == turn)
            .values(changed_at=utcnow(), **values)
            .returning(Clip.turn)
        )
        if mine.first() is None:
            raise Gone


@engine.step(tries=3)
async def _end_failed(clip_id: str, turn: int, reason: str) -> None:
    try:
        await _say(UUID(clip_id), turn, state="failed", error=reason)
    except Gone:
        log.info("the clip %s is not wanted any more", clip_id)


@engine.workflow("remove_clip")
async def remove_clip(video_id: str, clip_id: str) -> None:
    """Twice: the second time takes what a worker put down between its last word and the first time."""
    await _remove(video_id, clip_id)
    await engine.sleep(120.0)
    await _remove(video_id, clip_id)


@engine.step(tries=8, first_wait_s=5.0)
async def _remove(video_id: str, clip_id: str) -> None:
    async with db.transaction() as session:
        if await session.get(Clip, UUID(clip_id)) is not None:
            return
    await delete_folder(f"videos/{video_id}/clips/{clip_id}")
