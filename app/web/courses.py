"""Courses and lessons as visitors and members see them: the outline, the player or the wall, and the library."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from starlette.routing import Route
from starlette.types import Scope

from app.access.queries import ENTITLEMENTS, entitlements_of
from app.access.rules import Denied, LessonFacts, Reason, ViewerFacts, decide
from app.accounts.permissions import Permission, Viewer
from app.billing.offers import OFFERS, PlanOffer
from app.billing.queries import stopped_by
from app.catalog import outlines, queries
from app.catalog.outlines import COURSE, LESSON
from app.catalog.views import CourseView, LessonView, OutlineLesson
from app.clock import utcnow
from app.db import Db, Querying, session_on, statements
from app.earning import visits
from app.errors import BadInput, NotFound, TooMany
from app.finding.queries import SAID_OF_LESSON_AT, SaidTerm, said_terms
from app.playback import progress
from app.playback.progress import FINISHED
from app.waiting import asking
from app.waiting import queries as waiting
from app.waiting.standing import Standing
from app.web import origin, stored
from app.web.ask_forms import Asked, AskForm, Sent, form_for, take
from app.web.course_views import (
    OutlineGroup,
    Wall,
    begin_with,
    can_watch_all,
    goes_on,
    offer_of,
    outline,
    plans_url,
    prose,
    wall_for,
)
from app.web.course_words import Moment, SpokenTrack, spoken
from app.web.guard import MaybeViewer, declares, needs
from app.web.pages import Page, opened

router = APIRouter(tags=["courses"])
PUBLIC = [needs(Permission.PUBLIC)]
POSTER_S = 86400
# What a member's page shows of theirs.
MINE = (ENTITLEMENTS, FINISHED)


@dataclass(frozen=True)
class CoursesPage:
    """`topics`: what is announced, and not out yet."""

    courses: list[CourseView]
    topics: list[Standing]


@dataclass(frozen=True)
class CoursePage:
    """`begin`: the lesson that the big button opens; `is_open`: the viewer may watch all of it; `rests`: why a
    membership that goes on opens nothing now, in words."""

    course: CourseView
    body: Markup | None
    outline: tuple[OutlineGroup, ...]
    begin: OutlineLesson | None
    is_begun: bool
    is_open: bool
    done: int
    offer: PlanOffer | None
    join_url: str
    rests: str


@dataclass(frozen=True)
class LessonPage:
    """`wall` None: the viewer may watch. `reminder` is there while the lesson is not out.

    `spoken`, `chapters`: of those who may watch; `transcript` is what the teacher wrote, where there are no captions.
    """

    course: CourseView
    lesson: LessonView
    url: str
    body: Markup | None
    transcript: Markup | None
    spoken: tuple[SpokenTrack, ...]
    chapters: tuple[Moment, ...]
    outline: tuple[OutlineGroup, ...]
    wall: Wall | None
    reminder: AskForm | None
    next: OutlineLesson | None
    terms: list[SaidTerm]
    is_preview: bool


def _sees_drafts(viewer: Viewer | None) -> bool:
    return viewer is not None and viewer.is_staff


@router.get("/courses", dependencies=PUBLIC)
async def course_list(page: Page, db: Db) -> Response:
    """Every course."""
    now = utcnow()
    found = await outlines.courses(db, now, with_drafts=_sees_drafts(page.viewer))
    return await page.show("courses/list.html", CoursesPage(found, await waiting.topics(db, now)))


@declares(Permission.PUBLIC)
async def course(request: Request) -> Response:
    """GET /courses/{course_slug}: what it is for, and its outline."""
    async with statements() as db:
        return await _course(request, db, request.path_params["course_slug"], utcnow())


async def _course(request: Request, db: Querying, slug: str, now: datetime) -> Response:
    page, told = await opened(request, db, COURSE, OFFERS, mine=MINE, course_slug=slug)
    viewer = page.viewer
    found = outlines.course_of(told, now, with_drafts=_sees_drafts(viewer))
    if found is None:
        raise NotFound
    entitlements = entitlements_of(told) if viewer else []
    finished = progress.told_finished(told) if viewer else set()
    is_open = can_watch_all(viewer, found.id, entitlements, now)
    done = sum(lesson.id in finished for lesson in found.lessons) if finished else 0
    model = CoursePage(
        course=found,
        body=prose(found.body_md),
        outline=outline(found, finished, is_open=is_open),
        begin=begin_with(found, finished, is_open=is_open),
        is_begun=done > 0,
        is_open=is_open,
        done=done,
        offer=None if is_open else offer_of(told, found.id),
        join_url=plans_url(found.url, origin.of(request)),
        rests=goes_on(await _why_stopped(db, viewer)) if entitlements and not is_open else "",
    )
    return await page.show("courses/course.html", model)


@declares(Permission.PUBLIC)
async def lesson(request: Request) -> Response:
    """GET /courses/{course_slug}/{lesson_slug}: 200 for everybody, with the player for those who may watch, with the
    wall for others."""
    path = request.path_params
    asked = Asked(told=request.query_params.get("told", ""))
    async with statements() as db:
        return await _lesson(request, db, path["course_slug"], path["lesson_slug"], asked)


async def _lesson(
    request: Request, db: Querying, course_slug: str, lesson_slug: str, asked: Asked, status: int = 200
) -> Response:
    now = utcnow()
    facts = (COURSE, LESSON, OFFERS, SAID_OF_LESSON_AT)
    page, told = await opened(
        request, db, *facts, mine=MINE, course_slug=course_slug, lesson_slug=lesson_slug
    )
    viewer = page.viewer
    drafts = _sees_drafts(viewer)
    found = outlines.course_of(told, now, with_drafts=drafts)
    shown = outlines.lesson_of(told, found, now, with_drafts=drafts) if found else None
    if found is None or shown is None:
        raise NotFound
    entitlements = entitlements_of(told) if viewer else []
    finished = progress.told_finished(told) if viewer else set()
    verdict = decide(
        ViewerFacts(viewer.is_staff) if viewer else None,
        LessonFacts(shown.id, found.id, shown.is_free, shown.is_out, shown.has_video),
        entitlements,
        now,
    )
    wall = None
    if isinstance(verdict, Denied):
        back, came_from = f"{found.url}/{shown.slug}", origin.of(request)
        offer = offer_of(told, found.id)
        why = await _why_stopped(db, viewer) if verdict.reason is Reason.ENDED else ""
        wall = wall_for(verdict, viewer, back, shown.id, found.free_lesson, offer, came_from, why)
        if offer is not None and wall.join_url:
            await visits.count(db, origin.stepped_out_of(request), now)
    tracks, chapters = ((), ()) if wall else spoken(await queries.spoken_in(db, shown.id))
    is_open = can_watch_all(viewer, found.id, entitlements, now)
    model = LessonPage(
        course=found,
        lesson=shown,
        url=f"{found.url}/{shown.slug}",
        body=prose(shown.body_md),
        transcript=None if wall or tracks else prose(shown.transcript_md),
        spoken=tracks,
        chapters=chapters,
        outline=outline(found, finished, is_open=is_open),
        wall=wall,
        reminder=form_for(viewer, str(shown.id), f"{found.url}/{shown.slug}/reminder", asked)
        if shown.is_soon and found.is_published
        else None,
        next=_next(found, shown),
        terms=said_terms(told),
        is_preview=not found.is_published or not shown.is_out,
    )
    return await page.show("courses/lesson.html", model, status=status)


async def _why_stopped(db: Querying, viewer: Viewer | None) -> str:
    if viewer is None:
        return ""
    async with session_on(db) as session:
        return await stopped_by(session, viewer.user_id)


def _next(course: CourseView, present: LessonView) -> OutlineLesson | None:
    """The next lesson of the outline that is out."""
    lessons = course.lessons
    at = next((n for n, lesson in enumerate(lessons, 1) if lesson.slug == present.slug), len(lessons))
    later = lessons[at:]
    return next((lesson for lesson in later if lesson.is_out), None)


@router.post("/courses/{course_slug}/{lesson_slug}/reminder", dependencies=PUBLIC)
async def remind_me(
    request: Request, course_slug: str, lesson_slug: str, page: Page, db: Db, sent: Sent
) -> Response:
    """ "Tell me when it is out": the answer is the same for every address."""
    now = utcnow()
    found = await outlines.course_by_slug(db, course_slug, now)
    shown = await outlines.lesson_in(db, found, lesson_slug, now) if found else None
    if found is None or shown is None:
        raise NotFound
    url = f"{found.url}/{shown.slug}"
    if not shown.is_soon:
        return RedirectResponse(url, 303)
    topic_id = await asking.topic_of_lesson(db, shown.id, now)
    try:
        told = await take(db, request, page.viewer, topic_id, str(shown.id), sent)
    except (BadInput, TooMany) as fault:
        asked = Asked(sent.email, fault.sentence, came_from=sent.came_from)
        return await _lesson(request, db, course_slug, lesson_slug, asked, fault.status)
    return RedirectResponse(f"{url}?told={told}#reminder", 303)


@router.get("/posters/{lesson_id}-small.jpg", dependencies=PUBLIC)
async def small_poster(lesson_id: UUID, db: Db, viewer: MaybeViewer) -> Response:
    """The lesson's frame, 640 pixels wide."""
    return await _poster(lesson_id, db, viewer, "poster-small.jpg")


@router.get("/posters/{lesson_id}.jpg", dependencies=PUBLIC)
async def poster(lesson_id: UUID, db: Db, viewer: MaybeViewer) -> Response:
    """The lesson's frame. Its address names the lesson, so that no page tells which video it is."""
    return await _poster(lesson_id, db, viewer, "poster.jpg")


async def _poster(lesson_id: UUID, db: Db, viewer: Viewer | None, name: str) -> Response:
    film = await queries.film_of(db, lesson_id, utcnow())
    if film is None or not film.is_ready or not (film.is_visible or _sees_drafts(viewer)):
        raise NotFound
    who = "public" if film.is_visible else "private"
    return await stored.file(f"{film.poster_folder}/{name}", "image/jpeg", f"{who}, max-age={POSTER_S}")


_READ = re.compile(r"/courses/[a-z0-9-]+(?:/[a-z0-9-]+)?")


def is_read(scope: Scope) -> bool:
    """Whether somebody reads a course's or a lesson's page: answered before FastAPI (app/main.py)."""
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and _READ.fullmatch(scope["path"]) is not None
    )


routes = [
    Route("/courses/{course_slug}", course, methods=["GET", "HEAD"]),
    Route("/courses/{course_slug}/{lesson_slug}", lesson, methods=["GET", "HEAD"]),
]
