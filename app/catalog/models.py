"""Facts about what is taught: courses, their sections and lessons."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.clock import utcnow
from app.db import Base, HasId

COURSE_STATES = ("draft", "published")
LESSON_STATES = ("draft", "announced", "published")


class Course(HasId, Base):
    __tablename__ = "course"
    __table_args__ = (CheckConstraint("state IN ('draft', 'published')", name="state"),)

    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(Text, default="")
    body_md: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="draft")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    published_at: Mapped[datetime | None]

    sections: Mapped[list["Section"]] = relationship(
        back_populates="course", order_by="Section.position", lazy="raise", cascade="all, delete-orphan"
    )


class Section(HasId, Base):
    __tablename__ = "section"

    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(160))
    position: Mapped[int] = mapped_column(default=0)

    course: Mapped[Course] = relationship(back_populates="sections", lazy="raise")
    lessons: Mapped[list["Lesson"]] = relationship(
        back_populates="section", order_by="Lesson.position", lazy="raise", cascade="all, delete-orphan"
    )


class Lesson(HasId, Base):
    """A lesson. `announced` shows it in the outline as not yet out; `available_at` schedules a published one."""

    __tablename__ = "lesson"
    __table_args__ = (
        UniqueConstraint("course_id", "slug"),
        CheckConstraint("state IN ('draft', 'announced', 'published')", name="state"),
    )

    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"), index=True)
    section_id: Mapped[UUID] = mapped_column(ForeignKey("section.id", ondelete="CASCADE"), index=True)
    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(Text, default="")
    body_md: Mapped[str] = mapped_column(Text, default="")
    needs: Mapped[str] = mapped_column(String(300), default="")
    transcript_md: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    is_free: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(16), default="draft")
    available_at: Mapped[datetime | None]
    video_id: Mapped[UUID | None] = mapped_column(ForeignKey("video.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    published_at: Mapped[datetime | None]

    section: Mapped[Section] = relationship(back_populates="lessons", lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise", viewonly=True)
