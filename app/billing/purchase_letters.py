"""Mails about what was bought once: it is yours; your money is on its way back.

Each is written under the key of its cause, so that one which still waits when the money goes is not sent.
"""

from collections.abc import Iterable, Mapping
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
MADE, REFUNDED = "purchase_made", "purchase_refunded"

Purchases = Mapping[str, PurchaseFacts]
Charges = Mapping[str, ChargeFacts]


def letter_for(
    before: PurchaseFacts | None,
    charged: Charges,
    facts: PurchaseFacts,
    charges: Iterable[ChargeFacts],
    now: datetime,
) -> str | None:
    """Which mail a change of one purchase deserves; None for most. Pure."""
    if facts.doubt is not None or facts.gift_id is not None or facts.payment_status not in PAID:
        return None
    mine = _paid_by(facts, charges)
    returned = [one for one in mine if one.is_refunded]
    if returned:
        is_new = all(one.id in charged and not charged[one.id].is_refunded for one in returned)
        return REFUNDED if is_new else None
    if (before is not None and before.payment_status in PAID) or not _is_good(mine):
        return None
    return MADE if before is not None or facts.bought_at > now - NEWS else None


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
    before: tuple[Purchases, Charges],
    after: tuple[Iterable[PurchaseFacts], tuple[ChargeFacts, ...]],
    now: datetime,
) -> None:
    """Enqueue the mail of every change; asked twice, the second does nothing. What still waits and is not true any
    more is taken back."""
    known, charged = before
    purchases, charges = after
    for facts in purchases:
        if not _is_good(_paid_by(facts, charges)):
            await notice_letters.withdraw(db, f"{MADE}:{facts.id}", now)
        letter = letter_for(known.get(facts.id), charged, facts, charges, now)
        if letter is None:
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
        cause = f"{letter}:{facts.id}"
        if await notice_letters.claim(db, customer_id, letter, cause, None, now):
            await notice_letters.enqueue(db, letter, user.email, context, cause)
