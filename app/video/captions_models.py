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


class Chapter(HasId, Base):
    """A part of a film: the whole second at which it begins, and its title."""

    __tablename__ = "chapter"
    __table_args__ = (UniqueConstraint("video_id", "at_s"), CheckConstraint("at_s >= 0", name="at"))

    video_id: Mapped[UUID] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    at_s: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
