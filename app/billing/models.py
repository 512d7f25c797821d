"""Money facts: the mirror of what Stripe says, the inbox of its events, and what members began to buy. Plans:
`plan_models`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class StripeCustomer(Base):
    __tablename__ = "stripe_customer"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL"), unique=True
    )
    livemode: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    deleted_at: Mapped[datetime | None]


class StripeSubscription(Base):
    """The mirror of one subscription, written only by sync. `fence` rises; an older fetch never overwrites."""

    __tablename__ = "stripe_subscription"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("stripe_customer.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(32))
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    current_period_end_at: Mapped[datetime | None]
    cancel_at: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]
    past_due_since_at: Mapped[datetime | None]
    raw: Mapped[dict[str, Any]] = mapped_column(default=dict)
    synced_at: Mapped[datetime] = mapped_column(default=utcnow)


class StripePurchase(Base):
    """The mirror of one finished Checkout session that was paid once; its id is the session's.

    `price_id` is what our own attempt sold, None where the session is not as we made it: `doubt` says why, and it
    gives nothing.
    """

    __tablename__ = "stripe_purchase"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("stripe_customer.id", ondelete="CASCADE"), index=True)
    price_id: Mapped[str | None] = mapped_column(String(64))
    payment_status: Mapped[str] = mapped_column(String(32))
    payment_intent_id: Mapped[str | None] = mapped_column(String(64), index=True)
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    bought_at: Mapped[datetime]
    is_pending: Mapped[bool] = mapped_column(default=False)
    lasts_months: Mapped[int | None]
    gift_id: Mapped[UUID | None]
    doubt: Mapped[str | None] = mapped_column(Text)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    raw: Mapped[dict[str, Any]] = mapped_column(default=dict)
    synced_at: Mapped[datetime] = mapped_column(default=utcnow)


class StripeCharge(Base):
    """The mirror of one charge that went through: what was taken, what was given back, and what is disputed.

    `subscription_id` and the period are known for those that were given back or disputed, if they paid a period.
    """

    __tablename__ = "stripe_charge"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("stripe_customer.id", ondelete="CASCADE"), index=True)
    payment_intent_id: Mapped[str | None] = mapped_column(String(64), index=True)
    amount_cents: Mapped[int]
    refunded_cents: Mapped[int] = mapped_column(default=0)
    refunded_at: Mapped[datetime | None]
    currency: Mapped[str] = mapped_column(String(3))
    dispute_status: Mapped[str | None] = mapped_column(String(40))
    dispute_due_at: Mapped[datetime | None]
    subscription_id: Mapped[str | None] = mapped_column(String(64))
    period_end_at: Mapped[datetime | None]
    paid_at: Mapped[datetime]
    description: Mapped[str] = mapped_column(Text, default="")
    receipt_url: Mapped[str | None] = mapped_column(Text)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    synced_at: Mapped[datetime] = mapped_column(default=utcnow)


class StripeEvent(Base):
    """The inbox: every signed delivery, kept as it came."""

    __tablename__ = "stripe_event"
    __table_args__ = (
        CheckConstraint("state IN ('received', 'applied', 'ignored', 'quarantined')", name="state"),
    )

    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    type: Mapped[str] = mapped_column(String(80), index=True)
    api_version: Mapped[str | None] = mapped_column(String(40))
    livemode: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    customer_id: Mapped[str | None] = mapped_column(String(64), index=True)
    object_id: Mapped[str | None] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]]
    deliveries: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(16), default="received")
    error: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(default=utcnow)


class StripeSync(Base):
    """How far one customer's mirror is wanted (`wanted_seq`) and done (`done_seq`).

    `queued_seq` is the `wanted_seq` for which work stands in the queue and has not begun, 0 when none does.

    Every fetch from Stripe first draws a number from `fence`; what a fetch found is written only while no fetch with
    a higher number was (`applied_fence`), so that a slow answer never overwrites a newer one.
    """

    __tablename__ = "stripe_sync"
    __table_args__ = (
        Index("ix_stripe_sync_behind", "customer_id", postgresql_where=text("wanted_seq > done_seq")),
    )

    customer_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    wanted_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    done_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    queued_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    applied_fence: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class StripeAccount(Base):
    """The one Stripe account that this site belongs to, and what the last looks at it found. One row, or none yet.

    `endpoint_problem`: why its webhooks may not arrive, in words; `last_run`: counts and words of the last
    reconciliation.
    """

    __tablename__ = "stripe_account"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    livemode: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    endpoint_problem: Mapped[str | None] = mapped_column(Text)
    endpoint_checked_at: Mapped[datetime | None]
    last_run: Mapped[dict[str, Any] | None]
    last_run_at: Mapped[datetime | None]


class Gift(HasId, Base):
    """A plan that is paid once, for somebody else. `ends_at`: when it ends for whoever claimed it; None: never.

    `state`: open (not paid), paid, or void (the money went back). Without an address it was never paid, and whom it
    was for is forgotten.
    """

    __tablename__ = "gift"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'paid', 'void')", name="state"),
        Index(
            "ix_gift_due",
            "deliver_at",
            postgresql_where=text("state = 'paid' AND delivered_at IS NULL"),
        ),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="RESTRICT"))
    giver_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    to_email: Mapped[str] = mapped_column(String(254))
    to_name: Mapped[str] = mapped_column(String(120))
    from_name: Mapped[str] = mapped_column(String(120))
    message: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="open")
    deliver_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    claimed_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    claimed_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class CheckoutAttempt(HasId, Base):
    """One try at buying a plan; at most one open for each user and plan, and any number of gifts."""

    __tablename__ = "checkout_attempt"
    __table_args__ = (
        Index(
            "uq_checkout_attempt_open",
            "user_id",
            "plan_id",
            unique=True,
            postgresql_where=text("state = 'open' AND gift_id IS NULL"),
        ),
        CheckConstraint("state IN ('open', 'completed', 'expired')", name="state"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    stripe_session_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    stripe_price_id: Mapped[str] = mapped_column(String(64))
    gift_id: Mapped[UUID | None] = mapped_column(ForeignKey("gift.id", ondelete="CASCADE"), index=True)
    return_to: Mapped[str] = mapped_column(Text, default="/library")
    # The article, by its slug then, whose page they came from.
    came_from: Mapped[str] = mapped_column(String(100), default="")
    state: Mapped[str] = mapped_column(String(16), default="open")
    url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime | None]
