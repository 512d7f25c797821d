"""Facts about bytes: uploads in progress and the videos that they become."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId

STATES = ("queued", "checking", "encoding", "packaging", "verifying", "ready", "failed")


class Video(HasId, Base):
    """A source file and the stream made of it.

    `attempt` counts encodes begun: whoever works for an older one may not write. `version` is the attempt that made
    the stream to watch, and part of every media URL; while it is above 0 there is one, whatever a later encode
    does. `begun_version` is the attempt whose beginning can be watched while the rest is encoded, else 0, and
    `begun_s` how far that is, in seconds. `parts` is how much of the whole, in percent, each chunk under way has
    done, by its number. `stage` is what queued work waits for (`app.video.words.WAITS`), else empty; `failure` is
    the reason in English and `failure_words` its gettext form, `{"message", "params"}` (see `app.video.words`).

    `poster_times` are the pictures that the stream offers as its poster, by their time in ms, its own first.
    `poster_choice` is which one stands for it (`app.video.poster_rules`): Limber's, the one at `poster_at_ms`, or
    the teacher's own, under `poster_own`. `poster_version` counts choices and is part of the poster's address.
    """

    __tablename__ = "video"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("poster_choice IN ('auto', 'time', 'own')", name="poster_choice"),
    )

    title: Mapped[str] = mapped_column(String(200))
    source_filename: Mapped[str] = mapped_column(String(255))
    source_key: Mapped[str] = mapped_column(String(300))
    source_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), default="queued", index=True)
    stage: Mapped[str] = mapped_column(String(80), default="")
    percent: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None] = mapped_column(Text)
    failure_words: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=1)
    begun_version: Mapped[int] = mapped_column(default=0)
    begun_s: Mapped[float] = mapped_column(default=0.0)
    parts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    duration_s: Mapped[float | None]
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    renditions: Mapped[list[Any]] = mapped_column(default=list)
    poster_times: Mapped[list[Any]] = mapped_column(default=list)
    poster_choice: Mapped[str] = mapped_column(String(8), default="auto")
    poster_at_ms: Mapped[int | None]
    poster_own: Mapped[str] = mapped_column(String(32), default="")
    poster_version: Mapped[int] = mapped_column(default=0)
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    ready_at: Mapped[datetime | None]


class Upload(HasId, Base):
    """A tus upload. `offset_bytes` is the truth: bytes on disk beyond it were never acknowledged."""

    __tablename__ = "upload"
    __table_args__ = (CheckConstraint("offset_bytes BETWEEN 0 AND length_bytes", name="offset"),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(120), default="")
    length_bytes: Mapped[int] = mapped_column(BigInteger)
    offset_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    tus_metadata: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    video_id: Mapped[UUID | None] = mapped_column(ForeignKey("video.id", ondelete="SET NULL"), index=True)
    parts_id: Mapped[str | None] = mapped_column(Text)
    part_bytes: Mapped[int] = mapped_column(BigInteger, default=0)


class UploadPart(Base):
    """A part of an upload that S3 has; all parts but the last have the upload's `part_bytes`. Numbers from 1."""

    __tablename__ = "upload_part"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    etag: Mapped[str] = mapped_column(Text)
