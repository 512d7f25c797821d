"""Facts about what is said in a film and where its parts begin: caption tracks and chapters."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class CaptionTrack(HasId, Base):
    """What is said in a film, in one language. `vtt` is canonical WebVTT as `subtitles.to_vtt` writes it."""

    __tablename__ = "caption_track"
    __table_args__ = (UniqueConstraint("video_id", "language"),)

    video_id: Mapped[UUID] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(35))
    label: Mapped[str] = mapped_column(String(60))
    vtt: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class CaptionDraft(Base):
    """What a machine heard in a film. Only staff see it, and nothing is shown of it before one of them has read it.

    `turn` rises each time that it is begun anew: a worker that is late writes nothing.
    """

    __tablename__ = "caption_draft"
    __table_args__ = (CheckConstraint("state IN ('queued', 'running', 'ready', 'failed')", name="state"),)

    video_id: Mapped[UUID] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(35))
    state: Mapped[str] = mapped_column(String(16), default="queued")
    turn: Mapped[int] = mapped_column(default=1)
    percent: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    vtt: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class Chapter(HasId, Base):
    """A part of a film: the whole second at which it begins, and its title."""

    __tablename__ = "chapter"
    __table_args__ = (UniqueConstraint("video_id", "at_s"), CheckConstraint("at_s >= 0", name="at"))

    video_id: Mapped[UUID] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    at_s: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
