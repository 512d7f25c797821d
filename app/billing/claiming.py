"""A gift becomes its receiver's: what the mailed link shows, and the press that takes it, once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import entitlements
from app.access.due import Due
from app.access.entitlements import lock_user
from app.access.models import Entitlement
from app.accounts import links
from app.billing import gift_letters, offers
from app.billing.models import Gift
from app.billing.plan_models import Plan
from app.billing.rules import EVERYTHING, Scope, months_after
from app.errors import Conflict, NotFound
from app.i18n import _


@dataclass(frozen=True)
class GiftView:
    """A gift as its receiver sees it, before and after it was claimed."""

    gift_id: UUID
    plan_name: str
    lasts_months: int | None
    from_name: str
    to_name: str
    message: str
    is_claimed: bool
    is_mine: bool


async def look(db: AsyncSession, token: str, viewer_id: UUID | None, now: datetime) -> GiftView:
    """What a mailed link gives.

    Raises:
        LinkExpired: when the link is forged or cut off.
        NotFound: when the gift was taken back.
    """
    gift = await _linked(db, token, now)
    plan = await db.get_one(Plan, gift.plan_id)
    return GiftView(
        gift.id,
        plan.name,
        plan.lasts_months,
        gift.from_name,
        gift.to_name,
        gift.message,
        gift.claimed_at is not None,
        viewer_id is not None and gift.claimed_by == viewer_id,
    )


async def claim(db: AsyncSession, token: str, user_id: UUID, now: datetime) -> Gift:
    """Make a gift the member's; claimed twice by the same member it stays as it is.

    Raises:
        LinkExpired: when the link is forged or cut off.
        NotFound: when the gift was taken back.
        Conflict: when somebody else has claimed it.
    """
    await lock_user(db, user_id)
    gift = await _linked(db, token, now, lock=True)
    if gift.claimed_at is not None:
        if gift.claimed_by == user_id:
            return gift
        raise Conflict(_("This gift was claimed already, with another account."))
    plan = await db.get_one(Plan, gift.plan_id)
    gift.claimed_by, gift.claimed_at = user_id, now
    gift.ends_at = await _end(db, user_id, plan, now)
    await settle_claimed(db, gift, f"gift {gift.id}, claimed", now)
    await gift_letters.claimed(db, gift, plan)
    return gift


async def _linked(db: AsyncSession, token: str, now: datetime, *, lock: bool = False) -> Gift:
    claims = links.read(token, links.Purpose.GIFT, now)
    gift = await db.get(Gift, UUID(claims.subject), with_for_update=lock, populate_existing=lock)
    if gift is None or gift.state != "paid":
        raise NotFound(_("This gift was taken back. Please ask whoever gave it to you."))
    return gift


async def _end(db: AsyncSession, user_id: UUID, plan: Plan, now: datetime) -> datetime | None:
    """When a gift ends that is claimed now: it is added to what earlier gifts of the same scope still give."""
    if plan.lasts_months is None:
        return None
    scope = await _scope(db, plan)
    rows = await db.scalars(
        select(Entitlement).where(
            Entitlement.user_id == user_id,
            Entitlement.source_kind == "gift",
            Entitlement.revoked_at.is_(None),
            Entitlement.ends_at > now,
        )
    )
    ends = [row.ends_at for row in rows if row.course_id in scope and row.ends_at is not None]
    return months_after(max([now, *ends]), plan.lasts_months)


async def settle_claimed(db: AsyncSession, gift: Gift, cause: str, now: datetime) -> None:
    """Bring what its receiver may watch in line with a gift that was claimed; other gifts stay as they are."""
    assert gift.claimed_by is not None
    assert gift.claimed_at is not None
    source = f"gift:{gift.id}"
    plan = await db.get_one(Plan, gift.plan_id)
    due = []
    if gift.state == "paid":
        due = [Due(source, one, gift.claimed_at, gift.ends_at) for one in await _scope(db, plan)]
    others = await db.scalars(
        select(Entitlement.source_id).where(
            Entitlement.user_id == gift.claimed_by,
            Entitlement.source_kind == "gift",
            Entitlement.source_id != source,
        )
    )
    await entitlements.settle(db, gift.claimed_by, "gift", due, cause, now, keep=frozenset(others))


async def _scope(db: AsyncSession, plan: Plan) -> Scope:
    return EVERYTHING if plan.covers_everything else (await offers.scopes(db))[plan.id]
