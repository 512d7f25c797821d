""" "Tell me when it is out": an address is kept for one lesson, and for one mail."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import throttle
from app.accounts.rules import Bucket, Limit, clean_email, network
from app.catalog import rules
from app.catalog.models import Course, Lesson, LessonReminder
from app.errors import Conflict, NotFound, TooMany
from app.i18n import _

FROM_ONE_PLACE = Limit("remind", 20, timedelta(hours=1))


async def ask(db: AsyncSession, lesson_id: UUID, email: str, *, ip: str, now: datetime) -> None:
    """Remember the address. The answer is the same whether it was known already, so nothing can be learned from it.

    Raises:
        BadInput: when this is no e-mail address.
        NotFound: when there is no such lesson in sight.
        Conflict: when the lesson is out, so there is nothing to wait for.
        TooMany: after 20 in an hour from one place.
    """
    address = clean_email(email)
    lesson = (
        await db.execute(
            select(Lesson.state, Lesson.available_at)
            .join(Course, Course.id == Lesson.course_id)
            .where(Lesson.id == lesson_id, Lesson.state != "draft", Course.state == "published")
        )
    ).first()
    if lesson is None:
        raise NotFound
    if not rules.is_announced(lesson, now):
        raise Conflict(_("This lesson is out: you can watch it now."))
    if not await throttle.allow(db, [Bucket(f"{FROM_ONE_PLACE.name}:{network(ip)}", FROM_ONE_PLACE)], now):
        raise TooMany
    await db.execute(
        insert(LessonReminder)
        .values(lesson_id=lesson_id, email=address, created_at=now)
        .on_conflict_do_nothing(index_elements=["lesson_id", "email"])
    )
