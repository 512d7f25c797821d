"""The studio's choice of a film's poster: the pictures to choose from, and the choice."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.i18n import _
from app.templating import clock
from app.video import poster_choice, poster_rules, queries
from app.video.models import Video
from app.video.poster_rules import AUTO, OWN, POSTERS, SMALL_POSTER
from app.web.guard import SignedIn
from app.web.stored import jpeg

router = APIRouter(prefix="/{video_id}")


@dataclass(frozen=True)
class PosterChoice:
    """One of the pictures. `value`: what choosing it sends."""

    value: str
    url: str
    label: str
    is_chosen: bool


def choices(video: Video) -> list[PosterChoice]:
    """Limber's choice, the teacher's own picture, then the film's in their order; none before there is a stream."""
    if not video.version:
        return []
    where, shown_ms = f"/studio/videos/{video.id}/posters", poster_rules.shown_ms(video)
    has_own = video.poster_choice == OWN and bool(video.poster_own)
    auto = PosterChoice(
        AUTO, f"{where}/auto.jpg?v={video.version}", _("Limber’s choice"), not has_own and shown_ms is None
    )
    found = [auto]
    if video.poster_own:
        found.append(PosterChoice(OWN, f"{where}/own.jpg?v={video.poster_own}", _("Your picture"), has_own))
    for n, at_ms in sorted(enumerate(video.poster_times), key=lambda pair: pair[1]):
        # The first is the one that Limber chose, and is seen there already.
        if n or at_ms == shown_ms:
            url = f"{where}/{at_ms}.jpg?v={video.version}"
            label = _("At %(time)s") % {"time": clock(at_ms / 1000)}
            found.append(PosterChoice(str(at_ms), url, label, at_ms == shown_ms))
    return found


@router.get("/posters/{name}.jpg")
async def candidate(video_id: UUID, name: str, db: Db) -> Response:
    """GET /studio/videos/{id}/posters/{auto|own|ms}.jpg?v=: a picture to choose, 640 pixels wide."""
    video = await queries.by_id(db, video_id)
    folder = f"videos/{video_id}/{video.version}"
    if name == OWN and video.poster_own:
        folder = poster_rules.own_folder(video_id, video.poster_own)
    elif name.isascii() and name.isdecimal() and len(name) < 10 and int(name) in video.poster_times:
        folder = f"{folder}/{POSTERS}/{int(name)}"
    elif name != AUTO or not video.version:
        raise NotFound
    return await jpeg(f"{folder}/{SMALL_POSTER}")


@router.post("/poster")
async def choose(video_id: UUID, db: Db, viewer: SignedIn, poster: Annotated[str, Form()] = "") -> Response:
    """POST /studio/videos/{id}/poster: what stands for the film from now on."""
    await poster_choice.choose(db, viewer.user_id, video_id, poster, utcnow())
    return RedirectResponse(f"/studio/videos/{video_id}?done=poster#posters", 303)


@router.post("/poster/remove")
async def remove(video_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/{id}/poster/remove: the teacher's own picture goes."""
    await poster_choice.remove_own(db, viewer.user_id, video_id, utcnow())
    return RedirectResponse(f"/studio/videos/{video_id}?done=poster-removed#posters", 303)
