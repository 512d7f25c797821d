"""A receipt for each payment of a membership: by a mail of its own, or with the mail that tells of it anyway."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.entitlements import lock_user
from app.accounts.models import User
from app.billing import notice_letters, offers, stripe_api
from app.billing.letters import NEWS
from app.billing.mirror import ChargeFacts, PurchaseFacts
from app.billing.models import StripeCharge, StripeCustomer, StripePurchase
from app.billing.notice_models import BillingNotice
from app.settings import get_settings
from app.templating import money

KIND = "receipt"
# Mails that carry the receipt of the payment that they are about.
TELLING = frozenset({"subscription_started", "payment_recovered"})
AT_ONCE = 200


def newest(
    charges: Iterable[ChargeFacts], purchases: Iterable[PurchaseFacts], now: datetime
) -> ChargeFacts | None:
    """The latest payment of the last days that is no purchase (those have a mail of their own). Pure."""
    bought = {one.payment_intent_id for one in purchases}
    found = [
        one
        for one in charges
        if one.payment_intent_id not in bought and one.amount_cents > 0 and one.paid_at > now - NEWS
    ]
    return max(found, key=lambda one: one.paid_at, default=None)


async def told(session: AsyncSession, customer_id: str, charge: ChargeFacts, now: datetime) -> None:
    """Note that another mail carries this payment's receipt."""
    await notice_letters.claim(session, customer_id, KIND, f"{KIND}:{charge.id}", None, now)


async def waiting(session: AsyncSession, now: datetime) -> list[StripeCharge]:
    """Payments of the last days of which nothing was written: no purchases, and nothing that was given back."""
    has_one = select(BillingNotice.cause).where(BillingNotice.cause == f"{KIND}:" + StripeCharge.id)
    is_bought = select(StripePurchase.id).where(
        StripePurchase.payment_intent_id == StripeCharge.payment_intent_id
    )
    found = await session.scalars(
        select(StripeCharge)
        .join(StripeCustomer, StripeCustomer.id == StripeCharge.customer_id)
        .where(
            StripeCustomer.user_id.is_not(None),
            StripeCustomer.deleted_at.is_(None),
            StripeCharge.paid_at > now - NEWS,
            StripeCharge.amount_cents > 0,
            StripeCharge.refunded_cents == 0,
            StripeCharge.payment_intent_id.is_not(None),
            ~has_one.exists(),
            ~is_bought.exists(),
        )
        .order_by(StripeCharge.paid_at)
        .limit(AT_ONCE)
    )
    return list(found)


async def write(charge: StripeCharge, now: datetime) -> bool:
    """Ask Stripe what a payment was for, and write its receipt if it was a plan of ours; False: it has none.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    assert charge.payment_intent_id is not None
    bill = await stripe_api.bill_paid_by(charge.payment_intent_id)
    cause = f"{KIND}:{charge.id}"
    async with db.transaction() as session:
        customer = await session.get_one(StripeCustomer, charge.customer_id)
        if customer.user_id is None:
            return False
        await lock_user(session, customer.user_id)
        if not await notice_letters.claim(session, customer.id, KIND, cause, None, now):
            return False
        names = await offers.plan_names(session)
        plan = next((names[one] for one in (bill.price_ids if bill else ()) if one in names), None)
        if plan is None:
            # Another product of the same account is none of our members' business.
            return False
        user = await session.get_one(User, customer.user_id)
        context = {
            "name": user.name,
            "plan": plan,
            "amount": money(charge.amount_cents, charge.currency),
            "paid_at": charge.paid_at.isoformat(),
            "url": charge.receipt_url or f"{get_settings().base_url}/account/bills",
        }
        await notice_letters.enqueue(session, KIND, user.email, context, cause)
    return True
