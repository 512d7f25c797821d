"""May this viewer watch this lesson now: a pure function over facts.

Facts are tuples: they are made for each viewing that is asked about, and a frozen dataclass takes three times as long.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class LessonFacts(NamedTuple):
    """What about a lesson decides. `is_out`: published, and its day has come."""

    lesson_id: UUID
    course_id: UUID
    is_free: bool
    is_out: bool
    has_video: bool = True


class EntitlementFacts(NamedTuple):
    """One right to watch. `course_id` None covers every course; `ends_at` None has no end."""

    course_id: UUID | None
    starts_at: datetime
    ends_at: datetime | None = None
    revoked_at: datetime | None = None


class ViewerFacts(NamedTuple):
    """Somebody who is signed in and not banned; an anonymous viewer is None."""

    is_staff: bool = False


class Reason(StrEnum):
    FREE = "free"
    ENTITLED = "entitled"
    STAFF = "staff"
    SIGN_IN = "sign_in"
    NO_ENTITLEMENT = "no_entitlement"
    ENDED = "ended"
    NOT_OUT = "not_out"
    NO_VIDEO = "no_video"


class Allowed(NamedTuple):
    reason: Reason


class Denied(NamedTuple):
    reason: Reason


def covers(entitlement: EntitlementFacts, course_id: UUID) -> bool:
    return entitlement.course_id is None or entitlement.course_id == course_id


def is_active(entitlement: EntitlementFacts, now: datetime) -> bool:
    """Begun, not over and not revoked. The first instant counts, the last does not."""
    if entitlement.revoked_at is not None and entitlement.revoked_at <= now:
        return False
    return entitlement.starts_at <= now and (entitlement.ends_at is None or now < entitlement.ends_at)


def is_over(entitlement: EntitlementFacts, now: datetime) -> bool:
    """It was a right to watch once, and is none any more."""
    begun = entitlement.starts_at <= now
    return begun and not is_active(entitlement, now)


def decide(
    viewer: ViewerFacts | None, lesson: LessonFacts, entitlements: Iterable[EntitlementFacts], now: datetime
) -> Allowed | Denied:
    """The one decision about watching; every door asks it.

    What no right can change comes first (no video, not out), so that nobody is sold what cannot be watched.
    Staff see what is not out, to check it. `entitlements` may hold ended and revoked ones: they tell a member
    who comes back from one who never paid.
    """
    is_staff = viewer is not None and viewer.is_staff
    if not lesson.is_out and not is_staff:
        return Denied(Reason.NOT_OUT)
    if not lesson.has_video:
        return Denied(Reason.NO_VIDEO)
    if lesson.is_free and lesson.is_out:
        return Allowed(Reason.FREE)
    if viewer is None:
        return Denied(Reason.SIGN_IN)
    if is_staff:
        return Allowed(Reason.STAFF)
    mine = [entitlement for entitlement in entitlements if covers(entitlement, lesson.course_id)]
    if any(is_active(entitlement, now) for entitlement in mine):
        return Allowed(Reason.ENTITLED)
    if any(is_over(entitlement, now) for entitlement in mine):
        return Denied(Reason.ENDED)
    return Denied(Reason.NO_ENTITLEMENT)
