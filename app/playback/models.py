"""A permitted viewing, and how far a member has watched."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class Playback(HasId, Base):
    """One permitted viewing. Its id is the session id in the media token; members' ones hang on their sign-in.

    `place`: which of the member's streams at the same time it is, from 1; None for staff, without sign-in, and once it
    was given up (`left_at`: renewing takes one anew). `ended_by`: stopped | again, why it was revoked. `network`: the
    shortened address it began from.
    """

    __tablename__ = "playback"
    __table_args__ = (
        # Holds the limit: of two starts at the same moment, on any processes, one gets the last place.
        Index(
            "uq_playback_user_id_place",
            "user_id",
            "place",
            unique=True,
            postgresql_where="place IS NOT NULL",
        ),
    )

    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.id", ondelete="CASCADE"), index=True)
    video_id: Mapped[UUID] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), index=True)
    video_version: Mapped[int]
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_session.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    renewed_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    revoked_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(12))
    place: Mapped[int | None] = mapped_column(SmallInteger)
    # Not indexed, so that a sign of life every few seconds touches no index.
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    left_at: Mapped[datetime | None]
    position_s: Mapped[float] = mapped_column(default=0.0)
    tab: Mapped[str] = mapped_column(String(40), default="")
    network: Mapped[str] = mapped_column(String(50), default="")


class SpreadDismissal(Base):
    """Staff found it fine from how many networks a member watches; what was before this counts no more."""

    __tablename__ = "spread_dismissal"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    dismissed_at: Mapped[datetime]


class MediaKey(Base):
    """A key of media tokens that was made by rotating (app/keys.py, Rotation): its salt, never its secret."""

    __tablename__ = "media_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    root: Mapped[str]
    salt: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    signs_at: Mapped[datetime]
    alone_from: Mapped[datetime]


class Progress(Base):
    """Where a member stopped in a lesson; the newest save wins, whichever device sent it."""

    __tablename__ = "progress"
    __table_args__ = (Index("ix_progress_user_id_saved_at", "user_id", "saved_at"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.id", ondelete="CASCADE"), primary_key=True)
    position_s: Mapped[float]
    saved_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]
