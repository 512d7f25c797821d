"""Mails about money that went back: how much, of what, and what it does to what the member may watch.

One for each sum that a charge has come to, whether it was given back in the studio or in Stripe's dashboard. Where the
studio ends the membership with it, one mail tells both.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import Entitlement
from app.access.queries import active_for
from app.accounts.models import User
from app.billing import notice_letters, offers
from app.billing.comparing import Facts
from app.billing.letters import NEWS, RUNNING, iso
from app.billing.mirror import ChargeFacts, PurchaseFacts, SubscriptionFacts
from app.billing.models import Gift, StripeCustomer
from app.billing.notice_models import BillingNotice
from app.billing.rules import Scope, covers_all_of, spoiled_by
from app.settings import get_settings
from app.templating import money

RETURNED = "payment_returned"
ENDING = "refund_ends"
# A bank transfer may take a week and more until it has arrived; what is older was read after a long silence.
ARRIVES = timedelta(days=14)
# So long the mail waits for the end of the membership that was asked for with it.
HOLDS = timedelta(minutes=15)


@dataclass(frozen=True)
class _Ending:
    """A refund of the studio's that ends a subscription: what had been given back before it, and until when the end is
    waited for (None: it was called off)."""

    already_cents: int
    subscription_id: str
    holds_until: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.holds_until is not None and now < self.holds_until


@dataclass(frozen=True)
class _Outcome:
    """What a refund was of, and did. `fate`: stays, stopped (watching has), rests (until the next payment), ended (the
    membership has), was_over (before), gift_stays or gift_void; `day`: until when it stays, or when it is paid next.

    `is_covered`: something else of theirs gives the same.
    """

    plan: str
    fate: str = "stays"
    day: datetime | None = None
    is_covered: bool = False
    gift_to: str = ""


def newly_returned(
    known: ChargeFacts | None,
    charge: ChargeFacts,
    now: datetime,
    *,
    is_first_look: bool = False,
    already_cents: int | None = None,
) -> int:
    """How much of a charge (minor unit) went back since it was last looked at and is news; 0: nothing. Pure.

    `is_first_look`: of a customer who was taken over, or lost and read again, nothing is news. `already_cents`: what
    had been given back before a refund of the studio's whose mail was held.
    """
    if charge.refunded_at is None or is_first_look:
        return 0
    if known is None:
        is_news, had = charge.paid_at > now - NEWS, 0
    else:
        is_news, had = charge.refunded_at > now - ARRIVES, known.refunded_cents
    if already_cents is not None:
        had = min(had, already_cents)
    return max(0, charge.refunded_cents - had) if is_news else 0


async def will_end(
    db: AsyncSession,
    customer_id: str,
    charge_id: str,
    already_cents: int,
    subscription_id: str,
    now: datetime,
) -> None:
    """Note before Stripe is asked that a refund ends the subscription too, so that no mail tells half of it."""
    row = insert(BillingNotice).values(
        cause=f"{ENDING}:{charge_id}:{already_cents}",
        customer_id=customer_id,
        kind=ENDING,
        subscription_id=subscription_id,
        written_at=now,
    )
    await db.execute(
        row.on_conflict_do_update(
            index_elements=[BillingNotice.cause], set_={"written_at": now, "withdrawn_at": None}
        )
    )


async def will_not_end(db: AsyncSession, charge_id: str, already_cents: int, now: datetime) -> None:
    """Stripe refused one of the two: what went back all the same is told by itself."""
    await notice_letters.withdraw(db, f"{ENDING}:{charge_id}:{already_cents}", now)


async def write_letters(
    db: AsyncSession, customer: StripeCustomer, before: Facts, after: Facts, now: datetime
) -> frozenset[str]:
    """Enqueue the mail of every sum that went back; asked twice, the second does nothing. What still waits and did not
    arrive after all is taken back.

    With the rights settled already. Answers the subscriptions whose end these mails tell.
    """
    if not any(one.refunded_cents for one in (*before.charges, *after.charges)) and not any(
        one.is_over for one in after.subscriptions
    ):
        # Most looks find nothing of it, and ask nothing for it.
        return frozenset()
    endings, told = await _endings(db, customer.id, now), await _told(db, customer.id)
    ended = {one.subscription_id for one in endings.values() if one.holds(now)}
    charged = {one.id: one for one in before.charges}
    running = {one.id for one in after.subscriptions if not one.is_over}
    for charge in after.charges:
        known, ending = charged.get(charge.id), endings.get(charge.id)
        if known is not None and known.refunded_cents > charge.refunded_cents:
            await notice_letters.withdraw(db, _cause(known), now)
        if ending is not None and told.get(charge.id, 0) > ending.already_cents:
            ending = None
        already = ending.already_cents if ending is not None else None
        returned = newly_returned(known, charge, now, is_first_look=before.is_empty, already_cents=already)
        is_held = ending is not None and ending.holds(now) and ending.subscription_id in running
        if returned == 0 or is_held:
            continue
        found = await _outcome(db, customer, before, after, charge, now, is_ending=ending is not None)
        if found is None:
            continue
        if found.fate == "ended":
            ended.add(charge.subscription_id or "")
        await _write(db, customer, charge, returned, found, now)
    return frozenset(ended)


def _cause(charge: ChargeFacts) -> str:
    return f"{RETURNED}:{charge.id}:{charge.refunded_cents}"


async def _told(db: AsyncSession, customer_id: str) -> dict[str, int]:
    """Charge → the highest sum (minor unit) that a mail has told of."""
    causes = await db.scalars(
        select(BillingNotice.cause).where(
            BillingNotice.customer_id == customer_id,
            BillingNotice.kind == RETURNED,
            BillingNotice.withdrawn_at.is_(None),
        )
    )
    found: dict[str, int] = {}
    for cause in causes:
        _kind, charge_id, cents = cause.split(":")
        found[charge_id] = max(found.get(charge_id, 0), int(cents))
    return found


async def _endings(db: AsyncSession, customer_id: str, now: datetime) -> dict[str, _Ending]:
    """Charge → the refund of the last days that was to end its subscription."""
    rows = await db.scalars(
        select(BillingNotice)
        .where(
            BillingNotice.customer_id == customer_id,
            BillingNotice.kind == ENDING,
            BillingNotice.written_at > now - NEWS,
        )
        .order_by(BillingNotice.written_at)
    )
    found = {}
    for row in rows:
        _kind, charge_id, already = row.cause.split(":")
        until = row.written_at + HOLDS if row.withdrawn_at is None else None
        found[charge_id] = _Ending(int(already), row.subscription_id or "", until)
    return found


async def _outcome(
    db: AsyncSession,
    customer: StripeCustomer,
    before: Facts,
    after: Facts,
    charge: ChargeFacts,
    now: datetime,
    *,
    is_ending: bool,
) -> _Outcome | None:
    """None for what is no plan of ours: another product of the same account is none of our members' business."""
    assert customer.user_id is not None
    plans = await _plans(db)
    held = tuple(one.course_id for one in await active_for(db, customer.user_id, now))
    facts = _subscription(after, charge)
    if facts is not None:
        price_id = next((one for one in facts.price_ids if one in plans), None)
        if price_id is None:
            return None
        plan, scope = plans[price_id]
        was = _subscription(before, charge)
        is_news = is_ending or was is None or not was.is_over
        return fate_of_membership(
            _Outcome(plan, is_covered=covers_all_of(held, scope)), facts, charge, is_news=is_news
        )
    bought = next((one for one in after.purchases if _pays(charge, one)), None)
    if bought is None or bought.price_id not in plans:
        return None
    plan, scope = plans[bought.price_id]
    if bought.gift_id is not None:
        gift = await db.get(Gift, bought.gift_id)
        fate = "gift_void" if charge.is_refunded else "gift_stays"
        return _Outcome(plan, fate=fate, gift_to=gift.to_name if gift is not None else "")
    if charge.is_refunded and not covers_all_of(held, scope):
        return _Outcome(plan, fate="stopped")
    until = await db.scalar(select(func.max(Entitlement.ends_at)).where(Entitlement.source_id == bought.id))
    return _Outcome(plan, is_covered=True, day=None if charge.is_refunded else until)


def fate_of_membership(
    so_far: _Outcome, facts: SubscriptionFacts, charge: ChargeFacts, *, is_news: bool
) -> _Outcome:
    """What a refund does to a membership. `is_news`: if it is over, its member was not told of that. Pure."""
    if facts.is_over:
        return replace(so_far, fate="ended" if is_news else "was_over")
    if not _ends_period(facts, charge) or so_far.is_covered:
        return replace(so_far, fate="stays", day=facts.stops_at if facts.status in RUNNING else None)
    if facts.stops_at is not None:
        return replace(so_far, fate="stopped")
    return replace(
        so_far, fate="rests", day=facts.current_period_end_at if facts.status == "active" else None
    )


def _ends_period(facts: SubscriptionFacts, charge: ChargeFacts) -> bool:
    try:
        return charge.is_refunded and spoiled_by(facts, [charge]) is not None
    except LookupError:
        # A dispute in a state that nobody here knows: things stay as they are, and staff are told.
        return False


def _subscription(facts: Facts, charge: ChargeFacts) -> SubscriptionFacts | None:
    return next((one for one in facts.subscriptions if one.id == charge.subscription_id), None)


def _pays(charge: ChargeFacts, purchase: PurchaseFacts) -> bool:
    intent = charge.payment_intent_id
    return intent is not None and purchase.payment_intent_id == intent and purchase.doubt is None


async def _plans(db: AsyncSession) -> dict[str | None, tuple[str, Scope]]:
    """Price → the name of its plan, and what that covers."""
    names, catalogue = await offers.plan_names(db), await offers.catalogue(db)
    return {price_id: (name, catalogue.get(price_id, ())) for price_id, name in names.items()}


async def _write(
    db: AsyncSession,
    customer: StripeCustomer,
    charge: ChargeFacts,
    returned_cents: int,
    found: _Outcome,
    now: datetime,
) -> None:
    cause = _cause(charge)
    if not await notice_letters.claim(db, customer.id, RETURNED, cause, charge.subscription_id, now):
        return
    user = await db.get_one(User, customer.user_id)
    site = get_settings().base_url
    context = {
        "name": user.name,
        "plan": found.plan,
        "gift_to": found.gift_to,
        "amount": money(returned_cents, charge.currency),
        "paid": money(charge.amount_cents, charge.currency),
        "is_all": returned_cents == charge.amount_cents,
        "is_rest": charge.is_refunded,
        "fate": found.fate,
        "is_covered": found.is_covered,
        "day": iso(found.day),
        "account_url": f"{site}/account",
        "contact_url": f"{site}/contact",
    }
    await notice_letters.enqueue(db, RETURNED, user.email, context, cause)
