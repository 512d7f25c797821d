"""The player's requests: begin a viewing, go on with it, remember the place; and what plays where, to stop it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field

from app.accounts.permissions import Permission
from app.clock import utcnow
from app.db import Db
from app.playback import beating, places, progress, starting
from app.playback.beating import Heard, State
from app.playback.places import Stream
from app.playback.rules import watched_at
from app.practice.queries import streams_at_once
from app.web.failures import wants_json
from app.web.guard import MaybeViewer, SignedIn, needs
from app.web.pages import Page, safe_next
from app.web.writing_forms import client_ip

router = APIRouter(tags=["playback"])
WEEK_S = 7 * 24 * 3600


class Ask(BaseModel):
    """`native`: the browser plays HLS by itself and cannot renew, so it wants a token for the whole film.

    `tab`: any word that this page of the browser keeps while it is open, loading anew included.
    """

    native: bool = False
    tab: str = Field("", max_length=40, pattern=r"^[0-9A-Za-z-]*$")


class AskAgain(BaseModel):
    """`grant`: what this page was given last, with its viewing or its latest renewal."""

    native: bool = False
    grant: str = Field("", max_length=1000)


class Started(BaseModel):
    playlist_url: str
    expires_at: datetime
    position_s: float
    renew_url: str
    grant: str


class Renewed(BaseModel):
    playlist_url: str
    expires_at: datetime
    grant: str


class Place(BaseModel):
    """Seconds, as the player's clock shows them, and how many seconds ago it showed them.

    With `playback_id` it is a sign of life too, unless `is_late`: kept while the network was away, or of a film that
    stands still.
    """

    position_s: float = Field(ge=0, le=WEEK_S, allow_inf_nan=False)
    duration_s: float = Field(ge=0, le=WEEK_S, allow_inf_nan=False)
    age_s: float = Field(0.0, ge=0, allow_inf_nan=False)
    playback_id: UUID | None = None
    is_late: bool = False


@dataclass(frozen=True)
class StreamsPage:
    """`next`: the lesson to go back to, or empty. `is_stopped`: one was stopped a moment ago."""

    streams: list[Stream]
    this: UUID
    most: int
    next: str
    is_stopped: bool


@router.post("/lessons/{lesson_id}/playback", status_code=201, dependencies=[needs(Permission.PUBLIC)])
async def start(
    lesson_id: UUID,
    request: Request,
    db: Db,
    viewer: MaybeViewer,
    response: Response,
    ask: Ask | None = None,
) -> Started:
    """Begin to watch. Free lessons need no sign-in; others 401, or 402 without entitlement; 409 when all places are
    taken, with what plays where."""
    ask = ask or Ask()
    granted = await starting.start(
        db,
        viewer,
        lesson_id,
        utcnow(),
        most=lambda: streams_at_once(db),
        is_native=ask.native,
        tab=ask.tab,
        ip=client_ip(request),
    )
    response.headers["Cache-Control"] = "no-store"
    return Started(
        playlist_url=granted.playlist_url,
        expires_at=granted.expires_at,
        position_s=granted.position_s,
        renew_url=f"/playbacks/{granted.playback_id}/renew",
        grant=granted.grant,
    )


@router.post("/playbacks/{playback_id}/renew", dependencies=[needs(Permission.PUBLIC)])
async def renew(
    playback_id: UUID, db: Db, viewer: MaybeViewer, response: Response, ask: AskAgain | None = None
) -> Renewed:
    """A new token for the same viewing; whether it may go on is decided anew. 410 `limber:grant` without its grant."""
    ask = ask or AskAgain()
    granted = await starting.renew(
        db,
        viewer,
        playback_id,
        ask.grant,
        utcnow(),
        most=await streams_at_once(db) if viewer else 0,
        is_native=ask.native,
    )
    response.headers["Cache-Control"] = "no-store"
    return Renewed(playlist_url=granted.playlist_url, expires_at=granted.expires_at, grant=granted.grant)


@router.post("/lessons/{lesson_id}/progress", status_code=204, dependencies=[needs(Permission.MEMBER)])
async def save_progress(lesson_id: UUID, place: Place, db: Db, viewer: SignedIn) -> Response:
    """Remember where the member is; sent every few seconds, on leaving, and later when the network was away.

    204 where nothing is to be said, else what the player has to know: `state`, `sentence`, and `streams` when full.
    """
    now = utcnow()
    heard = await _hear(db, viewer, place, now)
    if heard is None or heard.state is not State.UNKNOWN:
        at = watched_at(now, place.age_s)
        await progress.save(db, viewer.user_id, lesson_id, place.position_s, place.duration_s, at)
    if heard is None or heard.state in (State.PLAYING, State.LEFT):
        return Response(status_code=204)
    said: dict[str, Any] = {"state": heard.state, "sentence": heard.sentence, **heard.members}
    return JSONResponse(said, headers={"Cache-Control": "no-store"})


async def _hear(db: Db, viewer: SignedIn, place: Place, now: datetime) -> Heard | None:
    if place.playback_id is None:
        return None
    if place.is_late:
        theirs = await beating.is_theirs(db, viewer, place.playback_id)
        return Heard(State.LEFT if theirs else State.UNKNOWN)
    most = await streams_at_once(db)
    return await beating.beat(db, viewer, place.playback_id, place.position_s, most, now)


@router.post("/playbacks/{playback_id}/leave", status_code=204, dependencies=[needs(Permission.MEMBER)])
async def leave(playback_id: UUID, db: Db, viewer: SignedIn) -> None:
    """POST /playbacks/{id}/leave: the page goes away, and its place among the streams is free at once."""
    await places.leave(db, viewer.user_id, playback_id, utcnow())


@router.get("/account/streams", dependencies=[needs(Permission.MEMBER)])
async def streams(page: Page, db: Db, viewer: SignedIn, next: str = "", done: str = "") -> Response:
    """GET /account/streams: what plays where; `next` is the lesson that one wants to go on with."""
    shown = StreamsPage(
        streams=await places.playing(db, viewer.user_id, utcnow()),
        this=viewer.session_id,
        most=await streams_at_once(db),
        next=safe_next(next, ""),
        is_stopped=done == "stopped",
    )
    return await page.show("account/streams.html", shown)


@router.post("/playbacks/{playback_id}/stop", dependencies=[needs(Permission.MEMBER)])
async def stop(
    playback_id: UUID,
    request: Request,
    db: Db,
    viewer: SignedIn,
    next: Annotated[str, Form()] = "",
) -> Response:
    """POST /playbacks/{id}/stop: end one of one's own viewings, on whatever device. 204 for a script."""
    await places.stop(db, viewer.user_id, playback_id, utcnow())
    if wants_json(request.scope):
        return Response(status_code=204)
    back = safe_next(next, "")
    return RedirectResponse("/account/streams?done=stopped" + (f"&next={quote(back)}" if back else ""), 303)
