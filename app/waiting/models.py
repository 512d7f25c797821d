"""Facts about what people wait for, and who waits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class Topic(HasId, Base):
    """What people can wait for: something that the teacher announces before it exists, or an announced lesson.

    At most one of the three is what it has become; once that is out, those who wait are told. `slug` None: it is
    nothing but an announced lesson, whose own page it stands on.
    """

    __tablename__ = "topic"
    __table_args__ = (
        CheckConstraint("num_nonnulls(lesson_id, course_id, article_id) <= 1", name="one_thing"),
    )

    slug: Mapped[str | None] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(Text, default="")
    lesson_id: Mapped[UUID | None] = mapped_column(ForeignKey("lesson.id", ondelete="SET NULL"), unique=True)
    course_id: Mapped[UUID | None] = mapped_column(ForeignKey("course.id", ondelete="SET NULL"), unique=True)
    article_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("article.id", ondelete="SET NULL"), unique=True
    )
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Waiting(HasId, Base):
    """One address that wants to hear of one topic, once. Nothing but the question whether that is so is mailed before
    `confirmed_at`; while `held_at` stands, the question itself waits. `is_trapped`: a field that people cannot see was
    filled in, so that it may be a program's; nothing is mailed unless staff say so. `article_id`: under which article
    they asked. Some time after `told_at` the address is forgotten.
    """

    __tablename__ = "topic_waiting"
    __table_args__ = (
        UniqueConstraint("topic_id", "email"),
        Index("ix_topic_waiting_email", "email"),
    )

    topic_id: Mapped[UUID] = mapped_column(ForeignKey("topic.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    article_id: Mapped[UUID | None] = mapped_column(ForeignKey("article.id", ondelete="SET NULL"), index=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    is_trapped: Mapped[bool] = mapped_column(default=False)
    held_at: Mapped[datetime | None] = mapped_column(index=True)
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
