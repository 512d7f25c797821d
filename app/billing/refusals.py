"""Why something is not sold: who has it already, whose payment is on its way, who pays in another currency."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import queries as access
from app.billing import offers, queries
from app.billing.mirror import SubscriptionFacts
from app.billing.plan_models import Plan
from app.billing.rules import covers_all_of
from app.errors import Conflict
from app.i18n import _


class AlreadyMember(Conflict):
    """The member pays for this already."""

    code = "already-member"

    def __init__(self, facts: SubscriptionFacts) -> None:
        if facts.status in ("past_due", "unpaid"):
            sentence = _(
                "You already have this membership; its last payment failed. Update your card on your account page."
            )
        elif facts.status == "paused":
            sentence = _(
                "You already have this membership; it waits for a card. Give one on your account page."
            )
        else:
            sentence = _("You already have this membership. You can change or stop it on your account page.")
        super().__init__(sentence)


class AlreadyYours(Conflict):
    """The member bought this for good already."""

    code = "already-yours"

    def default_sentence(self) -> str:
        return _("This is yours already, without an end. There is nothing to pay.")


class OnItsWay(Conflict):
    """The member's bank has not said yes or no yet."""

    code = "payment-pending"

    def default_sentence(self) -> str:
        return _(
            "Your payment is on its way: some banks take a few days. We write to you when it has arrived."
        )


class OtherCurrency(Conflict):
    """What the member pays is in another currency, and Stripe takes no second one beside it."""

    code = "other-currency"

    def __init__(self, currency: str) -> None:
        super().__init__(
            _("You pay in %(currency)s already, and this plan is not sold in it. Please write to us.")
            % {"currency": currency.upper()}
        )


async def refuse_twice(session: AsyncSession, user_id: UUID, plan: Plan, now: datetime) -> None:
    """A member may buy for good what a membership shows for a while, but nothing twice.

    Raises:
        AlreadyMember, AlreadyYours, OnItsWay: why not.
    """
    scope = (await offers.scopes(session))[plan.id]
    mine = await access.active_for(session, user_id, now)
    endless = tuple(one.course_id for one in mine if one.ends_at is None)
    if endless and covers_all_of(endless, scope):
        raise AlreadyYours
    if plan.interval == "once":
        if await queries.has_pending(session, user_id, plan.id):
            raise OnItsWay
        return
    paid = await queries.covered_by(session, user_id, scope)
    if paid is not None:
        raise AlreadyMember(paid)
