"""Who may watch what, as tables: no database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.access.rules import (
    Allowed,
    Denied,
    EntitlementFacts,
    LessonFacts,
    Reason,
    ViewerFacts,
    decide,
    is_active,
    is_over,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
COURSE, OTHER = UUID(int=1), UUID(int=2)
PAID = LessonFacts(UUID(int=3), COURSE, is_free=False, is_out=True)
FREE = LessonFacts(UUID(int=4), COURSE, is_free=True, is_out=True)
SOON = LessonFacts(UUID(int=5), COURSE, is_free=False, is_out=False)
SOON_FREE = LessonFacts(UUID(int=6), COURSE, is_free=True, is_out=False)
BARE = LessonFacts(UUID(int=7), COURSE, is_free=True, is_out=True, has_video=False)

ANYONE, MEMBER, STAFF = None, ViewerFacts(), ViewerFacts(is_staff=True)
ALL = EntitlementFacts(None, NOW - HOUR)
THIS = EntitlementFacts(COURSE, NOW - HOUR, NOW + HOUR)
ELSEWHERE = EntitlementFacts(OTHER, NOW - HOUR)
LATER = EntitlementFacts(None, NOW + HOUR)
ENDED = EntitlementFacts(None, NOW - 2 * HOUR, NOW - HOUR)
REVOKED = EntitlementFacts(None, NOW - 2 * HOUR, None, NOW - HOUR)
ENDED_ELSEWHERE = EntitlementFacts(OTHER, NOW - 2 * HOUR, NOW - HOUR)


@pytest.mark.parametrize(
    ("viewer", "lesson", "entitlements", "expected"),
    [
        (ANYONE, FREE, [], Allowed(Reason.FREE)),
        (MEMBER, FREE, [], Allowed(Reason.FREE)),
        (MEMBER, FREE, [REVOKED], Allowed(Reason.FREE)),
        (STAFF, FREE, [], Allowed(Reason.FREE)),
        (ANYONE, PAID, [], Denied(Reason.SIGN_IN)),
        (ANYONE, PAID, [ALL], Denied(Reason.SIGN_IN)),
        (MEMBER, PAID, [], Denied(Reason.NO_ENTITLEMENT)),
        (MEMBER, PAID, [ALL], Allowed(Reason.ENTITLED)),
        (MEMBER, PAID, [THIS], Allowed(Reason.ENTITLED)),
        (MEMBER, PAID, [ELSEWHERE], Denied(Reason.NO_ENTITLEMENT)),
        (MEMBER, PAID, [LATER], Denied(Reason.NO_ENTITLEMENT)),
        (MEMBER, PAID, [ENDED], Denied(Reason.ENDED)),
        (MEMBER, PAID, [REVOKED], Denied(Reason.ENDED)),
        (MEMBER, PAID, [ENDED_ELSEWHERE], Denied(Reason.NO_ENTITLEMENT)),
        (MEMBER, PAID, [ENDED, REVOKED, THIS], Allowed(Reason.ENTITLED)),
        (STAFF, PAID, [], Allowed(Reason.STAFF)),
        (ANYONE, SOON, [], Denied(Reason.NOT_OUT)),
        (MEMBER, SOON, [ALL], Denied(Reason.NOT_OUT)),
        (STAFF, SOON, [], Allowed(Reason.STAFF)),
        (ANYONE, SOON_FREE, [], Denied(Reason.NOT_OUT)),
        (STAFF, SOON_FREE, [], Allowed(Reason.STAFF)),
        (ANYONE, BARE, [], Denied(Reason.NO_VIDEO)),
        (MEMBER, BARE, [ALL], Denied(Reason.NO_VIDEO)),
        (STAFF, BARE, [], Denied(Reason.NO_VIDEO)),
    ],
)
def test_who_may_watch_what(
    viewer: ViewerFacts | None,
    lesson: LessonFacts,
    entitlements: list[EntitlementFacts],
    expected: Allowed | Denied,
) -> None:
    assert decide(viewer, lesson, entitlements, NOW) == expected


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "revoked_at", "active", "over"),
    [
        (NOW, None, None, True, False),
        (NOW + TICK, None, None, False, False),
        (NOW - HOUR, NOW + TICK, None, True, False),
        (NOW - HOUR, NOW, None, False, True),
        (NOW - HOUR, None, NOW, False, True),
        (NOW - HOUR, None, NOW + TICK, True, False),
        (NOW + HOUR, None, NOW - HOUR, False, False),
    ],
)
def test_the_first_instant_counts_and_the_last_does_not(
    starts_at: datetime, ends_at: datetime | None, revoked_at: datetime | None, active: bool, over: bool
) -> None:
    facts = EntitlementFacts(None, starts_at, ends_at, revoked_at)
    assert is_active(facts, NOW) is active
    assert is_over(facts, NOW) is over
