"""The studio's courses: the list, a course's own facts, and the outline of its sections and lessons."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.catalog import arranging, editing, publishing, studio_queries
from app.catalog.editing import CourseForm, Faults
from app.catalog.models import Course
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, Conflict, NotFound
from app.waiting import queries as waiting
from app.web.guard import SignedIn
from app.web.pages import Page, Pages
from app.web.studio import lessons
from app.web.studio.lessons import moved_back

router = APIRouter(prefix="/courses")


@dataclass(frozen=True)
class CoursesPage:
    courses: list[studio_queries.CourseLine]
    did: str


@dataclass(frozen=True)
class NewCoursePage:
    form: CourseForm
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CoursePage:
    """`refused`: why the last button did nothing. `waiting`: addresses that wait, by lesson.

    `section_faults`: what was typed as a section's title and what is wrong with it, by its id or "new".
    """

    course: Course
    form: CourseForm
    waiting: dict[UUID, int]
    errors: dict[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    section_faults: dict[str, tuple[str, str]] = field(default_factory=dict)
    did: str = ""
    moved: str = ""

    @property
    def is_emptied(self) -> bool:
        """Published, though visitors find no lesson in it."""
        lessons = [lesson for section in self.course.sections for lesson in section.lessons]
        return self.course.state == "published" and all(lesson.state == "draft" for lesson in lessons)


async def course_form(
    title: Annotated[str, Form()] = "",
    slug: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
    body_md: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> CourseForm:
    """The form about a course, as it was sent."""
    return CourseForm(title, slug, summary, body_md, seen)


Sent = Annotated[CourseForm, Depends(course_form)]


def record(db: AsyncSession, viewer: Viewer, deed: str, course: Course) -> None:
    audit.record(db, viewer.user_id, f"course.{deed}", "course", course.id, title=course.title)


async def show(
    page: Pages,
    db: AsyncSession,
    course_id: UUID,
    *,
    form: CourseForm | None = None,
    errors: dict[str, str] | None = None,
    refused: tuple[str, ...] = (),
    section_faults: dict[str, tuple[str, str]] | None = None,
    did: str = "",
    moved: str = "",
) -> Response:
    """The course's page, with what was typed and why something was refused."""
    course = await studio_queries.whole_course(db, course_id)
    present = CourseForm.of(course)
    model = CoursePage(
        course=course,
        form=replace(form, seen=present.seen) if form else present,
        waiting=await waiting.by_lesson(db, course_id),
        errors=errors or {},
        refused=refused,
        section_faults=section_faults or {},
        did=did,
        moved=moved,
    )
    status = 422 if errors or refused or section_faults else 200
    return await page.show("studio/courses/course.html", model, status=status)


def back(course_id: UUID, did: str) -> RedirectResponse:
    return RedirectResponse(f"/studio/courses/{course_id}?did={did}", 303)


@router.get("")
async def courses(page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/courses."""
    found = await studio_queries.course_lines(db, utcnow())
    return await page.show("studio/courses/list.html", CoursesPage(found, did))


@router.get("/new")
async def new(page: Page) -> Response:
    """GET /studio/courses/new."""
    return await page.show("studio/courses/new.html", NewCoursePage(CourseForm()))


@router.post("")
async def create(page: Page, db: Db, viewer: SignedIn, form: Sent) -> Response:
    """POST /studio/courses: a draft that only staff see."""
    try:
        course = await editing.create_course(db, form)
    except Faults as faults:
        return await page.show("studio/courses/new.html", NewCoursePage(form, faults.by_field), status=422)
    record(db, viewer, "create", course)
    return back(course.id, "create")


@router.get("/{course_id}")
async def course(course_id: UUID, page: Page, db: Db, did: str = "", moved: str = "") -> Response:
    """GET /studio/courses/{id}."""
    return await show(page, db, course_id, did=did, moved=moved)


@router.post("/{course_id}")
async def save(course_id: UUID, page: Page, db: Db, viewer: SignedIn, form: Sent) -> Response:
    """POST /studio/courses/{id}: its title, address and words."""
    try:
        saved = await editing.edit_course(db, course_id, form)
    except Faults as faults:
        return await show(page, db, course_id, form=form, errors=faults.by_field)
    record(db, viewer, "edit", saved)
    return back(course_id, "save")


async def _publish(db: AsyncSession, course_id: UUID) -> Course:
    return await publishing.publish_course(db, course_id, utcnow())


STATES: dict[str, Callable[[AsyncSession, UUID], Awaitable[Course]]] = {
    "publish": _publish,
    "unpublish": publishing.unpublish_course,
    "delete": arranging.delete_course,
}


@router.post("/{course_id}/do/{deed}")
async def change(course_id: UUID, deed: str, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/courses/{id}/do/{publish|unpublish|delete|up|down}."""
    if deed in ("up", "down"):
        if moved := await arranging.move_course(db, course_id, -1 if deed == "up" else 1):
            record(db, viewer, "move", moved)
        return RedirectResponse("/studio/courses", 303)
    if deed not in STATES:
        raise NotFound
    try:
        changed = await STATES[deed](db, course_id)
    except publishing.NotYet as missing:
        return await show(page, db, course_id, refused=missing.sentences)
    except Conflict as refused:
        return await show(page, db, course_id, refused=(refused.sentence,))
    record(db, viewer, deed, changed)
    return RedirectResponse("/studio/courses?did=delete", 303) if deed == "delete" else back(course_id, deed)


@router.post("/{course_id}/sections")
async def add_section(
    course_id: UUID, page: Page, db: Db, viewer: SignedIn, title: Annotated[str, Form()] = ""
) -> Response:
    """POST /studio/courses/{id}/sections."""
    try:
        section = await arranging.add_section(db, course_id, title)
    except BadInput as refused:
        return await show(page, db, course_id, section_faults={"new": (title, refused.sentence)})
    audit.record(db, viewer.user_id, "section.create", "course", course_id, title=section.title)
    return back(course_id, "section")


@router.post("/{course_id}/sections/{section_id}")
async def rename_section(
    course_id: UUID,
    section_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    title: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/courses/{id}/sections/{id}: its title."""
    try:
        section = await arranging.rename_section(db, course_id, section_id, title)
    except BadInput as refused:
        return await show(page, db, course_id, section_faults={str(section_id): (title, refused.sentence)})
    audit.record(db, viewer.user_id, "section.rename", "course", course_id, title=section.title)
    return back(course_id, "save")


@router.post("/{course_id}/sections/{section_id}/do/{deed}")
async def change_section(
    course_id: UUID, section_id: UUID, deed: str, page: Page, db: Db, viewer: SignedIn
) -> Response:
    """POST /studio/courses/{id}/sections/{id}/do/{up|down|delete}."""
    if deed in ("up", "down"):
        if moved := await arranging.move_section(db, course_id, section_id, -1 if deed == "up" else 1):
            audit.record(db, viewer.user_id, "section.move", "course", course_id, title=moved.title)
        return moved_back(course_id, section_id)
    if deed != "delete":
        raise NotFound
    try:
        section = await arranging.delete_section(db, course_id, section_id)
    except Conflict as refused:
        return await show(page, db, course_id, refused=(refused.sentence,))
    audit.record(db, viewer.user_id, "section.delete", "course", course_id, title=section.title)
    return back(course_id, "section-delete")


router.include_router(lessons.router)
