"""Reads of what is sold: plans as visitors see them, who pays them, and what each of them covers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.billing.mirror import TERMINAL
from app.billing.models import StripeSubscription
from app.billing.plan_models import Plan, PlanCourse, PlanPrice
from app.billing.rules import EVERYTHING, Scope
from app.question import Answers, Fact, ask


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


def _offered() -> ScalarSelect[Any]:
    """Each offered plan with its current prices, its own currency's first, and with its courses."""
    price = func.json_build_array(PlanPrice.currency, PlanPrice.amount_cents)
    prices = (
        select(
            func.json_agg(aggregate_order_by(price, PlanPrice.currency != Plan.currency, PlanPrice.currency))
        )
        .where(PlanPrice.plan_id == Plan.id, PlanPrice.is_current)
        .correlate(Plan)
        .scalar_subquery()
    )
    courses = (
        select(func.json_agg(aggregate_order_by(PlanCourse.course_id, PlanCourse.course_id)))
        .where(PlanCourse.plan_id == Plan.id)
        .correlate(Plan)
        .scalar_subquery()
    )
    plan = func.json_build_array(
        Plan.slug,
        Plan.name,
        Plan.description,
        Plan.currency,
        Plan.interval,
        Plan.trial_days,
        Plan.covers_everything,
        Plan.lasts_months,
        Plan.is_giftable,
        Plan.trial_needs_card,
        prices,
        courses,
    )
    in_order = aggregate_order_by(plan, Plan.position, Plan.amount_cents, Plan.id)
    return select(func.json_agg(in_order)).where(Plan.is_offered).scalar_subquery()


OFFERS = Fact("offers", _offered())


async def offered_plans(db: AsyncSession, currency: str | None = None) -> list[PlanOffer]:
    """The plans that can be bought now, in the teacher's order; each in `currency` where it is sold in it."""
    return offers_of(await ask(db, OFFERS), currency)


def offers_of(found: Answers, currency: str | None = None) -> list[PlanOffer]:
    """The same, of an answer to `OFFERS`."""
    # One without a price is not at Stripe yet.
    return [_offer(currency or plan[3], *plan) for plan in found[OFFERS.name] or () if plan[-2]]


def _offer(
    currency: str,
    slug: str,
    name: str,
    description: str,
    _own: str,
    interval: str,
    trial_days: int,
    covers_everything: bool,
    lasts_months: int | None,
    is_giftable: bool,
    trial_needs_card: bool,
    prices: list[tuple[str, int]],
    courses: list[str] | None,
) -> PlanOffer:
    chosen, amount = next((one for one in prices if one[0] == currency), prices[0])
    return PlanOffer(
        slug,
        name,
        description,
        amount,
        chosen,
        interval,
        trial_days,
        EVERYTHING if covers_everything else tuple(UUID(one) for one in courses or ()),
        lasts_months,
        is_giftable,
        tuple(one[0] for one in prices),
        trial_needs_card,
    )


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
