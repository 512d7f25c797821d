""" "Tell me when it is out": an address is kept for one lesson, and for one mail."""

from datetime import datetime, timedelta
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Attempt
from app.catalog import rules
from app.catalog.models import Course, Lesson, LessonReminder
from app.errors import BadInput, Conflict, NotFound, TooMany
from app.i18n import _

WINDOW = timedelta(hours=1)
MOST_FROM_ONE_PLACE = 20


async def ask(db: AsyncSession, lesson_id: UUID, email: str, *, ip: str, now: datetime) -> None:
    """Remember the address. The answer is the same whether it was known already, so nothing can be learned from it.

    Raises:
        BadInput: when this is no e-mail address.
        NotFound: when there is no such lesson in sight.
        Conflict: when the lesson is out, so there is nothing to wait for.
        TooMany: after 20 in an hour from one place.
    """
    address = _address(email)
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
    await _count(db, f"reminder:{ip}", now)
    await db.execute(
        insert(LessonReminder)
        .values(lesson_id=lesson_id, email=address, created_at=now)
        .on_conflict_do_nothing(index_elements=["lesson_id", "email"])
    )


def _address(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise BadInput(_("Write your e-mail address like name@example.com."), field="email") from None


async def _count(db: AsyncSession, bucket: str, now: datetime) -> None:
    tries = await db.scalar(
        select(func.count()).select_from(Attempt).where(Attempt.bucket == bucket, Attempt.at > now - WINDOW)
    )
    if (tries or 0) >= MOST_FROM_ONE_PLACE:
        raise TooMany
    db.add(Attempt(bucket=bucket, at=now))
