"""Does a playback still stand: asked for every segment, looked up at most once in 10 seconds.

What was found is kept in this process under the token's playback and end, video and version, all of which its signature
binds: a token that is good for a free film opens no other one, and a renewed one does not inherit a refusal.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.models import Entitlement
from app.access.rules import Allowed, EntitlementFacts, LessonFacts, ViewerFacts, decide
from app.accounts.models import User, UserSession
from app.catalog import rules
from app.catalog.models import Course, Lesson
from app.clock import utcnow
from app.playback.models import Playback
from app.playback.tokens import Verified

ALLOW_S = 10.0
DENY_S = 2.0
MOST = 20_000

Key = tuple[Verified, str, str]


@dataclass(frozen=True)
class _Found:
    stands: bool
    until: float


class Standing:
    """The process's memory of answers. Requests that arrive while one is being looked up wait for that one."""

    def __init__(self) -> None:
        self._found: OrderedDict[Key, _Found] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[bool]] = {}

    async def stands(self, token: Verified, video: str, version: str) -> bool:
        """Whether the token's playback may go on. `video` and `version` are those that it was verified for."""
        found = self._found.get((token, video, version))
        if found is not None and time.monotonic() < found.until:
            return found.stands
        return await self.stands_now(token, video, version)

    async def stands_now(self, token: Verified, video: str, version: str) -> bool:
        """The same, never from memory: for nginx, which keeps the answer itself. Two memories would add up to 20 s."""
        key = (token, video, version)
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key))
            self._asking[key] = task
            task.add_done_callback(lambda _done: self._asking.pop(key, None))
        # A viewer who hangs up must not take the answer from the others who wait for it.
        return await asyncio.shield(task)

    async def _ask(self, key: Key) -> bool:
        token, video, version = key
        # The clock starts before the question: the answer is as old as that.
        asked = time.monotonic()
        async with db.transaction() as session:
            stands = await look_up(session, token.playback_id, UUID(video), int(version), utcnow())
        self._found[key] = _Found(stands, asked + (ALLOW_S if stands else DENY_S))
        self._found.move_to_end(key)
        while len(self._found) > MOST:
            self._found.popitem(last=False)
        return stands

    def forget(self) -> None:
        self._found.clear()


standing = Standing()


async def look_up(
    session: AsyncSession, playback_id: UUID, video_id: UUID, version: int, now: datetime
) -> bool:
    """One query for everything that can end a viewing, and the one decision over it.

    It stands while it was not stopped, is of this video and version, the lesson still shows this video, the sign-in it
    hangs on holds, its owner is not banned, and `decide` allows.
    """
    rows = (
        await session.execute(
            select(Playback, Lesson, Course.state, UserSession, User, Entitlement)
            .join(Lesson, Lesson.id == Playback.lesson_id)
            .join(Course, Course.id == Lesson.course_id)
            .outerjoin(UserSession, UserSession.id == Playback.session_id)
            .outerjoin(User, User.id == Playback.user_id)
            .outerjoin(Entitlement, Entitlement.user_id == Playback.user_id)
            .where(Playback.id == playback_id)
        )
    ).all()
    if not rows:
        return False
    playback, lesson, course_state, sign_in, user, _one = rows[0]
    if playback.revoked_at is not None or (playback.video_id, playback.video_version) != (video_id, version):
        return False
    if lesson.video_id != video_id or not _signed_in(playback, sign_in, user, now):
        return False
    facts = LessonFacts(
        lesson.id, lesson.course_id, lesson.is_free, course_state == "published" and rules.is_out(lesson, now)
    )
    mine = [
        EntitlementFacts(one.course_id, one.starts_at, one.ends_at, one.revoked_at)
        for *_rest, one in rows
        if one is not None
    ]
    viewer = ViewerFacts(user.is_staff) if user is not None else None
    return isinstance(decide(viewer, facts, mine, now), Allowed)


def _signed_in(playback: Playback, sign_in: UserSession | None, user: User | None, now: datetime) -> bool:
    """A member's viewing hangs on the sign-in it was begun with; an anonymous one on nothing."""
    if playback.user_id is None:
        return True
    if sign_in is None or user is None or user.banned_at is not None:
        return False
    return sign_in.revoked_at is None and sign_in.expires_at > now
