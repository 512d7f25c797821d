"""Which of these viewings may go on: one query for everything that can end one, and the one decision over it.

It is asked about hundreds at once, so each viewing is a few plain values: 22 columns as SQLAlchemy's rows, with ids of
their own type, took 18 µs of CPU for each.
"""

from base64 import urlsafe_b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, and_, any_, bindparam, cast, func, or_, select

from app.access.models import Entitlement
from app.access.rules import Allowed, EntitlementFacts, LessonFacts, ViewerFacts, decide
from app.accounts.models import User, UserSession
from app.catalog import rules
from app.catalog.models import Course, Lesson
from app.db import Querying, UtcDateTime
from app.playback.models import Playback
from app.playback.tokens import spelled
from app.question import given, rows

# A playback (`sid`), and the video and version that its token was verified for, as they are spelled in addresses.
Viewing = tuple[str, str, str]
# A member's viewing hangs on the sign-in it was begun with; an anonymous one on nothing.
_IS_SIGNED_IN = and_(
    User.id.is_not(None),
    UserSession.revoked_at.is_(None),
    UserSession.expires_at > bindparam("now", None, UtcDateTime),
    User.banned_at.is_(None),
)
# Not stopped, its place among the member's streams not given up, of the film that its lesson still shows, and signed
# in: a row for each right of who watches, or one without. By `ANY`: a join with what is asked for was planned as a walk
# over all playbacks where PostgreSQL had not counted them yet.
QUESTION = (
    select(
        func.uuid_send(Playback.id),
        cast(Playback.video_id, Text),
        cast(Playback.video_version, Text),
        Playback.user_id.is_not(None),
        User.role == "staff",
        Lesson.id,
        Lesson.course_id,
        Lesson.is_free,
        Lesson.state,
        Lesson.available_at,
        Course.state,
        Entitlement.course_id,
        Entitlement.starts_at,
        Entitlement.ends_at,
        Entitlement.revoked_at,
    )
    .join(Lesson, Lesson.id == Playback.lesson_id)
    .join(Course, Course.id == Lesson.course_id)
    .outerjoin(UserSession, UserSession.id == Playback.session_id)
    .outerjoin(User, User.id == Playback.user_id)
    .outerjoin(Entitlement, Entitlement.user_id == Playback.user_id)
    .where(
        Playback.id == any_(bindparam("ids", None, ARRAY(Uuid))),
        Playback.revoked_at.is_(None),
        Playback.left_at.is_(None),
        Lesson.video_id == Playback.video_id,
        or_(Playback.user_id.is_(None), _IS_SIGNED_IN),
    )
)


async def verdicts(db: Querying, asked: Sequence[Viewing], now: datetime) -> list[bool]:
    """For each, in order: was it not stopped, is its place among the member's streams not given up, is it of this video
    and version, does the lesson still show that, does the sign-in it hangs on hold, is its owner not banned, and does
    `decide` allow."""
    keys = [(urlsafe_b64decode(sid + "=="), video, version) for sid, video, version in asked]
    told: dict[tuple[bytes, str, str], list[tuple[Any, ...]]] = {}
    for id_, video, version, *facts in await rows(db, QUESTION, ids=[key[0].hex() for key in keys], now=now):
        told.setdefault((id_, video, version), []).append(tuple(facts))
    return [key in told and _stands(told[key], now) for key in keys]


# As many as one process may well have to do with.
MOST_LATELY = 10_000
LATELY = (
    select(Playback.id, Playback.video_id, Playback.video_version)
    .where(
        Playback.renewed_at > given("since"),
        Playback.revoked_at.is_(None),
        Playback.left_at.is_(None),
    )
    .order_by(Playback.renewed_at)
    .limit(MOST_LATELY)
)


async def begun_since(db: Querying, since: datetime) -> list[Viewing]:
    """Viewings that began or were renewed since then and were not ended: whose players ask, or will."""
    found = await rows(db, LATELY, since=since)
    return [(spelled(id_), str(video), str(version)) for id_, video, version in found]


def _stands(told: list[tuple[Any, ...]], now: datetime) -> bool:
    """Whether `decide` allows: of the rows about one viewing."""
    is_member, is_staff, lesson_id, course_id, is_free, state, day, course_state = told[0][:8]
    is_out = course_state == "published" and rules.standing(state, day, now)[0]
    lesson = LessonFacts(lesson_id, course_id, is_free, is_out)
    rights = [EntitlementFacts(*one[8:]) for one in told if one[9] is not None]
    return isinstance(decide(ViewerFacts(is_staff) if is_member else None, lesson, rights, now), Allowed)
