"""Plans as staff edit them; what they say is brought to Stripe as durable work."""

import re
import unicodedata
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db as database
from app import jobs
from app.accounts import audit
from app.billing import stripe_api
from app.billing.plan_models import Plan, PlanAmount, PlanCourse, PlanPrice
from app.billing.plan_rules import PlanDraft as PlanDraft
from app.billing.plan_rules import check
from app.catalog.models import Course
from app.errors import BadInput, NotFound
from app.i18n import _


async def create(db: AsyncSession, actor_id: UUID | None, draft: PlanDraft) -> Plan:
    """Add a plan, offered as soon as it is at Stripe (`push`, enqueued here).

    Raises:
        BadInput: with the field, for what cannot be sold.
    """
    check(draft)
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
        trial_needs_card=draft.trial_needs_card,
        after_trial=draft.after_trial,
        covers_everything=not draft.course_ids,
        lasts_months=draft.lasts_months,
        is_giftable=draft.is_giftable,
        pause_months=draft.pause_months,
        stay_offer=draft.stay_offer,
        stay_percent=draft.stay_percent,
        stay_months=draft.stay_months,
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
    """Change name, words, price, trial or the offer to who leaves. Who pays an old price keeps paying it; new members
    pay the new one.

    Interval, currency and what the plan covers stay: members bought them.

    Raises:
        NotFound: for a plan that is not there.
        BadInput: with the field, for what cannot be sold or must not change.
    """
    plan = await find(db, plan_id, lock=True)
    check(draft)
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
    plan.trial_needs_card, plan.after_trial = draft.trial_needs_card, draft.after_trial
    plan.is_giftable, plan.pause_months = draft.is_giftable, draft.pause_months
    plan.stay_offer = draft.stay_offer
    plan.stay_percent, plan.stay_months = draft.stay_percent, draft.stay_months
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


async def _free_slug(db: AsyncSession, text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "plan"
    taken = set(await db.scalars(select(Plan.slug).where(Plan.slug.startswith(base))))
    slug, n = base, 2
    while slug in taken:
        slug, n = f"{base}-{n}", n + 1
    return slug
