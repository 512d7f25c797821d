"""The studio's videos: upload, watch them become ready, try again, name, preview and delete."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.catalog import uses
from app.catalog.uses import LessonUse
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, LimberError
from app.video import editing, poster_rules, queries, words
from app.video.models import Video
from app.web.guard import SignedIn
from app.web.pages import Page, Pages
from app.web.studio import captions, captions_draft, clips, posters, video_files, video_news
from app.web.studio.paging import page_number
from app.web.studio.posters import PosterChoice

router = APIRouter(prefix="/videos")
# Longer than any encode of a day: the page says so when nothing has moved for this long.
QUIET_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class VideoLine:
    """A video in the list. `says`: its stage in words while it is worked on; `poster_url` None: no frame yet."""

    id: UUID
    title: str
    url: str
    state: str
    mark: str
    says: str
    percent: int
    is_busy: bool
    failure: str | None
    poster_url: str | None
    duration_s: float | None
    size: str
    lessons: list[LessonUse]
    video: Video

    @property
    def is_stopped(self) -> bool:
        """A person ended the work; the film is not at fault."""
        return self.video.failure == words.STOPPED


@dataclass(frozen=True)
class VideosPage:
    """`words`: what was searched for; `is_quiet`: work waits, and nothing has moved for a while.

    `said`: what was just done with all of them.
    """

    videos: list[VideoLine]
    total: int
    page: int
    pages: int
    words: str
    is_quiet: bool
    said: str = ""


@dataclass(frozen=True)
class Rung:
    """One size of the stream, in words."""

    name: str
    size: str
    bandwidth: str
    stored: str


@dataclass(frozen=True)
class VideoPage:
    """`done`: what was just done (renamed, retried); `title`, `error`: what was typed as its name, and why not.

    `refusal`: why an act was not done; `poster_error`: why an own picture was not taken.
    `beginning`: how far a film under way can be watched, in words.
    """

    line: VideoLine
    video: Video
    rungs: list[Rung]
    stored: str
    done: str = ""
    title: str = ""
    error: str | None = None
    refusal: str | None = None
    posters: list[PosterChoice] = field(default_factory=list)
    poster_error: str | None = None
    beginning: str = ""


MARKS = {"ready": "state-ok", "failed": "state-bad"}


def _line(video: Video, lessons: list[LessonUse]) -> VideoLine:
    is_busy = video.state in words.BUSY
    v = poster_rules.mark(video.version, video.poster_version)
    poster = f"/studio/videos/{video.id}/poster.jpg?v={v}" if video.version else None
    return VideoLine(
        id=video.id,
        title=video.title,
        url=f"/studio/videos/{video.id}",
        state=video.state,
        mark=MARKS.get(video.state, "state-busy"),
        says=words.stage(video),
        percent=video.percent,
        is_busy=is_busy,
        failure=words.failure(video),
        poster_url=poster,
        duration_s=video.duration_s,
        size=words.size(video.source_bytes),
        lessons=lessons,
        video=video,
    )


Count = Annotated[int | None, Query(ge=0, le=1_000_000)]


@router.get("")
async def videos(
    page: Page,
    db: Db,
    q: str = "",
    number: Annotated[str, Query(alias="page")] = "1",
    queued: Count = None,
    under_way: Count = None,
    no_original: Count = None,
) -> Response:
    """GET /studio/videos?q=: every video, the newest first, and the place to drop new ones.

    The three counts are those of an "Encode all again" that has just been done.
    """
    search = " ".join(tidy(q).split())[:200]
    found = await queries.listing(db, search, page_number(number))
    shown_in = await uses.lessons_with(db, [video.id for video in found.rows])
    busy = await queries.in_state(db, *words.BUSY, limit=1)
    shown = VideosPage(
        videos=[_line(video, shown_in.get(video.id, [])) for video in found.rows],
        total=found.total,
        page=found.page,
        pages=found.pages,
        words=search,
        # The last change of any video that waits: a worker that lives writes twice a second.
        is_quiet=bool(busy) and busy[0].changed_at < utcnow() - QUIET_FOR,
        said="" if queued is None else words.again(queued, under_way or 0, no_original or 0),
    )
    return await page.show("studio/videos/list.html", shown)


@router.post("/encode-all-again")
async def encode_all_again(db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/encode-all-again: every video that can be is queued once more."""
    done = await editing.retry_all(db, viewer.user_id, utcnow())
    counts = f"queued={done.queued}&under_way={done.under_way}&no_original={done.no_original}"
    return RedirectResponse(f"/studio/videos?{counts}", 303)


# Before the routes with an id, so that "events" is not taken for one.
router.include_router(video_news.router)


@router.get("/{video_id}")
async def video(video_id: UUID, page: Page, db: Db, done: str = "") -> Response:
    """GET /studio/videos/{id}."""
    return await show(page, db, video_id, done=done)


async def show(
    page: Pages,
    db: Db,
    video_id: UUID,
    *,
    done: str = "",
    title: str | None = None,
    error: LimberError | None = None,
    refusal: LimberError | None = None,
    poster_error: LimberError | None = None,
) -> Response:
    """The page of a video, with what was just done or refused."""
    found = await queries.by_id(db, video_id)
    lessons = (await uses.lessons_with(db, [video_id])).get(video_id, [])
    stored = sum(int(rung["size_bytes"]) for rung in found.renditions)
    shown = VideoPage(
        line=_line(found, lessons),
        video=found,
        rungs=[_rung(facts) for facts in found.renditions],
        stored=words.size(stored) if stored else "",
        done=done,
        title=found.title if title is None else title,
        error=error.sentence if error else None,
        refusal=refusal.sentence if refusal else None,
        posters=posters.choices(found),
        beginning=words.beginning(found),
        poster_error=poster_error.sentence if poster_error else None,
    )
    trouble = error or refusal or poster_error
    return await page.show("studio/videos/video.html", shown, status=trouble.status if trouble else 200)


def _rung(facts: dict[str, float | int | str]) -> Rung:
    return Rung(
        name=str(facts["name"]),
        size=f"{facts['width_px']} × {facts['height_px']}",
        bandwidth=words.bit_rate(int(facts["bandwidth_bps"])),
        stored=words.size(int(facts["size_bytes"])),
    )


@router.post("/{video_id}")
async def rename(
    video_id: UUID, page: Page, db: Db, viewer: SignedIn, title: Annotated[str, Form()] = ""
) -> Response:
    """POST /studio/videos/{id}: give it another title."""
    try:
        await editing.rename(db, viewer.user_id, video_id, title)
    except BadInput as refused:
        return await show(page, db, video_id, title=title, error=refused)
    return RedirectResponse(f"/studio/videos/{video_id}?done=renamed", 303)


@router.post("/{video_id}/retry")
async def retry(video_id: UUID, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/{id}/retry: encode it once more."""
    try:
        await editing.retry(db, viewer.user_id, video_id, utcnow())
    except LimberError as refused:
        if refused.status == 404:
            raise
        return await show(page, db, video_id, refusal=refused)
    return RedirectResponse(f"/studio/videos/{video_id}?done=retried", 303)


@router.post("/{video_id}/stop")
async def stop(video_id: UUID, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/{id}/stop: end the work on it; refused when there is none."""
    try:
        await editing.stop(db, viewer.user_id, video_id, utcnow())
    except LimberError as refused:
        if refused.status == 404:
            raise
        return await show(page, db, video_id, refusal=refused)
    return RedirectResponse(f"/studio/videos/{video_id}", 303)


@router.post("/{video_id}/delete")
async def delete(video_id: UUID, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/videos/{id}/delete: it and its files go; refused while a lesson shows it."""
    lessons = (await uses.lessons_with(db, [video_id])).get(video_id, [])
    try:
        await editing.delete(db, viewer.user_id, video_id, [lesson.title for lesson in lessons])
    except LimberError as refused:
        if refused.status == 404:
            raise
        return await show(page, db, video_id, refusal=refused)
    return RedirectResponse("/studio/videos", 303)


router.include_router(captions.router)
router.include_router(captions_draft.router)
router.include_router(clips.router)
router.include_router(posters.router)
router.include_router(video_files.router)
