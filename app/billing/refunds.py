"""Give money back from the studio: what it does to what the member may watch is said first."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.due import Due
from app.access.entitlements import TAKEABLE
from app.access.models import Entitlement
from app.access.rules import EntitlementFacts, is_active
from app.accounts import audit
from app.accounts.models import User
from app.billing import inbox, offers, queries, refund_letters, stripe_api, sync
from app.billing.mirror import ChargeFacts, PurchaseFacts, SubscriptionFacts, period_paid
from app.billing.models import Gift, StripeCharge, StripeCustomer
from app.billing.rules import DISPUTE_OPEN, Scope, entitlements_due, purchases_due
from app.clock import utcnow
from app.errors import BadInput, Conflict, NotFound, Unavailable
from app.i18n import _


@dataclass(frozen=True)
class Preview:
    """A charge of a member, and what giving all of it back would do.

    `loses`: what nothing else of theirs covers then; `None` among them is every course. `subscription`: the one whose
    period it paid, if that runs and would be charged again. `left_cents`: what can still be given back. `gift`: what it
    paid was for somebody else.
    """

    charge: ChargeFacts
    user_id: UUID
    name: str
    loses: Scope
    subscription: SubscriptionFacts | None
    left_cents: int
    is_disputed: bool
    gift: Gift | None = None


async def preview(charge_id: str) -> Preview:
    """What there is to give back; Stripe is asked what the charge had paid.

    Raises:
        NotFound: for a charge that is not a member's.
        StripeDown: when Stripe does not answer.
    """
    async with db.transaction() as session:
        user, charge = await _find(session, charge_id)
        customer_id = await _customer_id(session, charge_id)
        purchases = await queries.purchases_of(session, customer_id)
    invoice = None
    if charge.payment_intent_id is not None and not _pays_once(charge, purchases):
        invoice = await stripe_api.invoice_paid_by(charge.payment_intent_id)
    subscription_id, period_end_at = period_paid(invoice)
    charge = replace(charge, subscription_id=subscription_id, period_end_at=period_end_at)
    async with db.transaction() as session:
        mirror = await queries.mirror_of(session, customer_id)
        others = [one for one in await queries.charges_of(session, customer_id) if one.id != charge.id]
        catalogue = await offers.catalogue(session)
        given = await _given(session, user.id, utcnow())
        gift = await _gift(session, charge, purchases)
    now = utcnow()
    returned = replace(charge, refunded_cents=charge.amount_cents)
    before, after = (_held(mirror, purchases, [*others, one], catalogue, now) for one in (charge, returned))
    lost = before - after - given
    running = next((one for one in mirror if one.id == subscription_id and _goes_on(one)), None)
    return Preview(
        charge=charge,
        user_id=user.id,
        name=user.name,
        # A right to every course covers each single one.
        loses=() if None in after | given else tuple(sorted(lost, key=str)),
        subscription=running,
        left_cents=charge.amount_cents - charge.refunded_cents,
        is_disputed=charge.dispute_status in DISPUTE_OPEN,
        gift=gift,
    )


async def give_back(
    actor_id: UUID, charge_id: str, amount_cents: int, already_cents: int, *, ends_subscription: bool = False
) -> None:
    """Give back so much of a charge (in the currency's minor unit), and bring the member's rights in line.

    `already_cents`: what had been given back when the form was shown. Sent twice, the same form gives back once: before
    the first is known here it has the same key at Stripe, and after it the form is out of date.

    Raises:
        NotFound: for a charge that is not a member's.
        BadInput: for more than is left, or nothing.
        Conflict: while a dispute is open, when the bank decides about the money; or when the form is out of date.
        StripeDown: when Stripe does not answer; nothing was given back.
    """
    found = await preview(charge_id)
    if found.is_disputed:
        raise Conflict(_("A dispute is open: the bank decides about this money. Answer it in Stripe."))
    if found.charge.refunded_cents > already_cents:
        raise Conflict(_("Something was given back meanwhile. Look at what is left, and then decide."))
    if not 0 < amount_cents <= found.left_cents:
        raise BadInput(_("Say how much of what is left to give back."), field="amount")
    ends = found.subscription if ends_subscription else None
    await _at_stripe(found, amount_cents, already_cents, ends)
    async with db.transaction() as session:
        customer_id = await _customer_id(session, charge_id)
        audit.record(
            session,
            actor_id,
            "payment.refund",
            "member",
            found.user_id,
            name=found.name,
            charge=charge_id,
            amount_cents=amount_cents,
            currency=found.charge.currency,
        )
    # The money is on its way; where Stripe is slow to tell the rest, its own events bring the rights in line.
    await sync.sync_now(customer_id)


async def _at_stripe(
    found: Preview, amount_cents: int, already_cents: int, ends: SubscriptionFacts | None
) -> None:
    """The refund, and the end that goes with it: one mail tells both, whenever Stripe's events come."""
    charge_id = found.charge.id
    if ends is None:
        await stripe_api.refund(charge_id, amount_cents, already_cents=already_cents)
        return
    async with db.transaction() as session:
        customer_id = await _customer_id(session, charge_id)
        had = found.charge.refunded_cents
        await refund_letters.will_end(session, customer_id, charge_id, had, ends.id, utcnow())
    try:
        await stripe_api.refund(charge_id, amount_cents, already_cents=already_cents)
        await stripe_api.cancel_subscription(ends.id)
    except Unavailable:
        async with db.transaction() as session:
            await refund_letters.will_not_end(session, charge_id, had, utcnow())
            # What went back before Stripe refused the rest is told by the sync.
            await inbox.want(session, customer_id, utcnow())
        raise


def _goes_on(facts: SubscriptionFacts) -> bool:
    return not facts.is_over and facts.stops_at is None


def _pays_once(charge: ChargeFacts, purchases: list[PurchaseFacts]) -> bool:
    return any(one.payment_intent_id == charge.payment_intent_id for one in purchases)


def _held(
    mirror: list[SubscriptionFacts],
    purchases: list[PurchaseFacts],
    charges: list[ChargeFacts],
    catalogue: dict[str, Scope],
    now: datetime,
) -> set[UUID | None]:
    """What all payments of a member give; `None` is every course."""
    paid = entitlements_due(mirror, catalogue, queries.policy(), now, charges).due
    bought = purchases_due(purchases, charges, catalogue, now).due
    due: tuple[Due, ...] = (*paid, *bought)
    return {one.course_id for one in due}


async def _gift(session: AsyncSession, charge: ChargeFacts, purchases: list[PurchaseFacts]) -> Gift | None:
    paid = [one.gift_id for one in purchases if one.payment_intent_id == charge.payment_intent_id]
    if charge.payment_intent_id is None or not paid or paid[0] is None:
        return None
    return await session.get(Gift, paid[0])


async def _given(session: AsyncSession, user_id: UUID, now: datetime) -> set[UUID | None]:
    """What the member may watch without having paid for it."""
    rows = await session.execute(
        select(
            Entitlement.course_id, Entitlement.starts_at, Entitlement.ends_at, Entitlement.revoked_at
        ).where(Entitlement.user_id == user_id, Entitlement.source_kind.in_(TAKEABLE))
    )
    return {row[0] for row in rows if is_active(EntitlementFacts(*row), now)}


async def _find(session: AsyncSession, charge_id: str) -> tuple[User, ChargeFacts]:
    row = (
        await session.execute(
            select(User, StripeCustomer.id)
            .join(StripeCustomer, StripeCustomer.user_id == User.id)
            .join(StripeCharge, StripeCharge.customer_id == StripeCustomer.id)
            .where(StripeCharge.id == charge_id)
        )
    ).first()
    if row is None:
        raise NotFound
    charges = await queries.charges_of(session, row[1])
    return row[0], next(one for one in charges if one.id == charge_id)


async def _customer_id(session: AsyncSession, charge_id: str) -> str:
    return (await session.get_one(StripeCharge, charge_id)).customer_id
