"""What members were told about money, once for each cause; what was needed to tell it; and why some left."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class BillingNotice(Base):
    """A mail about money that was written, under the key of its cause: one cause, one mail.

    `withdrawn_at`: what it tells is not true any more; if it still waits to be sent, it is not, and its link is dead.
    """

    __tablename__ = "billing_notice"

    cause: Mapped[str] = mapped_column(String(200), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("stripe_customer.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    subscription_id: Mapped[str | None] = mapped_column(String(64))
    written_at: Mapped[datetime] = mapped_column(default=utcnow)
    withdrawn_at: Mapped[datetime | None]


class StripeCard(Base):
    """The card that pays a subscription, as it was when last looked at, before the charge of `looked_for`.

    Without a number it is no card (a bank account, say); without `method_id` nothing pays it yet.
    """

    __tablename__ = "stripe_card"

    subscription_id: Mapped[str] = mapped_column(
        ForeignKey("stripe_subscription.id", ondelete="CASCADE"), primary_key=True
    )
    looked_for: Mapped[datetime]
    method_id: Mapped[str | None] = mapped_column(String(64))
    brand: Mapped[str] = mapped_column(String(40), default="")
    last4: Mapped[str] = mapped_column(String(4), default="")
    exp_year: Mapped[int | None]
    exp_month: Mapped[int | None]
    looked_at: Mapped[datetime] = mapped_column(default=utcnow)


class LeavingAnswer(HasId, Base):
    """Why somebody cancelled, if they said so: a reason from the list, words, or both.

    `portal_key`: of the cancellation about which Stripe's portal asked; None: they were asked here.
    """

    __tablename__ = "leaving_answer"

    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(String(24), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    portal_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    answered_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class StayOffer(Base):
    """What was offered to somebody who cancelled, and what became of it: made once for a subscription.

    `taken_at` None: it was refused, by cancelling all the same.
    """

    __tablename__ = "stay_offer"

    subscription_id: Mapped[str] = mapped_column(
        ForeignKey("stripe_subscription.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(8))
    percent: Mapped[int] = mapped_column(default=0)
    months: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime] = mapped_column(default=utcnow)
    taken_at: Mapped[datetime | None]
