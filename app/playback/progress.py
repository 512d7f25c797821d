"""Where a member stopped: saved often, the newest save wins whichever device sent it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Course, Lesson
from app.errors import NotFound
from app.playback.models import Progress
from app.playback.rules import mark
from app.question import Answers, Fact, ask, given
from app.video import poster_rules
from app.video.models import Video


async def save(
    db: AsyncSession, user_id: UUID, lesson_id: UUID, position_s: float, duration_s: float, now: datetime
) -> None:
    """Remember the place. `duration_s` is the player's word, used only where we do not know the film's length.

    Raises:
        NotFound: when there is no such lesson.
    """
    row = (
        await db.execute(
            select(Lesson.id, Video.duration_s)
            .outerjoin(Video, Video.id == Lesson.video_id)
            .where(Lesson.id == lesson_id)
        )
    ).first()
    if row is None:
        raise NotFound
    known: float | None = row.duration_s
    reached = mark(position_s, known or duration_s)
    wanted = insert(Progress).values(
        user_id=user_id,
        lesson_id=lesson_id,
        position_s=reached.position_s,
        saved_at=now,
        finished_at=now if reached.is_finished else None,
    )
    await db.execute(
        wanted.on_conflict_do_update(
            index_elements=["user_id", "lesson_id"],
            set_={
                "position_s": wanted.excluded.position_s,
                "saved_at": wanted.excluded.saved_at,
                # Watched stays watched, since the first time.
                "finished_at": func.coalesce(Progress.finished_at, wanted.excluded.finished_at),
            },
            # Two saves that cross on their way: the clock of the server orders them.
            where=Progress.saved_at <= wanted.excluded.saved_at,
        )
    )


async def resume_at(db: AsyncSession, user_id: UUID, lesson_id: UUID) -> float:
    """Seconds from the beginning; 0 when nothing was saved, or it was watched to its end."""
    found = await db.scalar(
        select(Progress.position_s).where(Progress.user_id == user_id, Progress.lesson_id == lesson_id)
    )
    return found or 0.0


@dataclass(frozen=True)
class Watching:
    """A lesson that was begun and not watched to its end."""

    url: str
    title: str
    course_title: str
    lesson_id: UUID
    poster_mark: str
    position_s: float
    duration_s: float | None

    @property
    def poster_url(self) -> str:
        return f"/posters/{self.lesson_id}-small.jpg?v={self.poster_mark}"

    @property
    def percent(self) -> int:
        return min(99, max(1, round(100 * self.position_s / self.duration_s))) if self.duration_s else 1

    @property
    def left_s(self) -> float | None:
        return max(self.duration_s - self.position_s, 0.0) if self.duration_s else None


async def watching(db: AsyncSession, user_id: UUID, limit: int = 6) -> list[Watching]:
    """What the member can go on with, the most recent first. A few seconds are no beginning."""
    rows = await db.execute(
        select(
            Progress, Lesson, Course.slug, Course.title, Video.version, Video.poster_version, Video.duration_s
        )
        .join(Lesson, Lesson.id == Progress.lesson_id)
        .join(Course, Course.id == Lesson.course_id)
        .join(Video, Video.id == Lesson.video_id)
        .where(
            Progress.user_id == user_id,
            Progress.position_s > 3,
            Video.version > 0,
            Lesson.state == "published",
            Course.state == "published",
        )
        .order_by(Progress.saved_at.desc())
        .limit(limit)
    )
    return [
        Watching(
            url=f"/courses/{course_slug}/{lesson.slug}",
            title=lesson.title,
            course_title=course_title,
            lesson_id=lesson.id,
            poster_mark=poster_rules.mark(version, poster_version),
            position_s=progress.position_s,
            duration_s=duration_s,
        )
        for progress, lesson, course_slug, course_title, version, poster_version, duration_s in rows
    ]


FINISHED = Fact(
    "finished",
    select(func.json_agg(Progress.lesson_id))
    .where(Progress.user_id == given("user_id"), Progress.finished_at.is_not(None))
    .scalar_subquery(),
)


async def finished(db: AsyncSession, user_id: UUID) -> set[UUID]:
    """The lessons that the member has watched to their end."""
    return told_finished(await ask(db, FINISHED, user_id=user_id))


def told_finished(found: Answers) -> set[UUID]:
    """The same, of an answer to `FINISHED`."""
    return {UUID(one) for one in found[FINISHED.name] or ()}
