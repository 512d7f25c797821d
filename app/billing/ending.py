"""The end of a member's money: nothing is charged any more, and what stays names nobody."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.billing import stripe_api
from app.billing.mirror import TERMINAL
from app.billing.models import (
    CheckoutAttempt,
    StripeCustomer,
    StripeEvent,
    StripePurchase,
    StripeSubscription,
)
from app.billing.notice_models import StripeCard
from app.errors import Unavailable
from app.i18n import _
from app.settings import get_settings


async def end_all(user_id: UUID) -> None:
    """Cancel every subscription of the member's that has not ended, close what could still be paid, unname them there.

    Stripe is asked which there are: one that our mirror has not heard of would be charged for ever.

    Raises:
        Unavailable: when Stripe does not answer, or no key is set although the member has paid before.
    """
    async with db.transaction() as session:
        customers = list(
            await session.scalars(select(StripeCustomer.id).where(StripeCustomer.user_id == user_id))
        )
        sessions = list(
            await session.scalars(
                select(CheckoutAttempt.stripe_session_id).where(
                    CheckoutAttempt.user_id == user_id,
                    CheckoutAttempt.state == "open",
                    CheckoutAttempt.stripe_session_id.is_not(None),
                )
            )
        )
    if not customers:
        return
    if not get_settings().buying_enabled:
        raise Unavailable(_("Buying is not switched on here yet."))
    for session_id in filter(None, sessions):
        await stripe_api.expire_checkout(session_id)
    for customer_id in customers:
        await _end(customer_id)


async def _end(customer_id: str) -> None:
    try:
        raws = await stripe_api.list_subscriptions(customer_id)
    except stripe_api.StripeRefused as refusal:
        # Deleted at Stripe, with everything that was charged.
        if refusal.is_missing:
            return
        raise
    for raw in raws:
        if raw["status"] not in TERMINAL:
            await stripe_api.cancel_subscription(raw["id"])
    await stripe_api.unname_customer(customer_id)


async def forget(session: AsyncSession, user_id: UUID) -> None:
    """Take the member's name out of what we keep of Stripe's words; amounts, days and ids stay for the books."""
    found = await session.scalars(select(StripeCustomer.id).where(StripeCustomer.user_id == user_id))
    await forget_words(session, list(found))


async def forget_words(session: AsyncSession, customers: Sequence[str]) -> None:
    """The same for customers whose member has left: what Stripe tells of them later names them as well."""
    await session.execute(
        update(StripeEvent)
        .where(StripeEvent.customer_id.in_(customers))
        .values(payload=func.jsonb_build_object("id", StripeEvent.event_id, "type", StripeEvent.type))
    )
    subscriptions = select(StripeSubscription.id).where(StripeSubscription.customer_id.in_(customers))
    await session.execute(delete(StripeCard).where(StripeCard.subscription_id.in_(subscriptions)))
    await session.execute(
        update(StripePurchase).where(StripePurchase.customer_id.in_(customers)).values(raw={})
    )
