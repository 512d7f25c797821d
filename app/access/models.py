"""The right to watch: live entitlements and the append-only ledger of every change to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class Entitlement(HasId, Base):
    """A right to watch from `starts_at` until `ends_at` (None: open end). `course_id` None means every course.

    `source_kind`: subscription | purchase | staff | gift | import; `source_id`: its id there.
    """

    __tablename__ = "entitlement"
    __table_args__ = (
        UniqueConstraint("source_kind", "source_id", "course_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="span"),
        Index("ix_entitlement_user_id", "user_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    course_id: Mapped[UUID | None] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"))
    source_kind: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[str] = mapped_column(String(255))
    starts_at: Mapped[datetime] = mapped_column(default=utcnow)
    ends_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class EntitlementEntry(Base):
    """One change to an entitlement and its cause. Append-only: a database trigger refuses UPDATE and DELETE."""

    __tablename__ = "entitlement_entry"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    entitlement_id: Mapped[UUID] = mapped_column(index=True)
    user_id: Mapped[UUID] = mapped_column(index=True)
    change: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
