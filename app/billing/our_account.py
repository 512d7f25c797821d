"""The one Stripe account that this site belongs to: the first that our key ever opened."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app import db
from app.billing import stripe_api
from app.billing.models import StripeAccount
from app.errors import Conflict
from app.settings import get_settings


class OtherAccount(Conflict):
    """Our key opens another Stripe account than the one that this site belongs to."""

    code = "other-account"

    def __init__(self, found: str, known: str) -> None:
        super().__init__(f"The key opens the Stripe account {found}; this site belongs to {known}.")


async def check_account(now: datetime) -> str:
    """The id of our key's account; the first one ever seen is the one that this site belongs to.

    Raises:
        OtherAccount: for any other.
    """
    found = await stripe_api.account_id()
    livemode = stripe_api.is_live_key(get_settings().stripe_secret_key)
    async with db.transaction() as session:
        known = await session.scalar(select(StripeAccount).with_for_update())
        if known is None:
            await session.execute(
                insert(StripeAccount)
                .values(id=found, livemode=livemode, seen_at=now)
                .on_conflict_do_nothing()
            )
        elif known.id != found:
            raise OtherAccount(found, known.id)
        else:
            known.seen_at = now
    return found
