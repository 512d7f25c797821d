"""The player's requests: begin a viewing, go on with it, remember the place; and what plays where, to stop it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.routing import Route
from starlette.types import Scope

from app.accounts.permissions import Permission
from app.clock import utcnow
from app.db import Db, statements
from app.errors import NotFound
from app.playback import beating, places, progress, starting
from app.playback.beating import Heard, State
from app.playback.places import Stream
from app.playback.rules import watched_at
from app.practice.queries import streams_at_once
from app.web.failures import wants_json
from app.web.guard import MaybeViewer, SignedIn, cookie_name, declares, needs
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


@declares(Permission.PUBLIC)
async def start(request: Request) -> Response:
    """POST /lessons/{id}/playback: begin to watch. Free lessons need no sign-in; others 401, or 402 without
    entitlement; 409 when all places are taken, with what plays where.

    A bare route on a bare connection: FastAPI's part of it and a session's were more than its statements.
    """
    ask = _ask(await request.body())
    async with statements() as db:
        granted = await starting.start(
            db,
            request.cookies.get(cookie_name()),
            _lesson_id(request),
            utcnow(),
            most=lambda: streams_at_once(db),
            is_native=ask.native,
            tab=ask.tab,
            ip=client_ip(request),
        )
    said = {
        "playlist_url": granted.playlist_url,
        "expires_at": granted.expires_at.isoformat(),
        "position_s": granted.position_s,
        "renew_url": f"/playbacks/{granted.playback_id}/renew",
        "grant": granted.grant,
    }
    return JSONResponse(said, 201, {"Cache-Control": "no-store"})


def _lesson_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["lesson_id"])
    except ValueError:
        raise NotFound from None


def _ask(body: bytes) -> Ask:
    """
    Raises:
        RequestValidationError: for what is no such question.
    """
    try:
        return Ask.model_validate_json(body) if body else Ask()
    except ValidationError as fault:
        errors = [{**one, "loc": ("body", *one["loc"])} for one in fault.errors(include_url=False)]
        raise RequestValidationError(errors) from fault


_START = re.compile(r"/lessons/[^/]+/playback")


def is_start(scope: Scope) -> bool:
    """Whether a player asks to begin: answered before FastAPI (app/main.py), whose walk over all routes was a tenth."""
    return (
        scope["type"] == "http" and scope["method"] == "POST" and _START.fullmatch(scope["path"]) is not None
    )


routes = [Route("/lessons/{lesson_id}/playback", start, methods=["POST"])]


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
