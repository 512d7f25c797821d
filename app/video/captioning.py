"""Staff change what is said in a film, and its chapters: each change leaves an entry, and work that publishes it."""

import asyncio
import re
from datetime import datetime
from uuid import UUID

from babel import Locale, UnknownLocaleError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts import audit
from app.errors import BadInput, Conflict
from app.i18n import _
from app.video import captions, captions_indexed, queries
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video
from app.video.subtitles import Cue, to_vtt

LABEL_CHARS = 60
LANGUAGE_CHARS = 35
# Language, script, region, variants: the tags that people write, without extensions or private use.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-(?:[A-Z]{2}|\d{3}))?(-[a-z0-9]{4,8})*")


def language_tag(typed: str) -> str:
    """The tag in its canonical case, `pt-BR`.

    Raises:
        BadInput: it is none.

    Source: BCP 47, section 2.1.1
    """
    parts = typed.strip().replace("_", "-").lower().split("-")
    shaped = [parts[0]]
    for part in parts[1:]:
        if len(part) == 4 and part.isalpha():
            part = part.title()
        elif len(part) == 2:
            part = part.upper()
        shaped.append(part)
    tag = "-".join(shaped)
    if len(tag) > LANGUAGE_CHARS or not _LANGUAGE.fullmatch(tag):
        raise BadInput(_("Choose the language that is spoken or written in it."), field="language")
    return tag


def language_name(tag: str) -> str:
    """The language's name in itself, `Deutsch`; the tag where it is not known."""
    try:
        name = Locale.parse(tag, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        return tag
    return f"{name[:1].upper()}{name[1:]}" if name else tag


async def add(
    db: AsyncSession, actor_id: UUID, video_id: UUID, language: str, label: str, data: bytes, now: datetime
) -> CaptionTrack:
    """Keep an uploaded file as the captions of one language.

    Raises:
        BadInput, TooLarge: the file, the language or the name is at fault.
        Conflict: there are captions in this language.
    """
    video = await queries.locked(db, video_id)
    tag = language_tag(language)
    name = _label(label, tag)
    if await db.scalar(select(CaptionTrack.id).filter_by(video_id=video_id, language=tag)):
        raise Conflict(
            _("There are captions in this language already. Edit those, or delete them first."),
            field="language",
        )
    cues = await _read(captions.decode(data), video)
    track = CaptionTrack(
        video_id=video_id, language=tag, label=name, vtt=to_vtt(cues), created_at=now, changed_at=now
    )
    db.add(track)
    await _changed(db, actor_id, video, "captions.add", language=tag)
    await captions_indexed.index(db, track)
    return track


async def edit(
    db: AsyncSession, actor_id: UUID, video_id: UUID, track_id: UUID, label: str, text: str, now: datetime
) -> CaptionTrack:
    """
    Raises:
        BadInput, TooLarge: a sentence that names the line at fault.
        NotFound: there is no such track of this video.
    """
    video = await queries.locked(db, video_id)
    track = await queries.caption_track(db, video_id, track_id)
    name = _label(label, track.language)
    cues = await _read(text, video)
    vtt = to_vtt(cues)
    if (track.label, track.vtt) != (name, vtt):
        track.label, track.vtt, track.changed_at = name, vtt, now
        await _changed(db, actor_id, video, "captions.edit", language=track.language)
        await captions_indexed.index(db, track)
    return track


async def remove(db: AsyncSession, actor_id: UUID, video_id: UUID, track_id: UUID) -> None:
    """Raises: NotFound: there is no such track of this video."""
    video = await queries.locked(db, video_id)
    track = await queries.caption_track(db, video_id, track_id)
    await db.delete(track)
    await _changed(db, actor_id, video, "captions.delete", language=track.language)


async def set_chapters(db: AsyncSession, actor_id: UUID, video_id: UUID, text: str) -> None:
    """Make the lines `0:00 Warm-up` the chapters of the film; none when there are no lines.

    Raises:
        BadInput: a sentence that names the line at fault.
    """
    video = await queries.locked(db, video_id)
    marks = captions.read_chapters(text, video.duration_s)
    had = await queries.chapters(db, video_id)
    if [(one.at_s, one.title) for one in had] == [(mark.at_s, mark.title) for mark in marks]:
        return
    await db.execute(delete(Chapter).where(Chapter.video_id == video_id))
    db.add_all(Chapter(video_id=video_id, at_s=mark.at_s, title=mark.title) for mark in marks)
    audit.record(db, actor_id, "chapters.save", "video", video.id, title=video.title)
    await db.flush()
    await captions_indexed.index_chapters(db, video_id)


async def _read(text: str, video: Video) -> tuple[Cue, ...]:
    # Thousands of cues take a tenth of a second and more.
    return await asyncio.to_thread(captions.read, text, video.duration_s)


def _label(typed: str, language: str) -> str:
    label = " ".join(typed.split()) or language_name(language)
    if len(label) > LABEL_CHARS:
        raise BadInput(
            _("This is too long by %(n)d characters.") % {"n": len(label) - LABEL_CHARS}, field="label"
        )
    if not label.isprintable() or '"' in label:
        raise BadInput(_("This holds a character that cannot be kept."), field="label")
    return label


async def _changed(db: AsyncSession, actor_id: UUID, video: Video, action: str, *, language: str) -> None:
    audit.record(db, actor_id, action, "video", video.id, title=video.title, language=language_name(language))
    await db.flush()
    await jobs.enqueue(db, "publish_captions", {"video_id": str(video.id)})
