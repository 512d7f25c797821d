"""Courses and lessons as visitors and members see them: the outline, the player or the wall, and the library."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from app.access.queries import facts_for
from app.access.rules import Denied, LessonFacts, Reason, ViewerFacts, decide
from app.accounts.permissions import Permission, Viewer
from app.billing.offers import PlanOffer
from app.billing.queries import stopped_by
from app.catalog import queries
from app.catalog.views import CourseView, LessonView, OutlineLesson
from app.clock import utcnow
from app.db import Db
from app.earning import visits
from app.errors import BadInput, NotFound, TooMany
from app.finding.queries import TermCard, said_of_lesson
from app.playback import progress
from app.waiting import asking
from app.waiting import queries as waiting
from app.waiting.standing import Standing
from app.web import origin, stored
from app.web.ask_forms import Asked, AskForm, Sent, form_for, take
from app.web.course_views import (
    OutlineGroup,
    Wall,
    can_watch_all,
    offer_for,
    outline,
    plans_url,
    prose,
    wall_for,
)
from app.web.course_words import Moment, SpokenTrack, spoken
from app.web.guard import MaybeViewer, SignedIn, needs
from app.web.pages import Page, Pages

router = APIRouter(tags=["courses"])
PUBLIC = [needs(Permission.PUBLIC)]
POSTER_S = 86400


@dataclass(frozen=True)
class CoursesPage:
    """`topics`: what is announced, and not out yet."""

    courses: list[CourseView]
    topics: list[Standing]


@dataclass(frozen=True)
class CoursePage:
    """`begin`: the lesson that the big button opens; `is_open`: the viewer may watch all of it."""

    course: CourseView
    body: Markup | None
    outline: tuple[OutlineGroup, ...]
    begin: OutlineLesson | None
    is_begun: bool
    is_open: bool
    done: int
    offer: PlanOffer | None
    join_url: str


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
    terms: list[TermCard]
    is_preview: bool


@dataclass(frozen=True)
class LibraryCourse:
    course: CourseView
    done: int
    total: int
    begin: OutlineLesson | None
    is_open: bool

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.total) if self.total else 0


@dataclass(frozen=True)
class LibraryPage:
    watching: list[progress.Watching]
    courses: list[LibraryCourse]
    offer: PlanOffer | None
    join_url: str


def _sees_drafts(viewer: Viewer | None) -> bool:
    return viewer is not None and viewer.is_staff


def _begin(course: CourseView, finished: set[UUID], *, is_open: bool) -> OutlineLesson | None:
    """The first lesson that this viewer may watch and has not seen; when all are seen, the first again."""
    ready = [one for one in course.lessons if one.is_out and one.has_poster and (is_open or one.is_free)]
    return next((one for one in ready if one.id not in finished), ready[0] if ready else None)


@router.get("/courses", dependencies=PUBLIC)
async def course_list(page: Page, db: Db) -> Response:
    """Every course."""
    now = utcnow()
    found = await queries.courses(db, now, with_drafts=_sees_drafts(page.viewer))
    return await page.show("courses/list.html", CoursesPage(found, await waiting.topics(db, now)))


@router.get("/courses/{course_slug}", dependencies=PUBLIC)
async def course(course_slug: str, page: Page, db: Db) -> Response:
    """One course: what it is for, and its outline."""
    now, viewer = utcnow(), page.viewer
    found = await queries.course_by_slug(db, course_slug, now, with_drafts=_sees_drafts(viewer))
    if found is None:
        raise NotFound
    entitlements = await facts_for(db, viewer.user_id) if viewer else []
    finished = await progress.finished(db, viewer.user_id) if viewer else set()
    is_open = can_watch_all(viewer, found.id, entitlements, now)
    done = sum(lesson.id in finished for lesson in found.lessons)
    model = CoursePage(
        course=found,
        body=prose(found.body_md),
        outline=outline(found, finished, is_open=is_open),
        begin=_begin(found, finished, is_open=is_open),
        is_begun=done > 0,
        is_open=is_open,
        done=done,
        offer=None if is_open else await offer_for(db, found.id),
        join_url=plans_url(found.url, origin.of(page.request)),
    )
    return await page.show("courses/course.html", model)


@router.get("/courses/{course_slug}/{lesson_slug}", dependencies=PUBLIC)
async def lesson(course_slug: str, lesson_slug: str, page: Page, db: Db, told: str = "") -> Response:
    """A lesson, 200 for everybody: with the player for those who may watch, with the wall for others."""
    return await _lesson(page, db, course_slug, lesson_slug, Asked(told=told))


async def _lesson(
    page: Pages, db: Db, course_slug: str, lesson_slug: str, asked: Asked, status: int = 200
) -> Response:
    now, viewer = utcnow(), page.viewer
    drafts = _sees_drafts(viewer)
    found = await queries.course_by_slug(db, course_slug, now, with_drafts=drafts)
    shown = await queries.lesson_in(db, found, lesson_slug, now, with_drafts=drafts) if found else None
    if found is None or shown is None:
        raise NotFound
    entitlements = await facts_for(db, viewer.user_id) if viewer else []
    finished = await progress.finished(db, viewer.user_id) if viewer else set()
    verdict = decide(
        ViewerFacts(viewer.is_staff) if viewer else None,
        LessonFacts(shown.id, found.id, shown.is_free, shown.is_out, shown.has_video),
        entitlements,
        now,
    )
    wall = None
    if isinstance(verdict, Denied):
        back, came_from = f"{found.url}/{shown.slug}", origin.of(page.request)
        offer = await offer_for(db, found.id)
        why = await stopped_by(db, viewer.user_id) if viewer and verdict.reason is Reason.ENDED else ""
        wall = wall_for(verdict, viewer, back, shown.id, found.free_lesson, offer, came_from, why)
        if offer is not None and wall.join_url:
            await visits.count(db, origin.stepped_out_of(page.request), now)
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
        terms=await said_of_lesson(db, shown.id),
        is_preview=not found.is_published or not shown.is_out,
    )
    return await page.show("courses/lesson.html", model, status=status)


def _next(course: CourseView, present: LessonView) -> OutlineLesson | None:
    """The next lesson of the outline that is out."""
    ids = [lesson.id for lesson in course.lessons]
    later = course.lessons[ids.index(present.id) + 1 :] if present.id in ids else ()
    return next((lesson for lesson in later if lesson.is_out), None)


@router.post("/courses/{course_slug}/{lesson_slug}/reminder", dependencies=PUBLIC)
async def remind_me(
    request: Request, course_slug: str, lesson_slug: str, page: Page, db: Db, sent: Sent
) -> Response:
    """ "Tell me when it is out": the answer is the same for every address."""
    now = utcnow()
    found = await queries.course_by_slug(db, course_slug, now)
    shown = await queries.lesson_in(db, found, lesson_slug, now) if found else None
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
        return await _lesson(page, db, course_slug, lesson_slug, asked, fault.status)
    return RedirectResponse(f"{url}?told={told}#reminder", 303)


@router.get("/library", dependencies=[needs(Permission.MEMBER)])
async def library(page: Page, db: Db, viewer: SignedIn) -> Response:
    """Where the member stopped, and what they can watch."""
    now = utcnow()
    entitlements = await facts_for(db, viewer.user_id)
    finished = await progress.finished(db, viewer.user_id)
    rows = []
    for one in await queries.courses(db, now):
        is_open = can_watch_all(viewer, one.id, entitlements, now)
        out = [lesson for lesson in one.lessons if lesson.is_out]
        done = sum(lesson.id in finished for lesson in out)
        rows.append(LibraryCourse(one, done, len(out), _begin(one, finished, is_open=is_open), is_open))
    is_member = any(row.is_open for row in rows)
    model = LibraryPage(
        watching=await progress.watching(db, viewer.user_id),
        courses=rows,
        offer=None if is_member else await offer_for(db, None),
        join_url=plans_url("/library"),
    )
    return await page.show("library/library.html", model)


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
