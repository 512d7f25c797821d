"""The studio's free clips of a film: choose a piece, see what became of it, and take it back."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.catalog.rules import free_slug, slugify
from app.clock import utcnow
from app.db import Db
from app.errors import Conflict, LimberError
from app.i18n import _
from app.templating import clock
from app.video import clip_rules, clipping, queries
from app.video.clip_models import Clip
from app.video.clip_rules import ClipDraft, Errors
from app.video.models import Video
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/{video_id}/clips")


@dataclass(frozen=True)
class ClipLine:
    """`from_to`: "1:05 to 1:20"; `error` in the reader's language; `url`: of its files, once there are any."""

    clip: Clip
    from_to: str
    error: str
    url: str

    @property
    def is_busy(self) -> bool:
        return self.clip.state in ("queued", "running")


@dataclass(frozen=True)
class ClipsPage:
    """`draft`, `errors`: what was typed, and what is wrong with it. `done`: what was just done."""

    video: Video
    url: str
    clips: list[ClipLine]
    draft: ClipDraft
    most_s: int
    errors: Errors = field(default_factory=dict)
    done: str = ""

    @property
    def is_busy(self) -> bool:
        return any(line.is_busy for line in self.clips)


def _line(clip: Clip) -> ClipLine:
    times = {"start": clock(clip.start_ms / 1000), "end": clock(clip.end_ms / 1000)}
    return ClipLine(
        clip=clip,
        from_to=_("%(start)s to %(end)s") % times,
        error=_(clip.error) if clip.error else "",
        url=f"/clips/{clip.id}/{clip.turn}",
    )


async def _show(
    page: Pages,
    db: Db,
    video_id: UUID,
    *,
    draft: ClipDraft | None = None,
    errors: Errors | None = None,
    done: str = "",
) -> Response:
    video = await queries.by_id(db, video_id)
    shown = ClipsPage(
        video=video,
        url=f"/studio/videos/{video_id}",
        clips=[_line(clip) for clip in await clipping.of_film(db, video_id)],
        draft=draft or ClipDraft(),
        most_s=clip_rules.LONGEST_MS // 1000,
        errors=errors or {},
        done=done,
    )
    return await page.show("studio/videos/clips.html", shown, status=422 if errors else 200)


@router.get("")
async def clips(video_id: UUID, page: Page, db: Db, done: str = "") -> Response:
    """GET /studio/videos/{id}/clips."""
    return await _show(page, db, video_id, done=done)


@router.post("")
async def add(
    video_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    title: Annotated[str, Form()] = "",
    start: Annotated[str, Form()] = "",
    end: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/videos/{id}/clips: have a piece of the film cut out for everybody."""
    draft = ClipDraft(" ".join(tidy(title).split()), tidy(start).strip(), tidy(end).strip())
    video = await queries.by_id(db, video_id)
    span, errors = clip_rules.check(draft, video.duration_s or 0.0)
    if errors:
        return await _show(page, db, video_id, draft=draft, errors=errors)
    base = slugify(draft.title) or "clip"
    name = free_slug(base, await clipping.names_like(db, base))
    try:
        await clipping.add(db, viewer.user_id, video_id, name, draft.title, span, utcnow())
    except Conflict as refused:
        return await _show(page, db, video_id, draft=draft, errors={"_": refused.sentence})
    return RedirectResponse(f"/studio/videos/{video_id}/clips?done=added", 303)


@router.post("/{clip_id}/retry")
async def retry(video_id: UUID, clip_id: UUID, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/{id}/clips/{id}/retry: cut one that failed once more."""
    try:
        await clipping.again(db, viewer.user_id, video_id, clip_id, utcnow())
    except LimberError as refused:
        if refused.status == 404:
            raise
        return await _show(page, db, video_id, errors={"_": refused.sentence})
    return RedirectResponse(f"/studio/videos/{video_id}/clips", 303)


@router.post("/{clip_id}/delete")
async def delete(video_id: UUID, clip_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/{id}/clips/{id}/delete: nobody gets it any more."""
    await clipping.delete(db, viewer.user_id, video_id, clip_id)
    return RedirectResponse(f"/studio/videos/{video_id}/clips?done=deleted", 303)
