"""Reads of what is sold: plans as visitors see them, who pays them, and what each of them covers."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.billing.mirror import TERMINAL
from app.billing.models import StripeSubscription
from app.billing.plan_models import Plan, PlanCourse, PlanPrice
from app.billing.rules import EVERYTHING, Scope


@dataclass(frozen=True)
class PlanOffer:
    """A plan as visitors see it. `amount_cents` is in the currency's minor unit; `interval`: month, year or once.

    `currencies`: all in which it is sold, the teacher's own first.
    """

    slug: str
    name: str
    description: str
    amount_cents: int
    currency: str
    interval: str
    trial_days: int
    scope: Scope = EVERYTHING
    lasts_months: int | None = None
    is_giftable: bool = False
    currencies: tuple[str, ...] = ()
    trial_needs_card: bool = True

    @property
    def covers_everything(self) -> bool:
        return None in self.scope


async def offered_plans(db: AsyncSession, currency: str | None = None) -> list[PlanOffer]:
    """The plans that can be bought now, in the teacher's order; each in `currency` where it is sold in it."""
    rows = await db.execute(
        select(Plan, PlanPrice)
        .join(PlanPrice, (PlanPrice.plan_id == Plan.id) & PlanPrice.is_current)
        .where(Plan.is_offered)
        .order_by(Plan.position, Plan.amount_cents, PlanPrice.currency != Plan.currency, PlanPrice.currency)
    )
    prices: dict[Plan, dict[str, PlanPrice]] = {}
    for plan, price in rows:
        prices.setdefault(plan, {})[price.currency] = price
    scope = await scopes(db)
    chosen = [
        (plan, of.get(currency or plan.currency) or next(iter(of.values())), tuple(of))
        for plan, of in prices.items()
    ]
    return [
        PlanOffer(
            plan.slug,
            plan.name,
            plan.description,
            price.amount_cents,
            price.currency,
            plan.interval,
            plan.trial_days,
            scope[plan.id],
            plan.lasts_months,
            plan.is_giftable,
            currencies,
            plan.trial_needs_card,
        )
        for plan, price, currencies in chosen
    ]


async def all_plans(db: AsyncSession) -> list[tuple[Plan, PlanPrice | None]]:
    """Every plan with its current price in its own currency; without one it is not at Stripe yet."""
    is_its_price = (
        (PlanPrice.plan_id == Plan.id) & PlanPrice.is_current & (PlanPrice.currency == Plan.currency)
    )
    rows = await db.execute(
        select(Plan, PlanPrice)
        .outerjoin(PlanPrice, is_its_price)
        .order_by(Plan.is_offered.desc(), Plan.position, Plan.created_at)
    )
    return [(plan, price) for plan, price in rows]


async def payers(db: AsyncSession) -> dict[UUID, int]:
    """How many subscriptions run for each plan, old prices included; plans without any are left out."""
    price_id = StripeSubscription.raw["items"]["data"][0]["price"]["id"].astext
    rows = await db.execute(
        select(PlanPrice.plan_id, func.count())
        .join(StripeSubscription, price_id == PlanPrice.stripe_price_id)
        .where(StripeSubscription.status.not_in(TERMINAL | {"incomplete"}))
        .group_by(PlanPrice.plan_id)
    )
    return {row[0]: row[1] for row in rows}


async def scopes(db: AsyncSession) -> dict[UUID, Scope]:
    """What each plan covers."""
    rows = await db.execute(
        select(Plan.id, Plan.covers_everything, PlanCourse.course_id)
        .outerjoin(PlanCourse, PlanCourse.plan_id == Plan.id)
        .order_by(PlanCourse.course_id)
    )
    found: dict[UUID, Scope] = {}
    for plan_id, is_all, course_id in rows:
        found[plan_id] = EVERYTHING if is_all else (*found.get(plan_id, ()), *filter(None, [course_id]))
    return found


async def catalogue(db: AsyncSession) -> dict[str, Scope]:
    """Every Stripe Price that ever bought a plan → what the plan covers."""
    scope = await scopes(db)
    rows = await db.execute(select(PlanPrice.stripe_price_id, PlanPrice.plan_id))
    return {row[0]: scope[row[1]] for row in rows}


async def plan_names(db: AsyncSession) -> dict[str, str]:
    """Every Stripe Price that ever bought a plan → the plan's name."""
    rows = await db.execute(
        select(PlanPrice.stripe_price_id, Plan.name).join(Plan, Plan.id == PlanPrice.plan_id)
    )
    return {row[0]: row[1] for row in rows}


async def yearly_prices(db: AsyncSession) -> set[str]:
    """Every Stripe Price that buys a year."""
    rows = await db.scalars(
        select(PlanPrice.stripe_price_id)
        .join(Plan, Plan.id == PlanPrice.plan_id)
        .where(Plan.interval == "year")
    )
    return set(rows)
