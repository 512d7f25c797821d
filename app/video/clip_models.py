"""Facts about free clips: short pieces of a film that anybody may watch."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class Clip(HasId, Base):
    """A piece of a film, from `start_ms` to `end_ms` of it, in a file of its own that holds nothing else.

    `name` is what an article calls it. `turn` rises each time that it is cut anew: a worker that is late writes
    nothing. `vtt`: what is said in it, in `language`, with times of its own; empty where the film has no captions.
    """

    __tablename__ = "clip"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'ready', 'failed')", name="state"),
        CheckConstraint("start_ms >= 0 AND end_ms > start_ms", name="span"),
    )

    video_id: Mapped[UUID] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="queued")
    turn: Mapped[int] = mapped_column(default=1)
    error: Mapped[str | None] = mapped_column(Text)
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    language: Mapped[str] = mapped_column(String(35), default="")
    vtt: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
    ready_at: Mapped[datetime | None]
