"""The mail about what was bought once: it is yours. That money went back is told by `refund_letters`.

It is written under the key of its cause, so that one which still waits when the money goes is not sent.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.billing import notice_letters
from app.billing.letters import NEWS
from app.billing.mirror import ChargeFacts, PurchaseFacts
from app.billing.plan_models import Plan, PlanPrice
from app.billing.rules import DISPUTE_OPEN
from app.settings import get_settings
from app.templating import money

PAID = frozenset({"paid", "no_payment_required"})
MADE = "purchase_made"


def is_due(
    before: PurchaseFacts | None, facts: PurchaseFacts, charges: Iterable[ChargeFacts], now: datetime
) -> bool:
    """Whether a purchase has just become its member's. Pure."""
    if facts.doubt is not None or facts.gift_id is not None or facts.payment_status not in PAID:
        return False
    if (before is not None and before.payment_status in PAID) or not _is_good(_paid_by(facts, charges)):
        return False
    return before is not None or facts.bought_at > now - NEWS


def _paid_by(facts: PurchaseFacts, charges: Iterable[ChargeFacts]) -> list[ChargeFacts]:
    intent = facts.payment_intent_id
    return [one for one in charges if intent is not None and one.payment_intent_id == intent]


def _is_good(charges: Iterable[ChargeFacts]) -> bool:
    """Whether nobody has the money back or asks for it."""
    return not any(
        one.is_refunded or one.dispute_status == "lost" or one.dispute_status in DISPUTE_OPEN
        for one in charges
    )


async def write_letters(
    db: AsyncSession,
    customer_id: str,
    user_id: UUID,
    known: Mapping[str, PurchaseFacts],
    purchases: Iterable[PurchaseFacts],
    charges: Collection[ChargeFacts],
    now: datetime,
) -> None:
    """Enqueue the mail of every change; asked twice, the second does nothing. What still waits and is not true any
    more is taken back."""
    for facts in purchases:
        if not _is_good(_paid_by(facts, charges)):
            await notice_letters.withdraw(db, f"{MADE}:{facts.id}", now)
        if not is_due(known.get(facts.id), facts, charges, now):
            continue
        user = await db.get_one(User, user_id)
        plan = await db.scalar(
            select(Plan)
            .join(PlanPrice, PlanPrice.plan_id == Plan.id)
            .where(PlanPrice.stripe_price_id == facts.price_id)
        )
        if plan is None:
            continue
        context = {
            "name": user.name,
            "plan": plan.name,
            "months": facts.lasts_months or 0,
            "price": money(facts.amount_cents, facts.currency),
            "library_url": f"{get_settings().base_url}/library",
            "contact_url": f"{get_settings().base_url}/contact",
        }
        cause = f"{MADE}:{facts.id}"
        if await notice_letters.claim(db, customer_id, MADE, cause, None, now):
            await notice_letters.enqueue(db, MADE, user.email, context, cause)
