"""A member stops: at the end of what is paid, or now; and may say why, in one question."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.billing import running, stay_offers, stripe_api, sync
from app.billing.notice_models import LeavingAnswer
from app.billing.running import Running
from app.billing.stay_offers import Offer
from app.errors import BadInput, NotFound
from app.i18n import N_, _

MAX_WORDS = 1000
REASONS = {
    "healed": N_("I have reached what I came for"),
    "time": N_("I do not find the time"),
    "expensive": N_("It costs too much for me"),
    "missing": N_("I miss something"),
    "trouble": N_("Something does not work well"),
    "other": N_("Something else"),
}


@dataclass(frozen=True)
class Leaving:
    """What cancelling would do. `ends_at`: the last moment of access if it ends with what is paid.

    `only_now`: nothing is paid that could run out. `offer`: what is offered instead, once.
    """

    plan_name: str
    ends_at: datetime | None
    only_now: bool
    is_cancelled: bool
    offer: Offer | None


async def leaving(session: AsyncSession, user_id: UUID, now: datetime) -> Leaving:
    """What the member would cancel.

    Raises:
        NotFound: without a membership.
    """
    found = await running.find(session, user_id)
    if found is None:
        raise NotFound
    return Leaving(
        plan_name=found.plan.name,
        ends_at=running.paid_through(found.facts),
        only_now=_only_now(found, now),
        is_cancelled=found.facts.stops_at is not None,
        offer=await stay_offers.open_offer(session, found),
    )


def _only_now(found: Running, now: datetime) -> bool:
    through = running.paid_through(found.facts)
    return through is None or through <= now


async def cancel(user_id: UUID, *, at_once: bool, reason: str, words: str, now: datetime) -> None:
    """Stop the membership, and keep the answer, if there is one; the answer never stands in the way.

    Raises:
        NotFound: without a membership.
        BadInput: for a reason that the list does not have; field `reason`.
        StripeDown: when Stripe does not answer; nothing has changed then.
    """
    if reason and reason not in REASONS:
        raise BadInput(_("Please choose one of these, or none."), field="reason")
    async with db.transaction() as session:
        found = await running.find(session, user_id)
        offer = await stay_offers.open_offer(session, found) if found is not None else None
    if found is None:
        raise NotFound
    if at_once or _only_now(found, now):
        await stripe_api.cancel_subscription(found.facts.id)
    elif found.facts.stops_at is None:
        await stripe_api.cancel_at_period_end(found.facts.id)
    said = words.strip()[:MAX_WORDS]
    async with db.transaction() as session:
        if offer is not None:
            await stay_offers.note(session, found.facts.id, offer, now, taken=False)
        if reason or said:
            session.add(
                LeavingAnswer(
                    user_id=user_id, plan_id=found.plan.id, reason=reason, words=said, answered_at=now
                )
            )
    await sync.sync_now(found.customer_id)
