"""Mails about what was bought once: it is yours; your money is on its way back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts.models import User
from app.billing.letters import NEWS
from app.billing.mirror import ChargeFacts, PurchaseFacts
from app.billing.plan_models import Plan, PlanPrice
from app.settings import get_settings
from app.templating import money

PAID = frozenset({"paid", "no_payment_required"})

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
    returned = [
        one for one in charges if one.payment_intent_id == facts.payment_intent_id and one.is_refunded
    ]
    if facts.payment_intent_id is not None and returned:
        is_new = all(one.id in charged and not charged[one.id].is_refunded for one in returned)
        return "purchase_refunded" if is_new else None
    if before is not None and before.payment_status in PAID:
        return None
    return "purchase_made" if before is not None or facts.bought_at > now - NEWS else None


async def write_letters(
    db: AsyncSession,
    user_id: UUID,
    before: tuple[Purchases, Charges],
    after: tuple[Iterable[PurchaseFacts], tuple[ChargeFacts, ...]],
    now: datetime,
) -> None:
    """Enqueue the mail of every change; asked twice, the second does nothing."""
    known, charged = before
    purchases, charges = after
    for facts in purchases:
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
        await jobs.enqueue(
            db,
            "send_mail",
            {"template": letter, "to": user.email, "context": context},
            workflow_id=f"mail:{letter}:{facts.id}",
        )
