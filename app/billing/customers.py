"""The member's customer at Stripe: one for each, created before the first checkout."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app import db
from app.access.entitlements import lock_user
from app.accounts.models import User
from app.billing import stripe_api
from app.billing.inbox import want
from app.billing.models import StripeCustomer, StripeSync
from app.clock import utcnow
from app.errors import NotFound
from app.settings import get_settings


async def ensure_customer(user_id: UUID) -> str:
    """The id of the member's customer, created at Stripe if there is none; no transaction is open meanwhile.

    Two requests at once get the same one: Stripe answers one idempotency key with one customer, and our row is
    unique for the member.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    async with db.transaction() as session:
        known = await session.scalar(select(StripeCustomer).where(StripeCustomer.user_id == user_id))
        user = await session.get(User, user_id)
    if known is not None:
        if known.deleted_at is None:
            return known.id
        # Stripe would answer the first one's idempotency key with the one that is gone.
        return await replace_customer(user_id, known.id)
    if user is None:
        raise NotFound
    made = await stripe_api.create_customer(user_id, user.email, user.name)
    return await _link(user_id, made)


async def replace_customer(user_id: UUID, lost: str) -> str:
    """A new customer for a member whose old one Stripe does not know any more (deleted there, another account).

    Raises:
        StripeDown: when Stripe does not answer.
    """
    async with db.transaction() as session:
        await lock_user(session, user_id)
        row = await session.get(StripeCustomer, lost)
        if row is not None and row.user_id == user_id:
            row.user_id, row.deleted_at = None, utcnow()
        user = await session.get_one(User, user_id)
    made = await stripe_api.create_customer(user_id, user.email, user.name, replacing=lost)
    return await _link(user_id, made)


async def _link(user_id: UUID, made: stripe_api.Customer) -> str:
    async with db.transaction() as session:
        await lock_user(session, user_id)
        await session.execute(
            insert(StripeCustomer)
            .values(
                id=made.id,
                user_id=user_id,
                livemode=stripe_api.is_live_key(get_settings().stripe_secret_key),
                created_at=utcnow(),
            )
            .on_conflict_do_nothing()
        )
        linked = await session.scalar(
            select(StripeCustomer.id).where(
                StripeCustomer.user_id == user_id, StripeCustomer.deleted_at.is_(None)
            )
        )
        # Events may have come before this row was there, and found nobody: look again.
        if await session.get(StripeSync, made.id) is not None:
            await want(session, made.id, utcnow())
    return str(linked or made.id)
