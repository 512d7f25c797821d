"""Is a membership unpaid? What every page of its member says, and what is owed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.billing import queries
from app.billing.models import StripeCustomer, StripeSubscription


@dataclass(frozen=True)
class Trouble:
    """A payment that did not go through. `ends_at`: until when one may watch all the same; None: no more."""

    ends_at: datetime | None


async def trouble_of(session: AsyncSession, user_id: UUID, now: datetime) -> Trouble | None:
    """Whether the member owes a payment; None for most. One query by an index."""
    rows = (
        await session.execute(
            select(StripeSubscription.status, StripeSubscription.past_due_since_at)
            .join(StripeCustomer, StripeCustomer.id == StripeSubscription.customer_id)
            .where(
                StripeCustomer.user_id == user_id,
                StripeCustomer.deleted_at.is_(None),
                StripeSubscription.status.in_(("past_due", "unpaid")),
            )
        )
    ).all()
    if not rows:
        return None
    grace = queries.policy().past_due_grace
    ends = [since + grace for status, since in rows if status == "past_due" and since is not None]
    last = max(ends, default=None)
    return Trouble(last if last is not None and last > now else None)
