"""A mail about money, written once for its cause: the key stands in the database, in the transaction of the mail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts import links
from app.billing.models import Gift
from app.billing.notice_models import BillingNotice
from app.clock import utcnow

# Mails about a gift, whose causes begin with its id.
GIFT_KINDS = frozenset({"gift", "gift_bought", "gift_claimed"})


async def claim(
    db: AsyncSession, customer_id: str, kind: str, cause: str, subscription_id: str | None, now: datetime
) -> bool:
    """Take the key of a cause; False when its mail was written before."""
    row = insert(BillingNotice).values(
        cause=cause, customer_id=customer_id, kind=kind, subscription_id=subscription_id, written_at=now
    )
    taken = await db.scalar(row.on_conflict_do_nothing().returning(BillingNotice.cause))
    return taken is not None


async def enqueue(db: AsyncSession, template: str, to: str, context: dict[str, Any], cause: str) -> None:
    """Enqueue the mail of a cause whose key was taken in this transaction."""
    await jobs.enqueue(
        db,
        "send_mail",
        {"template": template, "to": to, "context": context, "cause": cause},
        workflow_id=f"mail:{cause}",
    )


async def withdraw(db: AsyncSession, cause: str, now: datetime) -> None:
    """What the mail of a cause tells is not true any more: if it still waits, it is not sent."""
    await db.execute(
        update(BillingNotice)
        .where(BillingNotice.cause == cause, BillingNotice.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


async def is_withdrawn(db: AsyncSession, cause: str) -> bool:
    """Whether what the mail tells is not true any more: it was withdrawn, or the gift that it is about."""
    kind, _colon, rest = cause.partition(":")
    if kind in GIFT_KINDS:
        gift = await db.get(Gift, UUID(rest.partition(":")[0]))
        return gift is None or gift.state == "void"
    found = await db.scalar(select(BillingNotice.withdrawn_at).where(BillingNotice.cause == cause))
    return found is not None


def card_url(user_id: UUID, customer_id: str, cause: str) -> str:
    """A link that leads to Stripe's form for a new card, and to nothing else, without signing in."""
    claims = links.Claims(str(user_id), customer_id, {"cause": cause})
    # The link counts from the real moment, whatever a stand-in's clock says.
    return links.url(links.Purpose.CARD, claims, utcnow())
