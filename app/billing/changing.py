"""Another plan for a membership that runs: what it costs is said first, and if the card refuses nothing changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.billing import offers, stripe_api, sync
from app.billing.offers import PlanOffer
from app.billing.plan_models import Plan, PlanPrice
from app.billing.running import Running
from app.billing.running import find as running_of
from app.errors import Conflict, NotFound
from app.i18n import _

# What was counted an hour ago is not what Stripe would count now.
GOOD_FOR = timedelta(hours=1)


class Refused(Conflict):
    """The bank did not pay the difference, so the old plan goes on."""

    code = "change-refused"

    def default_sentence(self) -> str:
        return _(
            "Your bank did not pay the difference, so nothing has changed. Please check your card, and try again."
        )


@dataclass(frozen=True)
class Choice:
    """What a member pays now, and what they may change to. `current` None: no membership that can be changed.

    `before`: what has to be done first, in words, where something has.
    """

    current: Plan | None
    ends_at: datetime | None
    offers: list[PlanOffer]
    before: str = ""


@dataclass(frozen=True)
class ChangePreview:
    """What a change costs. Amounts in the currency's minor unit, 0 or more.

    `due_cents`: charged at once; `credit_cents`: kept for the next payments; `at`: the moment for which they count.
    """

    offer: PlanOffer
    due_cents: int
    credit_cents: int
    next_at: datetime | None
    at: datetime


async def choices(session: AsyncSession, user_id: UUID) -> Choice:
    """The plans sold in the same currency that are paid again and again, but for the one that runs."""
    running = await running_of(session, user_id)
    if running is None:
        return Choice(None, None, [])
    others = [
        one
        for one in await offers.offered_plans(session, running.facts.currency)
        if one.interval != "once" and one.currency == running.facts.currency and one.slug != running.plan.slug
    ]
    return Choice(running.plan, running.facts.stops_at, others, _before(running))


def _before(running: Running) -> str:
    if running.facts.pause_behavior is not None:
        return _("Your membership rests. Let it go on first, then change the plan.")
    if running.facts.status not in ("active", "trialing"):
        return _("The last payment did not go through. Please check your card first.")
    return ""


async def is_recent(at: datetime) -> bool:
    """Whether what was counted for this moment is what Stripe would count now.

    Raises:
        StripeDown: see `stripe_api.moment`.
    """
    now = await stripe_api.moment()
    return now - GOOD_FOR < at <= now


async def preview(user_id: UUID, plan_slug: str) -> ChangePreview:
    """What changing at this moment costs, asked of Stripe.

    Raises:
        NotFound: without a membership, or for a plan that cannot be changed to.
        Conflict: when the membership ends, or is not paid.
        StripeDown: when Stripe does not answer.
    """
    running, offer, price_id = await _target(user_id, plan_slug)
    # Stripe's own moment: one outside the period that runs is refused, and the demo's clock is not ours.
    now = await stripe_api.moment()
    told = await stripe_api.preview_change(
        running.customer_id, running.facts.id, running.item_id, price_id, int(now.timestamp())
    )
    return ChangePreview(
        offer=offer,
        due_cents=max(0, told.total_cents),
        credit_cents=max(0, -told.total_cents),
        next_at=told.period_end_at,
        at=now,
    )


async def change(user_id: UUID, plan_slug: str, at: datetime) -> bool:
    """Change the plan, counted for the moment of the preview, and pay the difference now.

    False: it is changed, and Stripe is slow to tell the rest; its events bring that here, and nobody waits for them.

    Raises:
        NotFound, Conflict, StripeDown: as `preview`.
        Refused: when the card did not pay; the old plan goes on.
    """
    running, _offer, price_id = await _target(user_id, plan_slug)
    done = await stripe_api.change_item(running.facts.id, running.item_id, price_id, int(at.timestamp()))
    is_shown = await sync.sync_now(running.customer_id)
    if not done:
        raise Refused
    return is_shown


async def stay(user_id: UUID) -> None:
    """Take a cancellation back that has not come to its day.

    Raises:
        NotFound: without a membership that ends.
        StripeDown: when Stripe does not answer.
    """
    async with db.transaction() as session:
        running = await running_of(session, user_id)
    if running is None or running.facts.stops_at is None:
        raise NotFound
    await stripe_api.keep_subscription(running.facts.id)
    await sync.sync_now(running.customer_id)


async def _target(user_id: UUID, plan_slug: str) -> tuple[Running, PlanOffer, str]:
    async with db.transaction() as session:
        running = await running_of(session, user_id)
        choice = await choices(session, user_id)
        offer = next((one for one in choice.offers if one.slug == plan_slug), None)
        price_id = await session.scalar(
            select(PlanPrice.stripe_price_id)
            .join(Plan, Plan.id == PlanPrice.plan_id)
            .where(
                Plan.slug == plan_slug,
                PlanPrice.is_current,
                PlanPrice.currency == (offer.currency if offer else ""),
            )
        )
    if running is None or offer is None or price_id is None:
        raise NotFound(_("This plan is not offered any more. Please choose another one."))
    if running.facts.stops_at is not None:
        raise Conflict(_("You have cancelled this membership. Stay first, then change the plan."))
    if choice.before:
        raise Conflict(choice.before)
    return running, offer, price_id
