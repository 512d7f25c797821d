"""Hundreds of viewings in random states of the database: the one query decides as whoever reads row by row would."""

import random
from base64 import urlsafe_b64decode
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.models import Entitlement
from app.accounts.models import User, UserSession
from app.catalog.models import Course, Lesson
from app.clock import utcnow
from app.playback.models import Playback
from app.playback.tokens import spelled
from app.playback.verdicts import Viewing, verdicts
from tests import factories

COUNT = 400
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


class Chance:
    """What is drawn: mostly what lets somebody watch, so that each thing that does not is met alone too."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.draw, self.now = random.Random(seed), now

    def rarely(self, odd: Any, usual: Any = None) -> Any:
        return odd if self.draw.random() < 0.12 else usual

    def day(self, *usual: timedelta) -> datetime:
        """Now and then to the microsecond: what begins at an instant holds in it, and what ends then does not."""
        return self.now + self.draw.choice([*usual, -DAY, -SECOND, timedelta(), SECOND, DAY])


async def _courses(session: AsyncSession, chance: Chance) -> list[tuple[Course, Any]]:
    courses = [await factories.course(session, state=chance.rarely("draft", "published")) for _ in range(6)]
    return [(course, await factories.section(session, course)) for course in courses]


async def _lessons(session: AsyncSession, chance: Chance, courses: list[tuple[Course, Any]]) -> list[Lesson]:
    return [
        await factories.lesson(
            session,
            chance.draw.choice(courses)[1],
            position=n,
            is_free=chance.draw.random() < 0.3,
            state=chance.rarely(chance.draw.choice(["draft", "announced"]), "published"),
            available_at=chance.rarely(chance.day()),
        )
        for n in range(60)
    ]


async def _rights(
    session: AsyncSession, chance: Chance, user: User, courses: list[tuple[Course, Any]]
) -> None:
    for _ in range(chance.draw.choice([0, 1, 1, 2, 3])):
        begins = chance.day(-DAY, -DAY)
        await factories.entitlement(
            session,
            user,
            course_id=chance.draw.choice([None, chance.draw.choice(courses)[0].id]),
            starts_at=begins,
            ends_at=chance.draw.choice([None, max(begins, chance.day(DAY))]),
            revoked_at=chance.rarely(chance.day()),
        )


async def _people(
    session: AsyncSession, chance: Chance, courses: list[tuple[Course, Any]]
) -> list[tuple[User, UserSession]]:
    found = []
    for _ in range(80):
        user = await factories.user(
            session, role=chance.rarely("staff", "member"), banned_at=chance.rarely(chance.day())
        )
        await _rights(session, chance, user, courses)
        signed_in = UserSession(
            user_id=user.id,
            token_hash=uuid4().bytes,
            expires_at=chance.rarely(chance.day(), chance.now + DAY),
            revoked_at=chance.rarely(chance.day()),
        )
        session.add(signed_in)
        found.append((user, signed_in))
    await session.flush()
    return found


async def _viewings(session: AsyncSession, chance: Chance) -> list[Viewing]:
    """What is asked about: mostly what the viewing is of, else another film, version or viewing."""
    courses = await _courses(session, chance)
    lessons = await _lessons(session, chance, courses)
    people = await _people(session, chance, courses)
    asked: list[Viewing] = []
    for _ in range(COUNT):
        lesson = chance.draw.choice(lessons)
        user, signed_in = chance.rarely((None, None), chance.draw.choice(people))
        row = Playback(
            lesson_id=lesson.id,
            video_id=chance.rarely(chance.draw.choice(lessons).video_id, lesson.video_id),
            video_version=chance.draw.choice([1, 1, 2]),
            user_id=user and user.id,
            session_id=chance.rarely(None, signed_in and signed_in.id),
            revoked_at=chance.rarely(chance.day()),
            left_at=chance.rarely(chance.day()),
        )
        session.add(row)
        await session.flush()
        film = str(chance.rarely(chance.draw.choice(lessons).video_id, row.video_id))
        version = str(row.video_version + chance.rarely(1, 0))
        asked.append((spelled(chance.rarely(uuid4(), row.id)), film, version))
    for lesson in lessons[:6]:
        # Its film is away, or is another one by now.
        lesson.video_id = chance.draw.choice([None, lessons[-1].video_id])
    await session.flush()
    return [*asked, *asked[:20]]


async def _may(session: AsyncSession, viewing: Viewing, now: datetime) -> bool:
    """The decision, said once more, row by row."""
    sid, film, version = viewing
    row = await session.get(Playback, UUID(bytes=urlsafe_b64decode(sid + "==")))
    if row is None or row.revoked_at is not None or row.left_at is not None:
        return False
    lesson = await session.get_one(Lesson, row.lesson_id)
    course = await session.get_one(Course, lesson.course_id)
    if (str(row.video_id), str(row.video_version)) != (film, version) or lesson.video_id != row.video_id:
        return False
    is_out = course.state == lesson.state == "published" and (
        lesson.available_at is None or lesson.available_at <= now
    )
    if row.user_id is None:
        return is_out and lesson.is_free
    user = await session.get_one(User, row.user_id)
    signed_in = await session.get(UserSession, row.session_id) if row.session_id else None
    if user.banned_at is not None or signed_in is None or signed_in.revoked_at is not None:
        return False
    if signed_in.expires_at <= now:
        return False
    if user.role == "staff" or (is_out and lesson.is_free):
        return True
    rights = await session.scalars(select(Entitlement).where(Entitlement.user_id == user.id))
    return is_out and any(
        right.course_id in (None, course.id)
        and right.starts_at <= now
        and (right.ends_at is None or now < right.ends_at)
        and (right.revoked_at is None or now < right.revoked_at)
        for right in rights
    )


@pytest.mark.parametrize("seed", range(4))
async def test_the_query_decides_as_whoever_reads_row_by_row(database: db.Database, seed: int) -> None:
    now = utcnow()
    async with db.transaction() as session:
        asked = await _viewings(session, Chance(seed, now))
    async with db.transaction() as session:
        wanted = [await _may(session, one, now) for one in asked]
    async with db.statements() as connection:
        said = await verdicts(connection, asked, now)
    different = [(one, mine) for one, mine, its in zip(asked, wanted, said, strict=True) if mine != its]
    assert different == []
    assert 30 < sum(wanted) < COUNT - 30


async def test_in_whatever_zone_the_database_speaks(database: db.Database) -> None:
    now = utcnow()
    async with db.transaction() as session:
        asked = await _viewings(session, Chance(9, now))
        said = await verdicts(session, asked, now)
        await session.execute(text("SET LOCAL timezone = 'Pacific/Kiritimati'"))
        assert await verdicts(session, asked, now) == said
    assert any(said)
