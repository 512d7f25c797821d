"""Members who pay an old price are moved to the plan's new one: told in time, and charged what they were told."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts import audit
from app.billing import plans, price_letters, stripe_api, sync
from app.billing.mirror import TERMINAL, SubscriptionFacts, read_subscription
from app.billing.models import StripeCustomer, StripeSubscription
from app.billing.plan_models import PlanPrice, PriceMove, PriceMoveMember
from app.billing.rules import months_after
from app.clock import utcnow
from app.errors import BadInput, Conflict, NotFound
from app.i18n import _
from app.jobs import engine

NOTICE = timedelta(days=30)
FARTHEST = timedelta(days=366)
# Whoever has paid beyond the day gets the new price so long before it, that no renewal comes first.
AHEAD = timedelta(days=3)
AT_ONCE = 200
MAX_WORDS = 600

log = logging.getLogger("limber.billing")

_PRICE_ID = StripeSubscription.raw["items"]["data"][0]["price"]["id"].astext


@dataclass(frozen=True)
class OldPrice:
    """A price that is not sold any more and is still paid. Amounts in the currency's minor unit."""

    price_id: str
    new_price_id: str
    currency: str
    old_cents: int
    new_cents: int
    payers: int


@dataclass(frozen=True)
class MoveView:
    """A move that is planned, and how far it is: members told, moved, left out (they leave, or have another plan by
    now), and failed (Stripe refused)."""

    move_id: UUID
    starts_at: datetime
    told: int
    moved: int
    left_out: int
    failed: int


async def old_prices(session: AsyncSession, plan_id: UUID) -> list[OldPrice]:
    """The old prices of a plan that somebody pays, with the price that took their place; dearest difference last."""
    new = (
        select(PlanPrice.stripe_price_id, PlanPrice.currency, PlanPrice.amount_cents)
        .where(PlanPrice.plan_id == plan_id, PlanPrice.is_current)
        .subquery()
    )
    rows = await session.execute(
        select(
            PlanPrice.stripe_price_id,
            new.c.stripe_price_id,
            PlanPrice.currency,
            PlanPrice.amount_cents,
            new.c.amount_cents,
            func.count(),
        )
        .join(new, new.c.currency == PlanPrice.currency)
        .join(StripeSubscription, PlanPrice.stripe_price_id == _PRICE_ID)
        .where(
            PlanPrice.plan_id == plan_id,
            PlanPrice.is_current.is_(False),
            StripeSubscription.status.not_in(TERMINAL | {"incomplete"}),
        )
        .group_by(PlanPrice.stripe_price_id, new.c.stripe_price_id, new.c.amount_cents)
        .order_by(PlanPrice.currency, new.c.amount_cents - PlanPrice.amount_cents)
    )
    return [OldPrice(*row) for row in rows]


async def planned(session: AsyncSession, plan_id: UUID) -> MoveView | None:
    """The move of this plan that is under way."""
    move = await session.scalar(
        select(PriceMove).where(PriceMove.plan_id == plan_id, PriceMove.state == "planned")
    )
    if move is None:
        return None
    rows = await session.execute(
        select(PriceMoveMember.state, func.count())
        .where(PriceMoveMember.move_id == move.id)
        .group_by(PriceMoveMember.state)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    return MoveView(
        move.id, move.starts_at, *(counts.get(state, 0) for state in ("told", "moved", "left_out", "failed"))
    )


async def begin(
    session: AsyncSession, actor_id: UUID, plan_id: UUID, starts_at: datetime, words: str, now: datetime
) -> int:
    """Plan the move of everybody who pays an old price, and write to them; answers how many are told.

    The new price is what their first payment on or after `starts_at` costs. Whoever has cancelled is left alone.

    Raises:
        NotFound: for a plan that is not there.
        BadInput: with the field, for a day that is too near or too far.
        Conflict: when a move is under way, or nobody pays an old price.
    """
    plan = await plans.find(session, plan_id, lock=True)
    if not now + NOTICE <= starts_at <= now + FARTHEST:
        raise BadInput(
            _("Members hear of it at least 30 days ahead, and at most a year. Choose another day."),
            field="starts_on",
        )
    if len(words) > MAX_WORDS:
        raise BadInput(_("Please keep this below 600 characters."), field="words")
    if await planned(session, plan_id) is not None:
        raise Conflict(_("These members are being moved already. Stop that first."))
    new_of = {one.price_id: one for one in await old_prices(session, plan_id)}
    paying = [
        (facts, user_id, new_of[facts.price_ids[0]])
        for facts, user_id in await _running(session, list(new_of))
        if facts.stops_at is None
    ]
    if not paying:
        raise Conflict(_("Nobody pays an old price."))
    move = PriceMove(plan_id=plan_id, starts_at=starts_at, words=words.strip(), created_at=now)
    session.add(move)
    await session.flush()
    for facts, user_id, price in paying:
        first_at = first_payment(facts, plan.interval, starts_at)
        session.add(
            PriceMoveMember(
                move_id=move.id,
                subscription_id=facts.id,
                from_price_id=price.price_id,
                to_price_id=price.new_price_id,
                first_at=first_at,
            )
        )
        amounts = (price.old_cents, price.new_cents, price.currency)
        await price_letters.tell(session, move, plan, user_id, facts, amounts, first_at)
    audit.record(session, actor_id, "plan.move_price", "plan", plan_id, members=len(paying))
    await session.flush()
    return len(paying)


async def stop(session: AsyncSession, actor_id: UUID, plan_id: UUID) -> None:
    """Call a move off: who was told and not moved yet keeps the old price, and hears so.

    Raises:
        NotFound: when none is under way.
    """
    plan = await plans.find(session, plan_id, lock=True)
    move = await session.scalar(
        select(PriceMove).where(PriceMove.plan_id == plan_id, PriceMove.state == "planned").with_for_update()
    )
    if move is None:
        raise NotFound
    move.state = "stopped"
    rows = await session.execute(
        select(PriceMoveMember, StripeCustomer.user_id, PlanPrice.amount_cents, PlanPrice.currency)
        .join(StripeSubscription, StripeSubscription.id == PriceMoveMember.subscription_id)
        .join(StripeCustomer, StripeCustomer.id == StripeSubscription.customer_id)
        .join(PlanPrice, PlanPrice.stripe_price_id == PriceMoveMember.from_price_id)
        .where(PriceMoveMember.move_id == move.id, PriceMoveMember.state == "told")
    )
    for member, user_id, old_cents, currency in rows.all():
        member.state = "left_out"
        if user_id is not None:
            await price_letters.stays(
                session, move, plan, user_id, member.subscription_id, old_cents, currency
            )
    audit.record(session, actor_id, "plan.stop_move", "plan", plan_id)
    await session.flush()


def first_payment(facts: SubscriptionFacts, interval: str, starts_at: datetime) -> datetime:
    """When a subscription is first charged on or after a day. Pure.

    Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
    """
    begins = facts.current_period_end_at or starts_at
    step, months = (12 if interval == "year" else 1), 0
    while months_after(begins, months) < starts_at:
        months += step
    return months_after(begins, months)


async def carry_out(now: datetime) -> int:
    """Give everybody whose time has come the new price; answers how many. No transaction is open at Stripe's call.

    Raises:
        StripeDown: when Stripe does not answer; whoever is left is moved the next time.
    """
    has_paid_beyond = StripeSubscription.current_period_end_at >= PriceMove.starts_at
    async with db.transaction() as session:
        due = (
            await session.execute(
                select(PriceMoveMember.move_id, PriceMoveMember.subscription_id)
                .join(PriceMove, PriceMove.id == PriceMoveMember.move_id)
                .join(StripeSubscription, StripeSubscription.id == PriceMoveMember.subscription_id)
                .where(
                    PriceMove.state == "planned",
                    PriceMoveMember.state == "told",
                    (PriceMove.starts_at <= now) | ((PriceMove.starts_at <= now + AHEAD) & has_paid_beyond),
                )
                .order_by(PriceMoveMember.first_at)
                .limit(AT_ONCE)
            )
        ).all()
    moved = 0
    for move_id, subscription_id in due:
        moved += await _carry_out_one(move_id, subscription_id)
    async with db.transaction() as session:
        await session.execute(
            update(PriceMove)
            .where(
                PriceMove.state == "planned",
                ~exists().where(PriceMoveMember.move_id == PriceMove.id, PriceMoveMember.state == "told"),
            )
            .values(state="done")
        )
    return moved


async def _carry_out_one(move_id: UUID, subscription_id: str) -> bool:
    async with db.transaction() as session:
        member, row = await _both(session, move_id, subscription_id)
        if member.state != "told":
            return False
        facts = read_subscription(row.raw)
        if facts.is_over or facts.stops_at is not None or facts.price_ids != (member.from_price_id,):
            # Cancelled, or of another plan by now; or moved by a run that died before it could say so.
            member.state = "moved" if facts.price_ids == (member.to_price_id,) else "left_out"
            return False
        item_id, to_price_id = str(row.raw["items"]["data"][0]["id"]), member.to_price_id
        customer_id = row.customer_id
    try:
        await stripe_api.move_item(subscription_id, item_id, to_price_id)
    except stripe_api.StripeRefused as refusal:
        async with db.transaction() as session:
            member, _row = await _both(session, move_id, subscription_id)
            member.state, member.error = "failed", refusal.sentence
        log.error("the price of %s could not be moved: %s", subscription_id, refusal.sentence)
        return False
    async with db.transaction() as session:
        member, _row = await _both(session, move_id, subscription_id)
        member.state, member.moved_at = "moved", utcnow()
    await sync.sync_now(customer_id)
    return True


async def _both(
    session: AsyncSession, move_id: UUID, subscription_id: str
) -> tuple[PriceMoveMember, StripeSubscription]:
    member = await session.get_one(PriceMoveMember, (move_id, subscription_id), with_for_update=True)
    return member, await session.get_one(StripeSubscription, subscription_id)


async def _running(session: AsyncSession, price_ids: list[str]) -> list[tuple[SubscriptionFacts, UUID]]:
    """Every subscription that pays one of these prices and nothing else, with its member."""
    rows = await session.execute(
        select(StripeSubscription, StripeCustomer.user_id)
        .join(StripeCustomer, StripeCustomer.id == StripeSubscription.customer_id)
        .where(
            _PRICE_ID.in_(price_ids),
            StripeSubscription.status.not_in(TERMINAL | {"incomplete"}),
            StripeCustomer.user_id.is_not(None),
        )
    )
    found: list[tuple[SubscriptionFacts, UUID]] = []
    for row, user_id in rows:
        facts = read_subscription(row.raw, row.past_due_since_at)
        if len(facts.price_ids) == 1 and user_id is not None:
            found.append((facts, user_id))
    return found


@engine.step(tries=3)
async def _carry_out_step() -> int:
    return await carry_out(utcnow())


@engine.scheduled("billing_price_moves", "*/10 * * * *")
async def billing_price_moves(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every ten minutes: whose day has come pays the new price from then on."""
    await _carry_out_step()
