"""Streams at the same time: each of a member's viewings holds a numbered place in the database, or does not play.

No lock is taken. A unique index over member and number lets two starts at the same moment, on any processes, have one
winner; whoever lost looks again and finds the next place, or none.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import UserSession
from app.accounts.rules import device_name
from app.catalog.models import Course, Lesson
from app.db import Querying
from app.errors import Conflict
from app.i18n import _
from app.playback.models import Playback
from app.playback.rules import Asking, Held, Take, choose, is_playing

# Asks how many a member may watch at the same time.
Most = Callable[[], Awaitable[int]]
STOPPED, AGAIN = "stopped", "again"
# Every lost race means that somebody else won one, and there are at most nine places.
TRIES = 12
# Bare columns, written once: as objects the row cost as much again.
_ROWS = Playback.metadata.tables[Playback.__tablename__]
_TAKE = (
    insert(_ROWS)
    .on_conflict_do_nothing(index_elements=["user_id", "place"], index_where=text("place IS NOT NULL"))
    .returning(_ROWS.c.id)
)


@dataclass(frozen=True)
class Stream:
    """What plays where, as its owner sees it. `device`: in words; `position_s`: where in the film."""

    playback_id: UUID
    lesson_title: str
    course_title: str
    device: str
    started_at: datetime
    position_s: float
    session_id: UUID | None
    lesson_url: str

    @property
    def stop_url(self) -> str:
        return f"/playbacks/{self.playback_id}/stop"

    def as_json(self) -> dict[str, Any]:
        return {
            "playback_id": str(self.playback_id),
            "lesson_title": self.lesson_title,
            "course_title": self.course_title,
            "device": self.device,
            "started_at": self.started_at.isoformat(),
            "position_s": self.position_s,
            "stop_url": self.stop_url,
        }


class StreamsFull(Conflict):
    """As many films as are allowed at the same time are playing."""

    code = "limber:full"

    def __init__(self, streams: list[Stream]) -> None:
        self.streams = streams
        super().__init__(
            _("You are watching on other screens already. Stop one of them, and this film plays here.")
        )

    @property
    def members(self) -> dict[str, Any]:
        return {"streams": [one.as_json() for one in self.streams], "streams_url": "/account/streams"}


HELD = (
    select(
        Playback.id,
        Playback.place,
        Playback.session_id.label("held_session_id"),
        Playback.tab,
        Playback.lesson_id,
        Playback.seen_at,
        Playback.created_at,
        UserSession.revoked_at,
    )
    .outerjoin(UserSession, UserSession.id == Playback.session_id)
    .where(Playback.place.is_not(None))
)


def as_held(row: Any) -> Held:
    return Held(
        playback_id=row.id,
        place=row.place,
        asking=Asking(row.held_session_id, row.tab, row.lesson_id),
        seen_at=row.seen_at,
        has_played=row.seen_at > row.created_at,
        signed_out=row.revoked_at is not None,
    )


async def held_by(db: Querying, user_id: UUID) -> list[Held]:
    """The member's places that are taken, silent ones too."""
    return [as_held(row) for row in await db.execute(HELD.where(Playback.user_id == user_id))]


async def begin(
    db: Querying, values: dict[str, Any], held: Sequence[Held], most: Most, now: datetime
) -> UUID:
    """Write a member's Playback row with a place of its own. `held`: as it was read a moment ago.

    Needs no transaction: a place that was given up, and not taken because of a crash, is free, and whoever held it gets
    one again with its next sign of life.

    Raises:
        StreamsFull: when `most` are playing.
    """
    asking = Asking(values["session_id"], values["tab"], values["lesson_id"])
    for _attempt in range(TRIES):
        # Who plays nothing else may play, however many are allowed: most of all starts ask no more than that.
        chosen = choose(held, asking, await most() if held else 1, now)
        if chosen is None:
            break
        if chosen.over is None or await _make_way(db, chosen, now):
            playback_id = uuid4()
            row = {"id": playback_id, "place": chosen.place, **values}
            # Waits for whoever is writing the same number at this moment.
            if (await db.execute(_TAKE, row)).first() is not None:
                return playback_id
        held = await held_by(db, values["user_id"])
    raise StreamsFull(await playing(db, values["user_id"], now))


async def begin_without_place(db: Querying, values: dict[str, Any]) -> UUID:
    """The same where nothing is counted: for staff, and without sign-in."""
    playback_id = uuid4()
    await db.execute(_ROWS.insert(), {"id": playback_id, **values})
    return playback_id


async def _make_way(db: Querying, chosen: Take, now: datetime) -> bool:
    """Whoever holds the place gives it up; False when it has shown a sign of life meanwhile, or is gone.

    The same page loaded anew ends the old viewing for good: otherwise two tabs would take the place from each other for
    as long as both are open. Who was only silent may come back.
    """
    assert chosen.over is not None
    ends = {"revoked_at": now, "ended_by": AGAIN} if chosen.is_again else {"left_at": now}
    wanted = update(Playback).where(Playback.id == chosen.over.playback_id, Playback.place == chosen.place)
    if not chosen.is_again:
        wanted = wanted.where(Playback.seen_at == chosen.over.seen_at)
    written = await db.execute(wanted.values(place=None, **ends).execution_options(synchronize_session=False))
    return bool(written.rowcount == 1)  # type: ignore[attr-defined]


async def go_on(db: AsyncSession, playback: Playback, most: int, now: datetime) -> None:
    """A viewing that gave its place up gets one again, or keeps the one that it has.

    Raises:
        StreamsFull: when `most` others are playing.
    """
    assert playback.user_id is not None
    assert playback.session_id is not None
    asking = Asking(playback.session_id, playback.tab, playback.lesson_id)
    for _attempt in range(TRIES):
        if playback.place is not None:
            return
        chosen = choose(await held_by(db, playback.user_id), asking, most, now)
        if chosen is None:
            break
        if chosen.over is not None and not await _make_way(db, chosen, now):
            continue
        try:
            async with db.begin_nested():
                await db.execute(
                    update(Playback)
                    .where(Playback.id == playback.id, Playback.place.is_(None))
                    .values(place=chosen.place, left_at=None, seen_at=now)
                    .execution_options(synchronize_session=False)
                )
        except IntegrityError:
            continue
        await db.refresh(playback)
    raise StreamsFull(await playing(db, playback.user_id, now))


async def leave(db: AsyncSession, user_id: UUID, playback_id: UUID, now: datetime) -> None:
    """The player went away: its place is free at once."""
    await db.execute(
        update(Playback)
        .where(Playback.id == playback_id, Playback.user_id == user_id, Playback.place.is_not(None))
        .values(place=None, left_at=now)
    )


async def stop(db: AsyncSession, user_id: UUID, playback_id: UUID, now: datetime) -> None:
    """End one of the member's viewings, from wherever; somebody else's id changes nothing."""
    await db.execute(
        update(Playback)
        .where(Playback.id == playback_id, Playback.user_id == user_id, Playback.revoked_at.is_(None))
        .values(place=None, revoked_at=now, ended_by=STOPPED)
    )


async def playing(db: Querying, user_id: UUID, now: datetime) -> list[Stream]:
    """What plays where at this moment, the first begun first."""
    rows = await db.execute(
        HELD.add_columns(
            Lesson.title, Course.title.label("course"), Playback.position_s, UserSession.user_agent
        )
        .add_columns(Lesson.slug, Course.slug.label("course_slug"))
        .join(Lesson, Lesson.id == Playback.lesson_id)
        .join(Course, Course.id == Lesson.course_id)
        .where(Playback.user_id == user_id)
        .order_by(Playback.created_at)
    )
    return [
        Stream(
            playback_id=row.id,
            lesson_title=row.title,
            course_title=row.course,
            device=device_name(row.user_agent or ""),
            started_at=row.created_at,
            position_s=row.position_s,
            session_id=row.held_session_id,
            lesson_url=f"/courses/{row.course_slug}/{row.slug}",
        )
        for row in rows
        if is_playing(as_held(row), now)
    ]
