"""Plans as staff edit them; what they say is brought to Stripe as durable work."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db as database
from app import jobs
from app.accounts import audit
from app.billing import stripe_api
from app.billing.amounts import CURRENCIES
from app.billing.plan_models import Plan, PlanAmount, PlanCourse, PlanPrice
from app.catalog.models import Course
from app.errors import BadInput, NotFound
from app.i18n import _

MAX_TRIAL_DAYS = 90
MAX_NAME = 120
MAX_MONTHS = 120
MAX_DESCRIPTION = 500
MAX_PAUSE_MONTHS = 6
# Stripe takes up to eight digits of the minor unit.
MAX_AMOUNT_CENTS = 99_999_999


@dataclass(frozen=True)
class PlanDraft:
    """What the form says. `amount_cents` is in the currency's minor unit; no `course_ids`: every course.

    `also`: what it costs in other currencies, each in its own minor unit.
    """

    name: str
    amount_cents: int
    interval: str = "month"
    currency: str = "usd"
    description: str = ""
    trial_days: int = 0
    course_ids: tuple[UUID, ...] = ()
    lasts_months: int | None = None
    is_giftable: bool = False
    pause_months: int = 0
    slug: str = ""
    also: Mapping[str, int] = field(default_factory=dict)


async def create(db: AsyncSession, actor_id: UUID | None, draft: PlanDraft) -> Plan:
    """Add a plan, offered as soon as it is at Stripe (`push`, enqueued here).

    Raises:
        BadInput: with the field, for what cannot be sold.
    """
    _check(draft)
    known = set(await db.scalars(select(Course.id).where(Course.id.in_(draft.course_ids))))
    if known != set(draft.course_ids):
        raise BadInput(_("This course is not there any more."), field="course_id")
    slug = await _free_slug(db, draft.slug or draft.name)
    last = await db.scalar(select(Plan.position).order_by(Plan.position.desc()).limit(1))
    plan = Plan(
        id=uuid4(),
        slug=slug,
        name=draft.name.strip(),
        description=draft.description.strip(),
        interval=draft.interval,
        amount_cents=draft.amount_cents,
        currency=draft.currency,
        trial_days=draft.trial_days,
        covers_everything=not draft.course_ids,
        lasts_months=draft.lasts_months,
        is_giftable=draft.is_giftable,
        pause_months=draft.pause_months,
        position=(last or 0) + 1,
    )
    db.add(plan)
    await db.flush()
    db.add_all(PlanCourse(plan_id=plan.id, course_id=course_id) for course_id in known)
    await _write_amounts(db, plan.id, draft)
    audit.record(db, actor_id, "plan.create", "plan", plan.id, slug=slug, amount_cents=draft.amount_cents)
    await _ask_push(db, plan.id)
    return plan


async def edit(db: AsyncSession, actor_id: UUID, plan_id: UUID, draft: PlanDraft) -> Plan:
    """Change name, words, price or trial. Who pays an old price keeps paying it; new members pay the new one.

    Interval, currency and what the plan covers stay: members bought them.

    Raises:
        NotFound: for a plan that is not there.
        BadInput: with the field, for what cannot be sold or must not change.
    """
    plan = await find(db, plan_id, lock=True)
    _check(draft)
    covered = set(await db.scalars(select(PlanCourse.course_id).where(PlanCourse.plan_id == plan.id)))
    told = (draft.interval, draft.currency, draft.lasts_months, set(draft.course_ids))
    if told != (plan.interval, plan.currency, plan.lasts_months, covered):
        raise BadInput(
            _(
                "How often it is paid, its currency and what it covers stay as they are. Add a new plan instead."
            ),
            field="interval",
        )
    before = plan.amount_cents
    plan.name, plan.description = draft.name.strip(), draft.description.strip()
    plan.amount_cents, plan.trial_days = draft.amount_cents, draft.trial_days
    plan.is_giftable, plan.pause_months = draft.is_giftable, draft.pause_months
    await _write_amounts(db, plan.id, draft)
    audit.record(
        db, actor_id, "plan.edit", "plan", plan.id, amount_cents=plan.amount_cents, before_cents=before
    )
    await db.flush()
    await _ask_push(db, plan.id)
    return plan


async def offer(db: AsyncSession, actor_id: UUID, plan_id: UUID, is_offered: bool) -> None:
    """Withdraw a plan from sale, or offer it again. Its members keep it either way.

    Raises:
        NotFound: for a plan that is not there.
    """
    plan = await find(db, plan_id, lock=True)
    if plan.is_offered == is_offered:
        return
    plan.is_offered = is_offered
    audit.record(db, actor_id, "plan.offer" if is_offered else "plan.withdraw", "plan", plan.id)
    if is_offered:
        await _ask_push(db, plan.id)
    await db.flush()


async def find(db: AsyncSession, plan_id: UUID, *, lock: bool = False) -> Plan:
    """The plan.

    Raises:
        NotFound: when there is none.
    """
    plan = await db.get(Plan, plan_id, with_for_update=lock, populate_existing=lock)
    if plan is None:
        raise NotFound
    return plan


async def push(plan_id: UUID) -> None:
    """Bring the plan to Stripe: its product, and a Price for what it costs now in each currency. Twice is as once.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    async with database.transaction() as session:
        plan = await find(session, plan_id)
        amounts = await amounts_of(session, plan)
        made = {
            currency: await _price_for(session, plan, currency, cents) for currency, cents in amounts.items()
        }
    product_id = await stripe_api.put_product(plan.id, plan.name, plan.description, plan.stripe_product_id)
    prices = {
        currency: made[currency]
        or await stripe_api.create_price(plan.id, product_id, cents, currency, plan.interval)
        for currency, cents in amounts.items()
    }
    async with database.transaction() as session:
        fresh = await find(session, plan_id, lock=True)
        fresh.stripe_product_id = product_id
        for currency, price_id in prices.items():
            if await session.get(PlanPrice, price_id) is None:
                session.add(
                    PlanPrice(
                        stripe_price_id=price_id,
                        plan_id=plan_id,
                        amount_cents=amounts[currency],
                        currency=currency,
                        is_current=False,
                    )
                )
        await session.flush()
        # Edited meanwhile: that edit's own push makes its prices the current ones.
        if await amounts_of(session, fresh) == amounts:
            await session.execute(
                update(PlanPrice)
                .where(PlanPrice.plan_id == plan_id)
                .values(is_current=PlanPrice.stripe_price_id.in_(prices.values()))
            )


async def amounts_of(db: AsyncSession, plan: Plan) -> dict[str, int]:
    """What a plan costs: currency → its minor unit, the plan's own currency first."""
    also = await db.execute(
        select(PlanAmount.currency, PlanAmount.amount_cents)
        .where(PlanAmount.plan_id == plan.id)
        .order_by(PlanAmount.currency)
    )
    return {plan.currency: plan.amount_cents, **{one.currency: one.amount_cents for one in also}}


async def _write_amounts(db: AsyncSession, plan_id: UUID, draft: PlanDraft) -> None:
    await db.execute(delete(PlanAmount).where(PlanAmount.plan_id == plan_id))
    db.add_all(
        PlanAmount(plan_id=plan_id, currency=currency, amount_cents=cents)
        for currency, cents in draft.also.items()
    )
    await db.flush()


async def _price_for(db: AsyncSession, plan: Plan, currency: str, amount_cents: int) -> str | None:
    """A Price that was made for this amount before."""
    found: str | None = await db.scalar(
        select(PlanPrice.stripe_price_id)
        .where(
            PlanPrice.plan_id == plan.id,
            PlanPrice.amount_cents == amount_cents,
            PlanPrice.currency == currency,
        )
        .order_by(PlanPrice.created_at.desc())
        .limit(1)
    )
    return found


async def _ask_push(db: AsyncSession, plan_id: UUID) -> None:
    # The partition key keeps two pushes of one plan in order.
    await jobs.enqueue(db, "plan_push", {"plan_id": str(plan_id)}, queue=jobs.BILLING, key=f"plan:{plan_id}")


def _check(draft: PlanDraft) -> None:
    if not 0 < len(draft.name.strip()) <= MAX_NAME:
        raise BadInput(_("Give the plan a short name that members recognise on their bill."), field="name")
    if len(draft.description) > MAX_DESCRIPTION:
        raise BadInput(_("Please keep the description below 500 characters."), field="description")
    if not 0 < draft.amount_cents <= MAX_AMOUNT_CENTS:
        raise BadInput(_("Say what the plan costs, for example 18 or 18.50."), field="amount")
    if draft.interval not in ("month", "year", "once"):
        raise BadInput(_("Choose how often it is paid."), field="interval")
    if draft.currency not in CURRENCIES:
        raise BadInput(_("Choose one of these currencies."), field="currency")
    for currency, cents in draft.also.items():
        if currency not in CURRENCIES or currency == draft.currency or not 0 < cents <= MAX_AMOUNT_CENTS:
            raise BadInput(
                _("Say what the plan costs in %(currency)s, or leave it empty.")
                % {"currency": currency.upper()},
                field=f"amount_{currency}",
            )
    if not 0 <= draft.trial_days <= MAX_TRIAL_DAYS:
        raise BadInput(_("A trial lasts 0 to 90 days."), field="trial_days")
    if draft.lasts_months is not None and not 0 < draft.lasts_months <= MAX_MONTHS:
        raise BadInput(
            _("Say for how many months, 1 to 120, or leave it empty for good."), field="lasts_months"
        )
    if draft.interval != "once" and draft.lasts_months is not None:
        raise BadInput(_("Only what is paid once lasts some months. Leave this empty."), field="lasts_months")
    if draft.interval != "once" and draft.is_giftable:
        raise BadInput(_("Only what is paid once can be given as a gift."), field="is_giftable")
    if not 0 <= draft.pause_months <= MAX_PAUSE_MONTHS:
        raise BadInput(_("A pause lasts 1 to 6 months, or 0 for none."), field="pause_months")
    if draft.interval != "month" and draft.pause_months:
        raise BadInput(
            _("Only what is paid by the month can be paused. Set the months to 0."), field="pause_months"
        )
    if draft.interval == "once" and draft.trial_days:
        raise BadInput(_("What is paid once has no trial. Set the free days to 0."), field="trial_days")


async def _free_slug(db: AsyncSession, text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "plan"
    taken = set(await db.scalars(select(Plan.slug).where(Plan.slug.startswith(base))))
    slug, n = base, 2
    while slug in taken:
        slug, n = f"{base}-{n}", n + 1
    return slug
