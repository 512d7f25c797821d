"""Gifts that were written down and never paid: after two days nobody's address is kept for them."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.billing import queries, stripe_api, sync
from app.billing.models import CheckoutAttempt, Gift, StripePurchase
from app.clock import utcnow
from app.errors import Unavailable
from app.jobs import engine
from app.settings import get_settings

# Stripe's page of a checkout is open for a day.
UNPAID_FOR = timedelta(days=2)
AT_ONCE = 200

log = logging.getLogger("limber.billing")

_BANK_IS_AT_IT = exists().where(StripePurchase.gift_id == Gift.id, StripePurchase.is_pending)


async def forget_unpaid(now: datetime) -> int:
    """Forget whom unpaid gifts were for, once Stripe says that they cannot be paid any more; answers how many."""
    async with db.transaction() as session:
        rows = (
            await session.execute(
                select(Gift.id, Gift.giver_id, CheckoutAttempt.stripe_session_id)
                .outerjoin(CheckoutAttempt, CheckoutAttempt.gift_id == Gift.id)
                .where(
                    Gift.state == "open",
                    Gift.to_email != "",
                    Gift.created_at < now - UNPAID_FOR,
                    ~_BANK_IS_AT_IT,
                )
                .order_by(Gift.created_at)
                .limit(AT_ONCE)
            )
        ).all()
    forgotten = 0
    for gift_id, giver_id, session_id in rows:
        try:
            if session_id is not None and await stripe_api.expire_checkout(session_id) == "complete":
                # It was paid after all, or a bank has refused it days later: Stripe's word decides.
                await _look_again(giver_id)
        except Unavailable as fault:
            log.warning("the unpaid gift %s is looked at again later: %s", gift_id, fault.sentence)
            continue
        async with db.transaction() as session:
            forgotten += await _forget(session, gift_id)
    return forgotten


async def _look_again(giver_id: UUID | None) -> None:
    async with db.transaction() as session:
        customer = await queries.customer_of(session, giver_id) if giver_id is not None else None
    if customer is not None:
        await sync.sync(customer.id)


async def _forget(session: AsyncSession, gift_id: UUID) -> bool:
    gift = await session.scalar(
        select(Gift).where(Gift.id == gift_id, Gift.state == "open", ~_BANK_IS_AT_IT).with_for_update()
    )
    if gift is None:
        return False
    gift.state = "void"
    gift.to_email = gift.to_name = gift.from_name = gift.message = ""
    attempts = await session.scalars(select(CheckoutAttempt).where(CheckoutAttempt.gift_id == gift_id))
    for attempt in attempts:
        attempt.state = "expired"
    return True


@engine.step(tries=2, first_wait_s=60.0)
async def _forget_step() -> int:
    return await forget_unpaid(utcnow()) if get_settings().buying_enabled else 0


@engine.scheduled("gifts_forget", "35 * * * *")
async def gifts_forget(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every hour: whom unpaid gifts were for is forgotten."""
    await _forget_step()
