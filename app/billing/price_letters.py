"""Mails about a plan's price that changes for those who pay already: what, when, and that it was called off."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts.models import User
from app.billing.plan_models import Plan, PriceMove
from app.settings import get_settings
from app.templating import money


async def moves(
    db: AsyncSession,
    move: PriceMove,
    plan: Plan,
    user_id: UUID,
    subscription_id: str,
    amounts: tuple[int, int, str],
    first_at: datetime,
) -> None:
    """What it will cost, from which payment on. `amounts`: before and after, in the currency's minor unit."""
    before_cents, after_cents, currency = amounts
    context = {
        "before": money(before_cents, currency),
        "after": money(after_cents, currency),
        "is_less": after_cents < before_cents,
        "first_at": first_at.isoformat(),
        "words": move.words,
    }
    await _send(db, "price_moves", move, plan, user_id, subscription_id, context)


async def stays(
    db: AsyncSession,
    move: PriceMove,
    plan: Plan,
    user_id: UUID,
    subscription_id: str,
    amount_cents: int,
    currency: str,
) -> None:
    """It was called off: the old price stays."""
    context = {"before": money(amount_cents, currency)}
    await _send(db, "price_stays", move, plan, user_id, subscription_id, context)


async def _send(
    db: AsyncSession,
    template: str,
    move: PriceMove,
    plan: Plan,
    user_id: UUID,
    subscription_id: str,
    context: Mapping[str, object],
) -> None:
    user = await db.get_one(User, user_id)
    shared = {
        "name": user.name,
        "plan": plan.name,
        "interval": plan.interval,
        "account_url": f"{get_settings().base_url}/account",
    }
    await jobs.enqueue(
        db,
        "send_mail",
        {"template": template, "to": user.email, "context": {**shared, **context}},
        workflow_id=f"mail:{template}:{move.id}:{subscription_id}",
    )
