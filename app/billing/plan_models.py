"""Money facts of our own making: plans, their prices in each currency, and members who are moved to a new one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


class Plan(HasId, Base):
    """What a visitor can buy, by the month, by the year or once: every course, or those in `plan_course`.

    `lasts_months`: how long what is paid once may be watched; None: for good. `pause_months`: for how long a member
    may rest from paying by the month; 0: not at all.

    `trial_needs_card` False: nobody is asked for a card before a trial; `after_trial` says what happens at its end
    without one: cancel (it is over) or pause (it waits for a card). `stay_offer`: what is offered once to who cancels:
    nothing, the pause, or `stay_percent` off for `stay_months` months.
    """

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("interval IN ('month', 'year', 'once')", name="interval"),
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint(
            "lasts_months IS NULL OR (interval = 'once' AND lasts_months > 0)", name="lasts_months"
        ),
        CheckConstraint("NOT is_giftable OR interval = 'once'", name="is_giftable"),
        CheckConstraint("currency = lower(currency)", name="currency"),
        CheckConstraint("pause_months = 0 OR (interval = 'month' AND pause_months > 0)", name="pause_months"),
        CheckConstraint("after_trial IN ('cancel', 'pause')", name="after_trial"),
        CheckConstraint("stay_offer IN ('none', 'pause', 'discount')", name="stay_offer"),
    )

    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    interval: Mapped[str] = mapped_column(String(8))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3), default="usd")
    trial_days: Mapped[int] = mapped_column(default=0)
    trial_needs_card: Mapped[bool] = mapped_column(default=True)
    after_trial: Mapped[str] = mapped_column(String(8), default="cancel")
    lasts_months: Mapped[int | None]
    is_giftable: Mapped[bool] = mapped_column(default=False)
    pause_months: Mapped[int] = mapped_column(default=0)
    stay_offer: Mapped[str] = mapped_column(String(8), default="pause")
    stay_percent: Mapped[int] = mapped_column(default=0)
    stay_months: Mapped[int] = mapped_column(default=0)
    covers_everything: Mapped[bool] = mapped_column(default=True)
    is_offered: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    stripe_product_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class PlanCourse(Base):
    """A course that a plan covers; several make a bundle."""

    __tablename__ = "plan_course"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    # A course that was sold cannot be deleted: whoever paid for it would lose it.
    course_id: Mapped[UUID] = mapped_column(
        ForeignKey("course.id", ondelete="RESTRICT"), primary_key=True, index=True
    )


class PlanPrice(Base):
    """A Stripe Price that buys a plan, one of each currency the current one. Old prices stay here, so that whoever
    pays one keeps the plan."""

    __tablename__ = "plan_price"

    stripe_price_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), index=True)
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    is_current: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class PlanAmount(Base):
    """What a plan costs in one more currency than its own, in that currency's minor unit."""

    __tablename__ = "plan_amount"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount"),
        CheckConstraint("currency = lower(currency)", name="currency"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    amount_cents: Mapped[int]


class PriceMove(HasId, Base):
    """Those who pay old prices of a plan are moved to its new ones, from their first payment after `starts_at` on."""

    __tablename__ = "price_move"
    __table_args__ = (
        CheckConstraint("state IN ('planned', 'stopped', 'done')", name="state"),
        Index("uq_price_move_planned", "plan_id", unique=True, postgresql_where=text("state = 'planned'")),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    words: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="planned")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class PriceMoveMember(Base):
    """One subscription of a move. `first_at`: the first payment of the new price, as its member was told."""

    __tablename__ = "price_move_member"
    __table_args__ = (CheckConstraint("state IN ('told', 'moved', 'left_out', 'failed')", name="state"),)

    move_id: Mapped[UUID] = mapped_column(ForeignKey("price_move.id", ondelete="CASCADE"), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(
        ForeignKey("stripe_subscription.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    from_price_id: Mapped[str] = mapped_column(String(64))
    to_price_id: Mapped[str] = mapped_column(String(64))
    first_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default="told")
    error: Mapped[str | None] = mapped_column(Text)
    moved_at: Mapped[datetime | None]
