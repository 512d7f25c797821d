"""Is a membership unpaid? What every page of its member says, and what is owed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.billing import queries
from app.billing.models import StripeCustomer, StripeSubscription
from app.db import Querying
from app.question import Answers, Fact, ask, given, moment


@dataclass(frozen=True)
class Trouble:
    """A payment that did not go through. `ends_at`: until when one may watch all the same; None: no more."""

    ends_at: datetime | None


_OWED = select(
    func.json_agg(func.json_build_array(StripeSubscription.status, StripeSubscription.past_due_since_at))
).join(StripeCustomer, StripeCustomer.id == StripeSubscription.customer_id)
# By an index.
TROUBLE = Fact(
    "trouble",
    _OWED.where(
        StripeCustomer.user_id == given("user_id"),
        StripeCustomer.deleted_at.is_(None),
        StripeSubscription.status.in_(("past_due", "unpaid")),
    ).scalar_subquery(),
)


async def trouble_of(session: Querying, user_id: UUID, now: datetime) -> Trouble | None:
    """Whether the member owes a payment; None for most."""
    return told_trouble(await ask(session, TROUBLE, user_id=user_id), now)


def told_trouble(found: Answers, now: datetime) -> Trouble | None:
    """The same, of an answer to `TROUBLE`."""
    rows = found[TROUBLE.name]
    if not rows:
        return None
    grace = queries.policy().past_due_grace
    ends = [since + grace for status, told in rows if status == "past_due" and (since := moment(told))]
    last = max(ends, default=None)
    return Trouble(last if last is not None and last > now else None)
