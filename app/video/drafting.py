"""A draft of captions, written from the speech by a worker; nobody but staff sees it until one of them has read it."""

import asyncio
import logging
import shutil
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import db as database
from app import jobs
from app.accounts import audit
from app.clock import utcnow
from app.errors import Conflict, NotFound
from app.i18n import _
from app.jobs import engine
from app.settings import get_settings
from app.video import captioning, parts, queries, speech
from app.video.captions_models import CaptionDraft, CaptionTrack
from app.video.faults import sentence
from app.video.source import VideoError
from app.video.subtitles import Cue, to_vtt

log = logging.getLogger("limber.video")


class Gone(Exception):
    """The draft was thrown away, or begun anew, while it was written."""


async def begin(db: AsyncSession, actor_id: UUID, video_id: UUID, language: str, now: datetime) -> None:
    """Have a draft written; one that failed or is ready is begun anew.

    Raises:
        BadInput: for what is no language.
        Conflict: when this site cannot, the film is not ready, its original is gone, there are captions in this
            language, or a draft is under way.
    """
    if not speech.is_available():
        raise Conflict(_("Captions cannot be written from the speech here."))
    video = await queries.locked(db, video_id)
    tag = captioning.language_tag(language)
    if video.state != "ready" or not video.source_key:
        raise Conflict(_("This needs the film to be ready, and its original to be kept."))
    if any(track.language == tag for track in await queries.caption_tracks(db, video_id)):
        # Publishing would refuse it, after an hour of work.
        raise Conflict(_("There are captions in this language already. Edit those, or delete them first."))
    known = await db.get(CaptionDraft, video_id, with_for_update=True)
    if known is not None and known.state in ("queued", "running"):
        raise Conflict(_("A draft is being written already."))
    turn = (known.turn if known is not None else 0) + 1
    values = {
        "language": tag,
        "state": "queued",
        "turn": turn,
        "percent": 0,
        "error": None,
        "vtt": "",
        "changed_at": now,
    }
    await db.execute(
        insert(CaptionDraft)
        .values(video_id=video_id, **values)
        .on_conflict_do_update(index_elements=[CaptionDraft.video_id], set_=values)
    )
    audit.record(db, actor_id, "captions.draft", "video", video_id, title=video.title, language=tag)
    await jobs.enqueue(
        db,
        "write_draft",
        {"video_id": str(video_id), "turn": turn},
        queue=jobs.ENCODE,
        workflow_id=f"draft:{video_id}:{turn}:{now.timestamp():.0f}",
    )


async def discard(db: AsyncSession, video_id: UUID) -> None:
    """Throw a draft away; a worker that writes it stops at its next word."""
    await db.execute(delete(CaptionDraft).where(CaptionDraft.video_id == video_id))


async def publish(
    db: AsyncSession, actor_id: UUID, video_id: UUID, label: str, text: str, now: datetime
) -> CaptionTrack:
    """Make what somebody has read over the captions of its language. Captions that are there are never replaced.

    Raises:
        NotFound: when there is no draft that is ready.
        Conflict: when there are captions in this language.
        BadInput, TooLarge: a sentence that names the line at fault.
    """
    draft = await db.get(CaptionDraft, video_id, with_for_update=True)
    if draft is None or draft.state != "ready":
        raise NotFound
    track = await captioning.add(db, actor_id, video_id, draft.language, label, text.encode(), now)
    await db.delete(draft)
    return track


async def find(db: AsyncSession, video_id: UUID) -> CaptionDraft | None:
    return await db.get(CaptionDraft, video_id)


@engine.workflow("write_draft")
async def write_draft(video_id: str, turn: int) -> None:
    """Read the speech of a film; ends `ready`, or `failed` with its reason. A worker that dies is continued anew."""
    try:
        await _write(video_id, turn)
    except Gone:
        return
    except VideoError as refusal:
        log.warning("the speech of %s: %s", video_id, refusal.detail or refusal.message)
        await _fail(video_id, turn, refusal.message)
    except Exception as fault:
        log.exception("the speech of %s could not be read", video_id)
        await _fail(video_id, turn, sentence(fault))


@engine.step(tries=2, first_wait_s=5.0, final=(Gone, VideoError))
async def _write(video_id: str, turn: int) -> None:
    async with database.transaction() as session:
        video = await queries.by_id(session, UUID(video_id))
        key, film_s = video.source_key, video.duration_s or 0.0
        draft = await session.get(CaptionDraft, UUID(video_id))
        language = draft.language if draft is not None else ""
    await _say(video_id, turn, state="running", percent=0)
    work = get_settings().data_dir / parts.FOLDER / f"speech-{video_id}-{turn}"
    try:
        path = await parts.source_file(key, work)
        cues = await _watched(video_id, turn, path, language, film_s)
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    await _say(video_id, turn, state="ready", percent=100, vtt=to_vtt(cues))


async def _watched(video_id: str, turn: int, path: Path, language: str, film_s: float) -> tuple[Cue, ...]:
    """The cues; while they are written the percentage is told, and a draft that was thrown away stops the work."""
    done = 0

    def on_percent(percent: int) -> None:
        nonlocal done
        done = percent

    work = asyncio.create_task(speech.transcribe(path, language, film_s, on_percent))
    try:
        while not work.done():
            await asyncio.wait([work], timeout=1.0)
            await _say(video_id, turn, percent=done)
        return work.result()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _say(video_id: str, turn: int, **values: object) -> None:
    async with database.transaction() as session:
        mine = await session.execute(
            update(CaptionDraft)
            .where(CaptionDraft.video_id == UUID(video_id), CaptionDraft.turn == turn)
            .values(changed_at=utcnow(), **values)
            .returning(CaptionDraft.turn)
        )
        if mine.first() is None:
            raise Gone


@engine.step(tries=3)
async def _fail(video_id: str, turn: int, reason: str) -> None:
    try:
        await _say(video_id, turn, state="failed", error=reason)
    except Gone:
        log.info("the draft of %s is not wanted any more", video_id)
