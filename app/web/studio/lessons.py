"""The studio's lessons: written, given a film, moved, announced, published; below their course's address."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.catalog import arranging, editing, publishing, studio_queries
from app.catalog.editing import Faults, LessonForm
from app.catalog.models import Course, Lesson
from app.clock import current_zone, utcnow
from app.db import Db
from app.errors import Conflict, NotFound
from app.finding import queries as finding
from app.finding.writing import say_of_lesson
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/{course_id}/lessons")


@dataclass(frozen=True)
class LessonPage:
    """`lesson` None: a new one. `refused`: why the last button did nothing."""

    course: Course
    lesson: Lesson | None
    form: LessonForm
    videos: list[studio_queries.VideoChoice]
    time_zone: str
    term_choices: list[tuple[str, str]]
    terms: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    did: str = ""

    @property
    def sections(self) -> list[tuple[str, str]]:
        return [(str(section.id), section.title) for section in self.course.sections]

    @property
    def film(self) -> studio_queries.VideoChoice | None:
        """The lesson's film as it is kept, not as the form chose it, once it can be watched."""
        kept = self.lesson.video_id if self.lesson else None
        return next((video for video in self.videos if video.id == kept and video.is_ready), None)

    @property
    def address(self) -> str:
        base = f"/studio/courses/{self.course.id}/lessons"
        return f"{base}/{self.lesson.id}" if self.lesson else base


async def lesson_form(
    title: Annotated[str, Form()] = "",
    slug: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
    body_md: Annotated[str, Form()] = "",
    needs: Annotated[str, Form()] = "",
    transcript_md: Annotated[str, Form()] = "",
    section_id: Annotated[str, Form()] = "",
    video_id: Annotated[str, Form()] = "",
    available_at: Annotated[str, Form()] = "",
    is_free: Annotated[bool, Form()] = False,
    seen: Annotated[str, Form()] = "",
) -> LessonForm:
    """The form about a lesson, as it was sent."""
    return LessonForm(
        title=title,
        slug=slug,
        summary=summary,
        body_md=body_md,
        needs=needs,
        transcript_md=transcript_md,
        section_id=section_id,
        video_id=video_id,
        available_at=available_at,
        is_free=is_free,
        seen=seen,
    )


Sent = Annotated[LessonForm, Depends(lesson_form)]
Terms = Annotated[list[str], Form(default_factory=list)]


def record(db: AsyncSession, viewer: Viewer, deed: str, lesson: Lesson) -> None:
    audit.record(
        db,
        viewer.user_id,
        f"lesson.{deed}",
        "lesson",
        lesson.id,
        title=lesson.title,
        course_id=str(lesson.course_id),
    )


async def show(
    page: Pages,
    db: AsyncSession,
    course_id: UUID,
    lesson_id: UUID | None,
    *,
    form: LessonForm | None = None,
    terms: Sequence[str] | None = None,
    errors: dict[str, str] | None = None,
    refused: tuple[str, ...] = (),
    did: str = "",
) -> Response:
    """The lesson's page, with what was typed and why something was refused."""
    course = await studio_queries.whole_course(db, course_id)
    every = [lesson for section in course.sections for lesson in section.lessons]
    lesson = next((one for one in every if one.id == lesson_id), None)
    if lesson_id is not None and lesson is None:
        raise NotFound
    present = LessonForm.of(lesson, current_zone()) if lesson else LessonForm()
    if terms is None:
        terms = [str(one.id) for one in await finding.said_of_lesson(db, lesson.id)] if lesson else []
    model = LessonPage(
        course=course,
        lesson=lesson,
        form=replace(form, seen=present.seen) if form else present,
        videos=await studio_queries.video_choices(db, lesson.video_id if lesson else None),
        time_zone=str(current_zone()).replace("_", " "),
        term_choices=await finding.choices(db),
        terms=tuple(terms),
        errors=errors or {},
        refused=refused,
        did=did,
    )
    return await page.show("studio/courses/lesson.html", model, status=422 if errors or refused else 200)


def moved_back(course_id: UUID, what: UUID) -> RedirectResponse:
    """To the outline, at the row that moved."""
    return RedirectResponse(f"/studio/courses/{course_id}?did=move&moved={what}#row-{what}", 303)


def back(course_id: UUID, lesson_id: UUID, did: str) -> RedirectResponse:
    return RedirectResponse(f"/studio/courses/{course_id}/lessons/{lesson_id}?did={did}", 303)


@router.get("/new")
async def new(course_id: UUID, page: Page, db: Db, section: str = "") -> Response:
    """GET /studio/courses/{id}/lessons/new."""
    return await show(page, db, course_id, None, form=LessonForm(section_id=section))


@router.post("")
async def create(course_id: UUID, page: Page, db: Db, viewer: SignedIn, form: Sent, terms: Terms) -> Response:
    """POST /studio/courses/{id}/lessons: a draft at the end of its section."""
    try:
        lesson = await editing.create_lesson(db, course_id, form, current_zone())
    except Faults as faults:
        return await show(page, db, course_id, None, form=form, terms=terms, errors=faults.by_field)
    await say_of_lesson(db, lesson.id, terms)
    record(db, viewer, "create", lesson)
    return back(course_id, lesson.id, "create")


@router.get("/{lesson_id}")
async def lesson(course_id: UUID, lesson_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/courses/{id}/lessons/{id}."""
    return await show(page, db, course_id, lesson_id, did=did)


@router.post("/{lesson_id}")
async def save(
    course_id: UUID, lesson_id: UUID, page: Page, db: Db, viewer: SignedIn, form: Sent, terms: Terms
) -> Response:
    """POST /studio/courses/{id}/lessons/{id}."""
    try:
        saved = await editing.edit_lesson(db, course_id, lesson_id, form, current_zone())
    except Faults as faults:
        return await show(page, db, course_id, lesson_id, form=form, terms=terms, errors=faults.by_field)
    await say_of_lesson(db, lesson_id, terms)
    record(db, viewer, "edit", saved)
    return back(course_id, lesson_id, "save")


async def _do(db: AsyncSession, course_id: UUID, lesson_id: UUID, deed: str) -> Lesson:
    if deed == "publish":
        return await publishing.publish_lesson(db, course_id, lesson_id, utcnow())
    if deed == "announce":
        return await publishing.announce_lesson(db, course_id, lesson_id)
    if deed == "unpublish":
        return await publishing.unpublish_lesson(db, course_id, lesson_id)
    if deed == "delete":
        return await arranging.delete_lesson(db, course_id, lesson_id)
    raise NotFound


@router.post("/{lesson_id}/do/{deed}")
async def change(
    course_id: UUID, lesson_id: UUID, deed: str, page: Page, db: Db, viewer: SignedIn
) -> Response:
    """POST /studio/courses/{id}/lessons/{id}/do/{publish|announce|unpublish|delete|up|down}."""
    if deed in ("up", "down"):
        if moved := await arranging.move_lesson(db, course_id, lesson_id, -1 if deed == "up" else 1):
            record(db, viewer, "move", moved)
        return moved_back(course_id, lesson_id)
    try:
        changed = await _do(db, course_id, lesson_id, deed)
    except publishing.NotYet as missing:
        return await show(page, db, course_id, lesson_id, refused=missing.sentences)
    except Conflict as refused:
        return await show(page, db, course_id, lesson_id, refused=(refused.sentence,))
    record(db, viewer, deed, changed)
    if deed == "delete":
        return RedirectResponse(f"/studio/courses/{course_id}?did=lesson-delete", 303)
    return back(course_id, lesson_id, deed)
