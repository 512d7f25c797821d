""" "Why can she watch this lesson?": the facts, the rule that decided, the answer, and what would change it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import queries
from app.access.explaining import Explained, explain
from app.access.rules import Allowed, LessonFacts, Reason, ViewerFacts, decide
from app.accounts.models import User
from app.accounts.queries import by_email
from app.catalog.outlines import course_by_slug, lesson_in
from app.catalog.views import CourseView, LessonView
from app.errors import NotFound
from app.i18n import N_, _
from app.templating import day

RULES = {
    Reason.FREE: N_("The lesson is free, so anybody may watch it."),
    Reason.ENTITLED: N_("A right that holds now covers this course."),
    Reason.STAFF: N_("Staff may watch everything."),
    Reason.SIGN_IN: N_("The account is closed, so it counts as nobody’s."),
    Reason.NO_ENTITLEMENT: N_("No right covers this course."),
    Reason.ENDED: N_("A right covered this course, and has ended."),
    Reason.NOT_OUT: N_("The lesson is not out yet, whatever somebody has paid."),
    Reason.NO_VIDEO: N_("The lesson has no film that is ready."),
}
CHANGES = {
    Reason.FREE: N_("It would take a right if the lesson were not free any more."),
    Reason.STAFF: N_("It would take a right if the account were a member’s."),
    Reason.SIGN_IN: N_("Open the account again."),
    Reason.NO_ENTITLEMENT: N_("A plan that covers this course, or a right that you give."),
    Reason.ENDED: N_("A new payment, or a right that you give."),
    Reason.NOT_OUT: N_("Publish the lesson and its course, or wait for its day."),
    Reason.NO_VIDEO: N_("Give the lesson a video, and wait until it is ready."),
}


@dataclass(frozen=True)
class Answer:
    """Whether the member may watch, and why, as lines to read."""

    may_watch: bool
    lines: tuple[str, ...]


async def why(db: AsyncSession, email: str, lesson_path: str, now: datetime) -> Answer:
    """What decides about this member and this lesson (`course/lesson`, as in its address).

    Raises:
        NotFound: when there is no such member or lesson, saying which.
    """
    user = await by_email(db, email)
    if user is None:
        raise NotFound(_("There is no account with the address {email}.").format(email=email))
    course, lesson = await _lesson(db, lesson_path, now)
    viewer = None if user.banned_at is not None else ViewerFacts(is_staff=user.is_staff)
    facts = LessonFacts(lesson.id, course.id, lesson.is_free, lesson.is_out, lesson.has_video)
    decision = decide(viewer, facts, await queries.facts_for(db, user.id), now)
    rights = [one for one in await explain(db, user.id, now) if one.course_id in (None, course.id)]
    allowed = isinstance(decision, Allowed)
    lines = [
        *_facts(user, course, lesson),
        *_rights(rights),
        _("Rule: {rule}").format(rule=_(RULES[decision.reason])),
        _("Answer: may watch.") if allowed else _("Answer: may not watch."),
        *_changes(decision.reason, rights),
    ]
    return Answer(allowed, tuple(lines))


async def _lesson(db: AsyncSession, path: str, now: datetime) -> tuple[CourseView, LessonView]:
    parts = path.strip("/").removeprefix("courses/").split("/")
    course = await course_by_slug(db, parts[0], now, with_drafts=True)
    found = (
        await lesson_in(db, course, parts[1], now, with_drafts=True)
        if course is not None and len(parts) == 2
        else None
    )
    if course is None or found is None:
        raise NotFound(
            _("There is no lesson {path}. Give it as course/lesson, as in its address.").format(path=path)
        )
    return course, found


def _facts(user: User, course: CourseView, lesson: LessonView) -> list[str]:
    who = _("Staff") if user.is_staff else _("Member")
    closed = _(", account closed on {day}").format(day=day(user.banned_at)) if user.banned_at else ""
    kind = _("free") if lesson.is_free else _("paid")
    state = _("out") if lesson.is_out else _("not out")
    film = _("film ready") if lesson.has_video else _("no film ready")
    return [
        _("{who}: {name} <{email}>{closed}").format(who=who, name=user.name, email=user.email, closed=closed),
        _("Lesson: {lesson} in {course} ({kind}, {state}, {film})").format(
            lesson=lesson.title, course=course.title, kind=kind, state=state, film=film
        ),
    ]


def _rights(rights: list[Explained]) -> list[str]:
    if not rights:
        return [_("Rights to this course: none, and never had one.")]
    lines = [_("Rights to this course:")]
    for one in rights:
        what = _("every course") if one.course_id is None else _("this course")
        lines.append(f"  {one.source} {one.source_id}, {what}: {one.until}")
        lines.append("    " + _("because of {cause}").format(cause=one.cause))
    return lines


def _changes(reason: Reason, rights: list[Explained]) -> list[str]:
    if reason is Reason.ENTITLED:
        return [
            _("What would change it: {words}").format(words=one.would_change)
            for one in rights
            if one.is_active and one.would_change
        ]
    return [_("What would change it: {words}").format(words=_(CHANGES[reason]))]
