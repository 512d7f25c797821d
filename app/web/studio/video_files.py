"""A video's own files for staff: its poster, and its stream before any lesson shows it."""

import re
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi.responses import Response
from pydantic import BaseModel

from app.clock import utcnow
from app.db import Db
from app.errors import Conflict, NotFound
from app.i18n import _
from app.video import poster_rules, queries
from app.video.packaging import MASTER
from app.video.poster_rules import SMALL_POSTER
from app.web.stored import file, jpeg

router = APIRouter()
TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".vtt": "text/vtt; charset=utf-8",
}
NAME = re.compile(r"(?:[a-z0-9]+/)?[A-Za-z0-9_-]+(\.[a-z0-9]+)")
# Longer than anybody looks at one film: a preview hangs on the sign-in, which each request shows.
PREVIEW_FOR = timedelta(hours=12)


class Preview(BaseModel):
    """As the player wants it; there is no token to renew."""

    playlist_url: str
    expires_at: datetime
    position_s: float = 0.0


@router.get("/{video_id}/poster.jpg")
async def poster(video_id: UUID, db: Db) -> Response:
    """GET /studio/videos/{id}/poster.jpg?v=: what stands for the film, 640 pixels wide."""
    video = await queries.by_id(db, video_id)
    if video.version == 0:
        raise NotFound
    return await jpeg(f"{poster_rules.folder(video_id, video)}/{SMALL_POSTER}")


@router.post("/{video_id}/preview", status_code=201)
async def preview(video_id: UUID, db: Db) -> Preview:
    """POST /studio/videos/{id}/preview: where staff can watch the newest stream, as far as it is encoded."""
    video = await queries.by_id(db, video_id)
    version = video.begun_version or video.version
    if version == 0:
        raise Conflict(_("This video is not ready yet."))
    return Preview(
        playlist_url=f"/studio/videos/{video_id}/stream/{version}/{MASTER}",
        expires_at=utcnow() + PREVIEW_FOR,
    )


@router.get("/{video_id}/stream/{version}/{name:path}")
async def stream(
    video_id: UUID, version: Annotated[int, PathParameter(ge=1, le=10**8)], name: str, db: Db
) -> Response:
    """GET /studio/videos/{id}/stream/{version}/…: playlists and segments, for staff who are signed in."""
    found = NAME.fullmatch(name)
    if found is None or found.group(1) not in TYPES:
        raise NotFound
    await queries.by_id(db, video_id)
    return await file(f"videos/{video_id}/{version}/{name}", TYPES[found.group(1)], "private, no-cache")
