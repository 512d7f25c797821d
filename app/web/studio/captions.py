"""The studio's captions and chapters of a video: upload a file, edit what it says, take it away."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from babel import Locale
from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response

from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, LimberError, NotFound
from app.i18n import current_locale
from app.video import captioning, captions, drafting, queries, speech
from app.video.captions_models import CaptionDraft, CaptionTrack, Chapter
from app.video.models import Video
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/{video_id}")
# Beside every language with two letters: those that are written in more than one way.
REGIONAL = ("en-GB", "en-US", "es-419", "fr-CA", "pt-BR", "zh-Hans", "zh-Hant")


@dataclass(frozen=True)
class TrackLine:
    """`count`: how many captions."""

    url: str
    label: str
    language: str
    count: int
    changed_at: datetime


@dataclass(frozen=True)
class CaptionsPage:
    """`errors`: by field (`file`, `language`, `label`, `chapters`); what was typed comes back with them."""

    video: Video
    url: str
    tracks: list[TrackLine]
    languages: list[tuple[str, str]]
    language: str
    label: str
    chapters: str
    can_listen: bool
    draft: CaptionDraft | None
    errors: dict[str, str] = field(default_factory=dict)
    done: str = ""


@dataclass(frozen=True)
class CaptionPage:
    """One track and the words in it, as they were typed when they were refused."""

    video: Video
    url: str
    track: CaptionTrack
    label: str
    vtt: str
    errors: dict[str, str] = field(default_factory=dict)
    done: str = ""


@router.get("/captions")
async def overview(video_id: UUID, page: Page, db: Db, done: str = "") -> Response:
    """GET /studio/videos/{id}/captions."""
    return await show(page, db, video_id, done=done)


@router.post("/captions")
async def add(
    video_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    language: Annotated[str, Form()] = "",
    label: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | str, File()] = "",
) -> Response:
    """POST /studio/videos/{id}/captions: a .vtt or .srt file in a language."""
    # A form without a chosen file sends an empty text.
    data = b"" if isinstance(file, str) else await file.read(captions.FILE_BYTES + 1)
    try:
        track = await captioning.add(db, viewer.user_id, video_id, language, label, data, utcnow())
    except NotFound:
        raise
    except LimberError as refused:
        errors = {refused.field or "file": refused.sentence}
        return await show(page, db, video_id, errors, language=language, label=label, status=refused.status)
    return RedirectResponse(f"/studio/videos/{video_id}/captions/{track.id}?done=added", 303)


@router.post("/chapters")
async def save_chapters(
    video_id: UUID, page: Page, db: Db, viewer: SignedIn, chapters: Annotated[str, Form()] = ""
) -> Response:
    """POST /studio/videos/{id}/chapters: lines like `0:00 Warm-up`."""
    try:
        await captioning.set_chapters(db, viewer.user_id, video_id, chapters)
    except BadInput as refused:
        errors = {"chapters": refused.sentence}
        return await show(page, db, video_id, errors, chapters=chapters, status=refused.status)
    return RedirectResponse(f"/studio/videos/{video_id}/captions?done=chapters", 303)


@router.get("/captions/{track_id}")
async def track(video_id: UUID, track_id: UUID, page: Page, db: Db, done: str = "") -> Response:
    """GET /studio/videos/{id}/captions/{track}."""
    return await _show_track(page, db, video_id, track_id, done=done)


@router.post("/captions/{track_id}")
async def edit(
    video_id: UUID,
    track_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    label: Annotated[str, Form()] = "",
    vtt: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/videos/{id}/captions/{track}: its name and its words."""
    try:
        await captioning.edit(db, viewer.user_id, video_id, track_id, label, vtt, utcnow())
    except NotFound:
        raise
    except LimberError as refused:
        errors = {refused.field or "vtt": refused.sentence}
        return await _show_track(page, db, video_id, track_id, errors, (label, vtt), status=refused.status)
    return RedirectResponse(f"/studio/videos/{video_id}/captions/{track_id}?done=saved", 303)


@router.post("/captions/{track_id}/delete")
async def delete(video_id: UUID, track_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/{id}/captions/{track}/delete."""
    await captioning.remove(db, viewer.user_id, video_id, track_id)
    return RedirectResponse(f"/studio/videos/{video_id}/captions?done=deleted", 303)


async def show(
    page: Pages,
    db: Db,
    video_id: UUID,
    errors: dict[str, str] | None = None,
    *,
    language: str | None = None,
    label: str = "",
    chapters: str | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    video = await queries.by_id(db, video_id)
    url = f"/studio/videos/{video_id}"
    shown = CaptionsPage(
        video=video,
        url=url,
        tracks=[_line(url, row) for row in await queries.caption_tracks(db, video_id)],
        languages=_languages(),
        language=current_locale().replace("_", "-") if language is None else language,
        label=label,
        chapters=_typed(await queries.chapters(db, video_id)) if chapters is None else chapters,
        can_listen=speech.is_available() and bool(video.source_key),
        draft=await drafting.find(db, video_id),
        errors=errors or {},
        done=done,
    )
    return await page.show("studio/videos/captions.html", shown, status=status)


async def _show_track(
    page: Pages,
    db: Db,
    video_id: UUID,
    track_id: UUID,
    errors: dict[str, str] | None = None,
    typed: tuple[str, str] | None = None,
    *,
    done: str = "",
    status: int = 200,
) -> Response:
    video = await queries.by_id(db, video_id)
    row = await queries.caption_track(db, video_id, track_id)
    label, vtt = typed or (row.label, captions.editable(row.vtt))
    url = f"/studio/videos/{video_id}/captions"
    shown = CaptionPage(video, url, row, label, vtt, errors or {}, done)
    return await page.show("studio/videos/caption.html", shown, status=status)


def _line(url: str, row: CaptionTrack) -> TrackLine:
    return TrackLine(
        f"{url}/captions/{row.id}", row.label, row.language, row.vtt.count(" --> "), row.changed_at
    )


def _languages() -> list[tuple[str, str]]:
    """(tag, name in the reader's language), by name."""
    locale = Locale.parse(current_locale())
    found = {tag: str(name) for tag, name in locale.languages.items() if len(tag) == 2}
    for tag in REGIONAL:
        found[tag] = Locale.parse(tag, sep="-").get_display_name(locale) or tag
    return sorted(found.items(), key=lambda pair: pair[1].casefold())


def _typed(rows: list[Chapter]) -> str:
    """The chapters as the lines that make them."""
    return "".join(f"{_clock(row.at_s)} {row.title}\n" for row in rows)


def _clock(at_s: int) -> str:
    minutes, seconds = divmod(at_s, 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
