"""The studio's draft of captions, written from the speech: asked for, read over, published or thrown away."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from app.clock import utcnow
from app.db import Db
from app.errors import LimberError, NotFound
from app.video import captions, drafting, queries
from app.video.captions_models import CaptionDraft
from app.video.models import Video
from app.web.guard import SignedIn
from app.web.pages import Page, Pages
from app.web.studio.captions import show

router = APIRouter(prefix="/{video_id}")


@dataclass(frozen=True)
class DraftPage:
    """What a machine heard, to be read over."""

    video: Video
    url: str
    draft: CaptionDraft
    label: str
    vtt: str
    errors: dict[str, str] = field(default_factory=dict)


@router.post("/draft")
async def begin_draft(
    video_id: UUID, page: Page, db: Db, viewer: SignedIn, language: Annotated[str, Form()] = ""
) -> Response:
    """POST /studio/videos/{id}/draft: have captions written from the speech."""
    try:
        await drafting.begin(db, viewer.user_id, video_id, language, utcnow())
    except NotFound:
        raise
    except LimberError as refused:
        return await show(page, db, video_id, {"draft": refused.sentence}, status=refused.status)
    return RedirectResponse(f"/studio/videos/{video_id}/captions", 303)


@router.get("/draft")
async def draft(video_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/videos/{id}/draft: to read it over."""
    return await _show_draft(page, db, video_id)


@router.post("/draft/publish")
async def publish_draft(
    video_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    label: Annotated[str, Form()] = "",
    vtt: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/videos/{id}/draft/publish: it is read, and is the captions of its language now."""
    try:
        track = await drafting.publish(db, viewer.user_id, video_id, label, vtt, utcnow())
    except NotFound:
        raise
    except LimberError as refused:
        errors = {refused.field or "vtt": refused.sentence}
        return await _show_draft(page, db, video_id, errors, (label, vtt), status=refused.status)
    return RedirectResponse(f"/studio/videos/{video_id}/captions/{track.id}?done=added", 303)


@router.post("/draft/discard")
async def discard_draft(video_id: UUID, db: Db) -> Response:
    """POST /studio/videos/{id}/draft/discard."""
    await drafting.discard(db, video_id)
    return RedirectResponse(f"/studio/videos/{video_id}/captions", 303)


async def _show_draft(
    page: Pages,
    db: Db,
    video_id: UUID,
    errors: dict[str, str] | None = None,
    typed: tuple[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    video = await queries.by_id(db, video_id)
    found = await drafting.find(db, video_id)
    if found is None or found.state != "ready":
        raise NotFound
    label, vtt = typed or ("", captions.editable(found.vtt))
    shown = DraftPage(video, f"/studio/videos/{video_id}", found, label, vtt, errors or {})
    return await page.show("studio/videos/draft.html", shown, status=status)
