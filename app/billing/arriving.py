"""Coming back from Stripe's page: whether the payment has arrived, and where the member was going."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access import queries as access
from app.billing import offers, queries, stripe_api, sync
from app.billing.checkout import mark
from app.billing.models import CheckoutAttempt, Gift
from app.billing.rules import Scope, covers_all_of
from app.clock import utcnow
from app.errors import NotFound, Unavailable


@dataclass(frozen=True)
class Arrival:
    """Where somebody stands who comes back from Stripe. `state`: entitled | activating | open (not paid yet)."""

    state: Literal["entitled", "activating", "open"]
    return_to: str
    checkout_url: str | None = None


async def arrive(user_id: UUID, session_id: str) -> Arrival:
    """Look at once whether the payment has arrived, so that nobody waits for a webhook; at most 3 s.

    Raises:
        NotFound: when this member never had that session.
    """
    async with db.transaction() as session:
        attempt = await _attempt(session, user_id, CheckoutAttempt.stripe_session_id == session_id)
        customer = await queries.customer_of(session, user_id)
        gift_id = attempt.gift_id
        scope = (await offers.scopes(session))[attempt.plan_id]
    if customer is not None:
        await sync.sync_now(customer.id)
    if await _is_there(user_id, gift_id, scope):
        await mark(session_id, "completed")
        return Arrival("entitled", attempt.return_to)
    try:
        found = await stripe_api.find_checkout(session_id)
    except Unavailable:
        found = None
    if found is not None and found.status == "open":
        return Arrival("open", attempt.return_to, found.url)
    return Arrival("activating", attempt.return_to)


async def _is_there(user_id: UUID, gift_id: UUID | None, scope: Scope) -> bool:
    """Whether what was paid has arrived: a gift that is paid, or the right to watch."""
    if gift_id is None:
        return await _is_entitled(user_id, scope, utcnow())
    async with db.transaction() as session:
        return (await session.get_one(Gift, gift_id)).state == "paid"


async def _is_entitled(user_id: UUID, scope: Scope, now: datetime) -> bool:
    async with db.transaction() as session:
        mine = await access.active_for(session, user_id, now)
    return covers_all_of(tuple(one.course_id for one in mine), scope)


async def where_from(session: AsyncSession, user_id: UUID, attempt_id: UUID) -> str:
    """The page from which the member set out to buy.

    Raises:
        NotFound: for an attempt of somebody else.
    """
    return (await _attempt(session, user_id, CheckoutAttempt.id == attempt_id)).return_to


async def _attempt(session: AsyncSession, user_id: UUID, which: object) -> CheckoutAttempt:
    found: CheckoutAttempt | None = await session.scalar(
        select(CheckoutAttempt).where(which, CheckoutAttempt.user_id == user_id)  # type: ignore[arg-type]
    )
    if found is None:
        raise NotFound
    return found
