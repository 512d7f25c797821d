"""The player's requests: begin a viewing, go on with it, remember the place."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.accounts.permissions import Permission
from app.clock import utcnow
from app.db import Db
from app.playback import progress, starting
from app.web.guard import MaybeViewer, SignedIn, needs
from app.web.writing_forms import client_ip

router = APIRouter(tags=["playback"])
WEEK_S = 7 * 24 * 3600


class Ask(BaseModel):
    """`native`: the browser plays HLS by itself and cannot renew, so it wants a token for the whole film."""

    native: bool = False


class Started(BaseModel):
    playlist_url: str
    expires_at: datetime
    position_s: float
    renew_url: str


class Renewed(BaseModel):
    playlist_url: str
    expires_at: datetime


class Place(BaseModel):
    """Seconds, as the player's clock shows them."""

    position_s: float = Field(ge=0, le=WEEK_S, allow_inf_nan=False)
    duration_s: float = Field(ge=0, le=WEEK_S, allow_inf_nan=False)


@router.post("/lessons/{lesson_id}/playback", status_code=201, dependencies=[needs(Permission.PUBLIC)])
async def start(
    lesson_id: UUID,
    request: Request,
    db: Db,
    viewer: MaybeViewer,
    response: Response,
    ask: Ask | None = None,
) -> Started:
    """Begin to watch. Free lessons need no sign-in; others 401, or 402 without entitlement."""
    granted = await starting.start(
        db,
        viewer,
        lesson_id,
        utcnow(),
        is_native=ask is not None and ask.native,
        ip=client_ip(request),
    )
    response.headers["Cache-Control"] = "no-store"
    return Started(
        playlist_url=granted.playlist_url,
        expires_at=granted.expires_at,
        position_s=granted.position_s,
        renew_url=f"/playbacks/{granted.playback_id}/renew",
    )


@router.post("/playbacks/{playback_id}/renew", dependencies=[needs(Permission.PUBLIC)])
async def renew(
    playback_id: UUID, db: Db, viewer: MaybeViewer, response: Response, ask: Ask | None = None
) -> Renewed:
    """A new token for the same viewing; whether it may go on is decided anew."""
    granted = await starting.renew(
        db, viewer, playback_id, utcnow(), is_native=ask is not None and ask.native
    )
    response.headers["Cache-Control"] = "no-store"
    return Renewed(playlist_url=granted.playlist_url, expires_at=granted.expires_at)


@router.post("/lessons/{lesson_id}/progress", status_code=204, dependencies=[needs(Permission.MEMBER)])
async def save_progress(lesson_id: UUID, place: Place, db: Db, viewer: SignedIn) -> None:
    """Remember where the member is; sent every few seconds, and on leaving."""
    await progress.save(db, viewer.user_id, lesson_id, place.position_s, place.duration_s, utcnow())
