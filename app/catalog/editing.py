"""Courses and lessons are written: every field is checked, and each fault is a sentence beside its field."""

import hashlib
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.rules import tidy
from app.catalog import indexed, rules
from app.catalog.arranging import append_lesson, hold_course_list, lesson_in, locked_course
from app.catalog.models import Course, Lesson, Section
from app.clock import OtherCentury, for_field, typed_moment
from app.errors import BadInput
from app.i18n import _, ngettext
from app.video.models import Video

TITLE_MAX = 160
SUMMARY_MAX = 600
NEEDS_MAX = 300
BODY_MAX = 60_000


class Faults(BadInput):
    """Several faults of one form: `by_field` holds a sentence for each field."""

    def __init__(self, by_field: dict[str, str]) -> None:
        self.by_field = by_field
        super().__init__(next(iter(by_field.values())), field=next(iter(by_field)))


@dataclass(frozen=True)
class CourseForm:
    """What is typed about a course, as it came. `seen`: the `edition` that stood when its page was opened."""

    title: str = ""
    slug: str = ""
    summary: str = ""
    body_md: str = ""
    seen: str = ""

    @classmethod
    def of(cls, course: Course) -> "CourseForm":
        """What the form shows of a course that is there."""
        form = cls(course.title, course.slug, course.summary, course.body_md)
        return replace(form, seen=edition(form))


@dataclass(frozen=True)
class LessonForm:
    """What is typed about a lesson, as it came: ids and the day are text still; `seen` as in `CourseForm`."""

    title: str = ""
    slug: str = ""
    summary: str = ""
    body_md: str = ""
    needs: str = ""
    transcript_md: str = ""
    section_id: str = ""
    video_id: str = ""
    available_at: str = ""
    is_free: bool = False
    seen: str = ""

    @classmethod
    def of(cls, lesson: Lesson, zone: tzinfo) -> "LessonForm":
        """What the form shows of a lesson that is there, its day as a `datetime-local` field holds it in `zone`."""
        form = cls(
            title=lesson.title,
            slug=lesson.slug,
            summary=lesson.summary,
            body_md=lesson.body_md,
            needs=lesson.needs,
            transcript_md=lesson.transcript_md,
            section_id=str(lesson.section_id),
            video_id=str(lesson.video_id or ""),
            available_at=for_field(lesson.available_at, zone),
            is_free=lesson.is_free,
        )
        return replace(form, seen=edition(form))


def edition(form: CourseForm | LessonForm) -> str:
    """A short mark of all that the form holds, another one as soon as anything in it differs."""
    return hashlib.sha256(repr(astuple(replace(form, seen=""))).encode("utf-8", "replace")).hexdigest()[:16]


def _refuse_overwriting(sent: CourseForm | LessonForm, present: CourseForm | LessonForm) -> None:
    """Two tabs: who saves second is told before the first one's words are gone, and may save once more.

    Raises:
        Faults: for the whole form.
    """
    if sent.seen and sent.seen != present.seen and edition(sent) != present.seen:
        sentence = _(
            "This was changed after you opened it, by someone else or by you in another tab. "
            "What you typed is still here: save again to put it in place of the other version."
        )
        raise Faults({"_": sentence})


@dataclass
class _Checked:
    faults: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, value: str, longest: int, *, needed: str | None = None) -> str:
        value = tidy(value.replace("\r\n", "\n").replace("\r", "\n")).strip()
        if needed and not value:
            self.faults[name] = needed
        elif len(value) > longest:
            over = len(value) - longest
            sentence = ngettext(
                "This is too long by %(n)d character.", "This is too long by %(n)d characters.", over
            )
            self.faults[name] = sentence % {"n": over}
        return value

    def line(self, name: str, value: str, longest: int, *, needed: str | None = None) -> str:
        """Text without line ends: a title, what one needs."""
        return self.text(name, " ".join(tidy(value).split()), longest, needed=needed)

    def slug(self, value: str) -> str:
        value = value.strip().lower()
        if value and not rules.is_slug(value):
            self.faults["slug"] = _("Use small letters, digits and single hyphens, like hip-rotators.")
        return value

    def uuid(self, name: str, value: str, sentence: str) -> UUID | None:
        try:
            return UUID(value) if value else None
        except ValueError:
            self.faults[name] = sentence
            return None

    def instant(self, name: str, value: str, zone: tzinfo) -> datetime | None:
        """A `datetime-local` value as the clock tells it in `zone`; None when empty."""
        try:
            return typed_moment(value, zone)
        except OtherCentury:
            self.faults[name] = _("Choose a day between 2000 and 2099.")
        except ValueError:
            self.faults[name] = _("Write the day and time like 2027-01-31 09:00.")
        return None

    def done(self) -> None:
        if self.faults:
            raise Faults(self.faults)


async def create_course(db: AsyncSession, form: CourseForm) -> Course:
    """A new draft at the end of the list.

    Raises:
        Faults: what has to be mended, by field.
    """
    await hold_course_list(db)
    last = await db.scalar(select(func.max(Course.position)))
    course = Course(position=0 if last is None else last + 1, state="draft")
    await _write_course(db, course, form)
    return course


async def edit_course(db: AsyncSession, course_id: UUID, form: CourseForm) -> Course:
    """Raises: Faults: what has to be mended, by field."""
    course = await locked_course(db, course_id)
    _refuse_overwriting(form, CourseForm.of(course))
    await _write_course(db, course, form)
    return course


async def _write_course(db: AsyncSession, course: Course, form: CourseForm) -> None:
    checked = _Checked()
    title = checked.line("title", form.title, TITLE_MAX, needed=_("Give the course a title."))
    slug = checked.slug(form.slug)
    summary = checked.text("summary", form.summary, SUMMARY_MAX)
    body_md = checked.text("body_md", form.body_md, BODY_MAX)
    if course.state == "published" and not summary:
        checked.faults["summary"] = _("A published course keeps its summary.")
    checked.done()
    others = select(Course.slug)
    if course.id:
        others = others.where(Course.id != course.id)
    course.slug = _chosen_slug(slug, title, "course", set(await db.scalars(others)), course.slug)
    course.title, course.summary, course.body_md = title, summary, body_md
    await _save(db, course)
    await indexed.index_course(db, course)


async def create_lesson(db: AsyncSession, course_id: UUID, form: LessonForm, zone: tzinfo = UTC) -> Lesson:
    """A new draft at the end of its section; its day is read in `zone`.

    Raises:
        Faults: what has to be mended, by field.
    """
    await locked_course(db, course_id)
    lesson = Lesson(course_id=course_id, state="draft")
    section_id = await _write_lesson(db, lesson, form, zone)
    await append_lesson(db, lesson, section_id)
    await indexed.index_lesson(db, lesson)
    return lesson


async def edit_lesson(
    db: AsyncSession, course_id: UUID, lesson_id: UUID, form: LessonForm, zone: tzinfo = UTC
) -> Lesson:
    """Raises: Faults: what has to be mended, by field."""
    await locked_course(db, course_id)
    lesson = await lesson_in(db, course_id, lesson_id)
    _refuse_overwriting(form, LessonForm.of(lesson, zone))
    section_id = await _write_lesson(db, lesson, form, zone)
    if section_id != lesson.section_id:
        await append_lesson(db, lesson, section_id)
    await _save(db, lesson)
    await indexed.index_lesson(db, lesson)
    return lesson


async def _write_lesson(db: AsyncSession, lesson: Lesson, form: LessonForm, zone: tzinfo) -> UUID:
    """Fill the lesson and answer the section that was chosen; nothing is written when something is wrong."""
    checked = _Checked()
    title = checked.line("title", form.title, TITLE_MAX, needed=_("Give the lesson a title."))
    slug = checked.slug(form.slug)
    summary = checked.text("summary", form.summary, SUMMARY_MAX)
    body_md = checked.text("body_md", form.body_md, BODY_MAX)
    needs = checked.line("needs", form.needs, NEEDS_MAX)
    transcript_md = checked.text("transcript_md", form.transcript_md, BODY_MAX)
    available_at = checked.instant("available_at", form.available_at, zone)
    section_id = checked.uuid("section_id", form.section_id, _("Choose one of the sections."))
    section = await db.get(Section, section_id) if section_id else None
    if section is None or section.course_id != lesson.course_id:
        checked.faults["section_id"] = _("Choose one of the sections.")
    video_id = checked.uuid("video_id", form.video_id, _("Choose one of the videos."))
    video = await db.get(Video, video_id) if video_id else None
    if video_id and video is None:
        checked.faults["video_id"] = _("This video has been removed. Choose another one.")
    if lesson.state == "published" and video_id != lesson.video_id:
        missing = rules.can_publish(rules.LessonDraft(title or "-", video_state(video)))
        if missing:
            checked.faults["video_id"] = _("A published lesson keeps a video that is ready.")
    checked.done()
    assert section_id is not None
    others = select(Lesson.slug).where(Lesson.course_id == lesson.course_id)
    if lesson.id:
        others = others.where(Lesson.id != lesson.id)
    lesson.slug = _chosen_slug(slug, title, "lesson", set(await db.scalars(others)), lesson.slug)
    lesson.title, lesson.summary, lesson.body_md, lesson.needs = title, summary, body_md, needs
    lesson.transcript_md = transcript_md
    lesson.available_at, lesson.video_id, lesson.is_free = available_at, video_id, form.is_free
    return section_id


def video_state(video: Video | None) -> str | None:
    """As `rules.LessonDraft` wants it: a finished version stays usable while a newer one is made."""
    if video is None:
        return None
    return "ready" if video.version > 0 else video.state


def _chosen_slug(typed: str, title: str, fallback: str, taken: set[str], present: str | None) -> str:
    """What was typed; else what it has; else one made of the title, with a number where that is taken.

    Raises:
        Faults: when the typed one belongs to another.
    """
    if typed and typed in taken:
        raise Faults({"slug": _("Another page has this address already. Choose a different one.")})
    return typed or present or rules.free_slug(rules.slugify(title) or fallback, taken)


async def _save(db: AsyncSession, row: Course | Lesson) -> None:
    try:
        async with db.begin_nested():
            db.add(row)
    except IntegrityError:
        # Two people took the same address at the same moment.
        raise Faults({"slug": _("Another page has this address already. Choose a different one.")}) from None
