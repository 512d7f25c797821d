"""Everything that decides about a viewing that is about to begin, in one query of bare columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, select, true
from sqlalchemy.orm import aliased

from app.access.models import Entitlement
from app.access.rules import EntitlementFacts, LessonFacts
from app.accounts import sessions
from app.accounts.models import UserSession
from app.accounts.permissions import Viewer
from app.catalog import rules
from app.catalog.models import Course, Lesson
from app.db import Querying
from app.playback.models import Playback, Progress
from app.playback.places import as_held
from app.playback.rules import Held
from app.video.models import Video


@dataclass(frozen=True)
class Facts:
    """A lesson's film, and what a member has to do with it. `is_visible`: neither it nor its course is a draft.

    `stopped_at_s`: where the member stopped, 0 for the beginning; `held`: their places that are taken.
    """

    lesson: LessonFacts
    is_visible: bool
    video_id: UUID | None
    version: int
    duration_s: float | None
    rights: list[EntitlementFacts]
    stopped_at_s: float
    held: list[Held]


_Other = aliased(Playback)
_Theirs = aliased(UserSession)
_COLUMNS: tuple[Any, ...] = (
    Lesson.course_id,
    Lesson.is_free,
    Lesson.state,
    Lesson.available_at,
    Lesson.video_id,
    Course.state.label("course_state"),
    Video.version,
    Video.duration_s,
    Progress.position_s.label("stopped_at_s"),
    Entitlement.id.label("right_id"),
    Entitlement.course_id.label("right_course_id"),
    Entitlement.starts_at,
    Entitlement.ends_at,
    Entitlement.revoked_at.label("right_revoked_at"),
    _Other.id,
    _Other.place,
    _Other.session_id.label("held_session_id"),
    _Other.tab,
    _Other.lesson_id,
    _Other.seen_at,
    _Other.created_at,
    _Theirs.revoked_at,
)
_LESSON = (
    select(*_COLUMNS)
    .select_from(Lesson)
    .join(Course, Course.id == Lesson.course_id)
    .outerjoin(Video, Video.id == Lesson.video_id)
    .where(Lesson.id == bindparam("lesson_id"))
)


def _of(question: Select[*tuple[Any, ...]], user: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """The question about a lesson, with what one member has to do with it."""
    return (
        question.outerjoin(Progress, and_(Progress.lesson_id == Lesson.id, Progress.user_id == user))
        .outerjoin(Entitlement, Entitlement.user_id == user)
        .outerjoin(_Other, and_(_Other.user_id == user, _Other.place.is_not(None)))
        .outerjoin(_Theirs, _Theirs.id == _Other.session_id)
    )


QUESTION = _of(_LESSON, bindparam("user_id", type_=Uuid))
_HOLDER = sessions.HOLDER.subquery("holder")
# With whoever holds the cookie, in the same question: each one more is a third of what a viewing costs to begin.
WITH_HOLDER = _of(_LESSON.add_columns(*_HOLDER.c).outerjoin(_HOLDER, true()), _HOLDER.c.user_id)


async def facts(db: Querying, user_id: UUID | None, lesson_id: UUID, now: datetime) -> Facts | None:
    """None when there is no such lesson."""
    rows = (await db.execute(QUESTION, {"user_id": user_id, "lesson_id": lesson_id})).all()
    return _read(rows, lesson_id, now) if rows else None


async def facts_with_holder(
    db: Querying, cookie: str | None, lesson_id: UUID, now: datetime
) -> tuple[Viewer | None, Facts | None]:
    """The same, and who asks: the holder of the cookie, None for nobody."""
    asked = {
        "token_hash": sessions.hash_token(cookie) if cookie else None,
        "now": now,
        "lesson_id": lesson_id,
    }
    rows = (await db.execute(WITH_HOLDER, asked)).all()
    if not rows:
        return None, None
    viewer = None if rows[0].session_id is None else await sessions.seen(db, rows[0], now)
    return viewer, _read(rows, lesson_id, now)


def _read(rows: Sequence[Any], lesson_id: UUID, now: datetime) -> Facts:
    row = rows[0]
    is_published = row.course_state == "published"
    version = row.version or 0
    is_out = is_published and rules.is_out(row, now)
    return Facts(
        # A version above 0 is a finished encode; while a newer one is made, the old one goes on being shown.
        lesson=LessonFacts(lesson_id, row.course_id, row.is_free, is_out, version > 0),
        is_visible=is_published and row.state != "draft",
        video_id=row.video_id,
        version=version,
        duration_s=row.duration_s,
        rights=_rights(rows),
        stopped_at_s=row.stopped_at_s or 0.0,
        held=list({row.id: as_held(row) for row in rows if row.id is not None}.values()),
    )


def _rights(rows: Sequence[Any]) -> list[EntitlementFacts]:
    found = {
        row.right_id: EntitlementFacts(row.right_course_id, row.starts_at, row.ends_at, row.right_revoked_at)
        for row in rows
        if row.right_id is not None
    }
    return list(found.values())
