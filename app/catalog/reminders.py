"""The worker's part of "Tell me when it is out": one mail to each address, once, when the lesson is out."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.catalog.models import Course, Lesson, LessonReminder
from app.clock import utcnow
from app.jobs import engine, enqueue
from app.settings import get_settings

BATCH = 200


@engine.scheduled("lesson_reminders", "* * * * *")
async def remind(_at: datetime, _context: Any) -> None:
    """Every minute: send what is due, in batches, until nothing is left."""
    while await _next_batch() == BATCH:
        pass


@engine.step(tries=3)
async def _next_batch() -> int:
    async with db.transaction() as session:
        return await send_due(session, utcnow())


async def send_due(session: AsyncSession, now: datetime) -> int:
    """Enqueue mail for at most 200 addresses whose lesson is out and mark them sent, in one transaction.

    Several workers may run it side by side: rows that another one holds are skipped. Answers how many were sent.
    """
    rows = await session.execute(
        select(LessonReminder, Lesson, Course)
        .join(Lesson, Lesson.id == LessonReminder.lesson_id)
        .join(Course, Course.id == Lesson.course_id)
        .where(
            LessonReminder.sent_at.is_(None),
            Course.state == "published",
            Lesson.state == "published",
            or_(Lesson.available_at.is_(None), Lesson.available_at <= now),
        )
        .order_by(LessonReminder.created_at)
        .limit(BATCH)
        .with_for_update(of=LessonReminder, skip_locked=True)
    )
    sent = 0
    for reminder, lesson, course in rows:
        digest = hashlib.sha256(reminder.email.encode()).hexdigest()[:32]
        await enqueue(
            session,
            "send_mail",
            {
                "template": "lesson_out",
                "to": reminder.email,
                "context": {
                    "lesson": lesson.title,
                    "course": course.title,
                    "summary": lesson.summary,
                    "is_free": lesson.is_free,
                    "url": f"{get_settings().base_url}/courses/{course.slug}/{lesson.slug}",
                },
            },
            workflow_id=f"mail:lesson_out:{lesson.id}:{digest}",
        )
        reminder.sent_at = now
        sent += 1
    await session.flush()
    return sent
