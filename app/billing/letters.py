"""Mails about what a subscription has become: one for each cause, written in the transaction that learned of it.

Those that time makes due are in `noticing`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts.models import User
from app.billing import queries
from app.billing.mirror import SubscriptionFacts
from app.billing.plan_models import Plan, PlanPrice
from app.settings import get_settings
from app.templating import money

RUNNING = frozenset({"trialing", "active", "past_due"})
# What ended or began longer ago than this is history that we only now learn of: no mail.
NEWS = timedelta(days=3)


def letter_for(before: SubscriptionFacts | None, now_is: SubscriptionFacts, now: datetime) -> str | None:
    """Which mail a change of one subscription deserves; None for most. Pure."""
    was_running = before is not None and before.status in RUNNING
    if before is not None and before.status in ("past_due", "unpaid") and now_is.status == "active":
        return "payment_recovered"
    if now_is.status in ("trialing", "active") and not was_running:
        is_news = before is not None or now_is.started_at > now - NEWS
        return "subscription_started" if is_news else None
    if before is not None and before.status == "trialing" and _ended_without_card(before, now_is):
        return "trial_over"
    if before is not None and now_is.status == "canceled" and (was_running or before.status == "unpaid"):
        return "subscription_ended"
    if before is None or now_is.status not in RUNNING:
        return None
    if now_is.resumes_at is not None and now_is.paid_through_at is not None and before.pause_behavior is None:
        return "subscription_paused"
    if now_is.stops_at is None:
        return None
    return "subscription_cancelled" if before.stops_at is None else None


def _ended_without_card(before: SubscriptionFacts, now_is: SubscriptionFacts) -> bool:
    """Whether a trial came to its end, and not to one that its member asked for."""
    if now_is.status == "paused":
        return True
    ended, due = now_is.ended_at, before.trial_end_at
    return (
        now_is.status == "canceled"
        and before.wants_card
        and before.stops_at is None
        and ended is not None
        and due is not None
        and ended >= due
    )


def cause_of(letter: str, facts: SubscriptionFacts) -> str:
    """What the mail is about, as the key that lets it be sent once."""
    moment = None
    if letter == "payment_recovered":
        moment = facts.past_due_since_at or facts.current_period_end_at
    elif letter == "subscription_paused":
        moment = facts.resumes_at
    elif letter == "subscription_cancelled":
        # Cancelled, taken back and cancelled again for the same day: twice.
        moment = facts.cancelled_at or facts.stops_at
    return f"mail:{letter}:{facts.id}" + (f":{int(moment.timestamp())}" if moment else "")


async def write_letters(
    db: AsyncSession,
    user_id: UUID,
    before: Mapping[str, SubscriptionFacts],
    mirror: Iterable[SubscriptionFacts],
    now: datetime,
    receipt_url: str = "",
    ended: Collection[str] = (),
) -> set[str]:
    """Enqueue the mail of every change; asked twice, the second does nothing. Answers which mails were due.

    `receipt_url`: of the payment that is news, if there is one; `ended`: subscriptions whose end another mail tells.
    """
    user: User | None = None
    written: set[str] = set()
    for facts in mirror:
        letter = letter_for(before.get(facts.id), facts, now)
        if letter is None or (letter == "subscription_ended" and facts.id in ended):
            continue
        if user is None:
            user = await db.get_one(User, user_id)
        context = await context_of(db, user, facts)
        if context is None:
            continue
        written.add(letter)
        await jobs.enqueue(
            db,
            "send_mail",
            {"template": letter, "to": user.email, "context": {**context, "receipt_url": receipt_url}},
            workflow_id=cause_of(letter, facts),
        )
    return written


async def context_of(db: AsyncSession, user: User, facts: SubscriptionFacts) -> dict[str, Any] | None:
    """Words for the templates, and instants as ISO 8601; None when no plan of ours is involved."""
    found = (
        await db.execute(
            select(Plan, PlanPrice)
            .join(PlanPrice, PlanPrice.plan_id == Plan.id)
            .where(PlanPrice.stripe_price_id.in_(facts.price_ids))
            .limit(1)
        )
    ).first()
    if found is None:
        return None
    plan, price = found
    grace_ends = (
        facts.past_due_since_at + queries.policy().past_due_grace if facts.past_due_since_at else None
    )
    charged_next = facts.trial_end_at if facts.status == "trialing" else facts.current_period_end_at
    return {
        "name": user.name,
        "plan": plan.name,
        "price": money(price.amount_cents, price.currency) if facts.is_plain else "",
        "interval": plan.interval,
        "is_trial": facts.status == "trialing",
        "needs_card": facts.wants_card,
        "may_go_on": facts.status == "paused",
        "next_at": iso(charged_next),
        "ends_at": iso(facts.stops_at),
        "paid_through": iso(facts.paid_through_at),
        "resumes_at": iso(facts.resumes_at),
        "grace_ends_at": iso(grace_ends),
        "account_url": f"{get_settings().base_url}/account",
        "plans_url": f"{get_settings().base_url}/plans",
        "library_url": f"{get_settings().base_url}/library",
    }


def iso(instant: datetime | None) -> str:
    """Whoever renders the mail knows the day that it is at the practice; arguments of work are JSON."""
    return instant.isoformat() if instant else ""
