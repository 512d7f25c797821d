"""Stripe's own pages for members: card, invoices, cancelling."""

from uuid import UUID

from app import db
from app.billing import queries, stripe_api, sync
from app.errors import Conflict, Unavailable
from app.i18n import _
from app.settings import get_settings


async def open_portal(user_id: UUID) -> str:
    """The address of the member's portal page; it leads back to `/billing/back`.

    Raises:
        Conflict: for a member who never bought anything.
        Unavailable: when buying is off, or Stripe does not answer.
    """
    if not get_settings().buying_enabled:
        raise Unavailable(_("Buying is not switched on here yet."))
    async with db.transaction() as session:
        customer = await queries.customer_of(session, user_id)
    if customer is None:
        raise Conflict(_("There is nothing to manage yet: you have not bought a membership."))
    return await stripe_api.create_portal(customer.id, f"{get_settings().base_url}/billing/back")


async def back_from_portal(user_id: UUID) -> None:
    """Learn at once what was done there, so that the account page tells the truth; at most 3 s."""
    async with db.transaction() as session:
        customer = await queries.customer_of(session, user_id)
    if customer is not None and get_settings().buying_enabled:
        await sync.sync_now(customer.id)
