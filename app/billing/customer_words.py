"""A member's name and address at Stripe follow the account: receipts must not go to an address that is not theirs."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db as database
from app import jobs
from app.accounts.models import User
from app.billing import queries, stripe_api
from app.billing.models import StripeCustomer
from app.jobs import engine
from app.settings import get_settings


async def follow_account(db: AsyncSession, user_id: UUID) -> None:
    """Ask, inside the caller's transaction, that Stripe hears of the member's new name or address."""
    if await db.scalar(select(StripeCustomer.id).where(StripeCustomer.user_id == user_id).limit(1)):
        await jobs.enqueue(db, "billing_customer_words", {"user_id": str(user_id)})


async def bring(user_id: UUID) -> None:
    """Tell Stripe the name and address as they are at this moment.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    async with database.transaction() as session:
        user = await session.get(User, user_id)
        customer = await queries.customer_of(session, user_id)
    if user is not None and customer is not None and get_settings().buying_enabled:
        await stripe_api.rename_customer(customer.id, user.email, user.name)


@engine.step(tries=10, first_wait_s=2.0)
async def _bring_step(user_id: str) -> None:
    await bring(UUID(user_id))


@engine.workflow("billing_customer_words")
async def billing_customer_words(user_id: str) -> None:
    """One change of an account, brought to Stripe."""
    await _bring_step(user_id)
