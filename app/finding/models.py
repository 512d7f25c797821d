"""Facts about muscles and conditions: what they are called, where in the body they are, and what helps."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class Term(HasId, Base):
    """A muscle or a condition, everybody's to read. `synonyms`: its other names, one on each line.

    `body_html` is rendered and sanitised from `body_md` when it is saved, never when it is read.
    """

    __tablename__ = "term"
    __table_args__ = (CheckConstraint("kind IN ('muscle', 'condition')", name="kind"),)

    kind: Mapped[str] = mapped_column(String(16))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    synonyms: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    body_md: Mapped[str] = mapped_column(Text, default="")
    body_html: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class TermRegion(Base):
    """Where in the body; `region` is a key of `regions.REGIONS`."""

    __tablename__ = "term_region"

    term_id: Mapped[UUID] = mapped_column(ForeignKey("term.id", ondelete="CASCADE"), primary_key=True)
    region: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)


class TermArticle(Base):
    """The article helps with it, or is about it."""

    __tablename__ = "term_article"

    term_id: Mapped[UUID] = mapped_column(ForeignKey("term.id", ondelete="CASCADE"), primary_key=True)
    article_id: Mapped[UUID] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class TermLesson(Base):
    """The lesson helps with it."""

    __tablename__ = "term_lesson"

    term_id: Mapped[UUID] = mapped_column(ForeignKey("term.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[UUID] = mapped_column(
        ForeignKey("lesson.id", ondelete="CASCADE"), primary_key=True, index=True
    )
