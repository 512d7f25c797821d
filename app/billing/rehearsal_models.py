"""A rehearsal as staff see it: what was played, and whether it went as it should."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class BillingRehearsal(HasId, Base):
    """One run. `steps`: what each step showed, as the command tells it; `problem`: why it could not be played.

    `state`: playing, right (all as it should be), wrong (a step was not), or failed (it did not come to its end).
    """

    __tablename__ = "billing_rehearsal"
    __table_args__ = (
        CheckConstraint("state IN ('playing', 'right', 'wrong', 'failed')", name="state"),
        Index("ix_billing_rehearsal_asked_at", "asked_at"),
    )

    asked_by_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]
    at_stripe: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(16), default="playing")
    steps: Mapped[list[Any]] = mapped_column(default=list)
    problem: Mapped[str] = mapped_column(Text, default="")
