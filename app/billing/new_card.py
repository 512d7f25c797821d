"""A new card for a membership, from a mailed link or the account: Stripe's form for it, and paying what is owed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts import links, rules, throttle
from app.billing import queries, stripe_api, sync
from app.billing.models import StripeCustomer
from app.billing.notice_models import BillingNotice
from app.billing.notices import DUNNING, RESTS, card_of
from app.errors import Conflict, LinkExpired, TooMany, Unavailable
from app.i18n import _
from app.settings import get_settings

# Half a dozen calls, one after the other: a person who has just given a card rather waits than wonders.
BACK_S = 8.0


class Refused(Conflict):
    """The bank did not pay, or wants to be asked by its customer."""

    code = "payment-refused"

    def default_sentence(self) -> str:
        return _(
            "Your bank did not pay. Please try another card, or log in: in your account you can pay each open bill."
        )


@dataclass(frozen=True)
class CardLink:
    """A mailed link that is genuine. `stands`: what its mail told is true still; `is_dunning`: a payment failed.

    `is_over`: no membership is left that a card could pay. `old_card`: (subscription, payment method) of a card that
    expires, where the link is about one.
    """

    customer_id: str
    stands: bool
    is_dunning: bool
    is_over: bool
    cause: str
    old_card: tuple[str, str] | None = None


@dataclass(frozen=True)
class Owing:
    """What is owed in one currency, in its minor unit; 0: nothing."""

    amount_cents: int = 0
    currency: str = "usd"


async def read_link(session: AsyncSession, token: str, now: datetime) -> CardLink:
    """What a mailed link is for.

    Raises:
        LinkExpired: when it is forged, too old, or its member has left.
    """
    claims = links.read(token, links.Purpose.CARD, now)
    customer = await session.get(StripeCustomer, claims.state)
    if customer is None or customer.deleted_at is not None or str(customer.user_id) != claims.subject:
        raise LinkExpired
    notice = await session.get(BillingNotice, claims.extra.get("cause", ""))
    if notice is None or notice.customer_id != customer.id:
        raise LinkExpired
    mirror = await queries.mirror_of(session, customer.id)
    is_over = all(one.is_over for one in mirror)
    return CardLink(
        customer.id,
        notice.withdrawn_at is None,
        notice.kind in (*DUNNING, RESTS),
        is_over,
        notice.cause,
        card_of(notice.cause),
    )


async def open_by_link(token: str, now: datetime) -> str:
    """Address of Stripe's form for a new card.

    Raises:
        LinkExpired: as `read_link`, and when nothing is left to be mended.
        TooMany: when it was asked for very often.
        StripeDown: when Stripe does not answer.
    """
    async with _counted(token, now) as link:
        if not link.stands or link.is_over:
            raise LinkExpired
    back = f"{get_settings().base_url}/billing/card/done?token={token}"
    return await stripe_api.card_page(link.customer_id, back)


@asynccontextmanager
async def _counted(token: str, now: datetime) -> AsyncIterator[CardLink]:
    async with db.transaction() as session:
        link = await read_link(session, token, now)
        if not await throttle.allow(session, [rules.card_bucket(link.customer_id)], now):
            raise TooMany
        yield link


async def arrive(token: str, now: datetime) -> Owing:
    """Back from the form: the new card counts for the membership, and what is still owed is told.

    Raises:
        LinkExpired: as `read_link`.
        StripeDown: when Stripe does not answer within 8 s.
    """
    async with db.transaction() as session:
        link = await read_link(session, token, now)
    owing = await settle_card(link.customer_id)
    if link.old_card is not None and link.stands:
        await _forget_link(link, now)
    return owing


async def _forget_link(link: CardLink, now: datetime) -> None:
    """A link about a card that expires is used up when another card pays."""
    subscription_id, method_id = link.old_card or ("", "")
    card = await stripe_api.paying_card(subscription_id)
    if card is None or card.method_id == method_id:
        return
    async with db.transaction() as session:
        notice = await session.get(BillingNotice, link.cause, with_for_update=True)
        if notice is not None:
            notice.withdrawn_at = notice.withdrawn_at or now


async def settle_card(customer_id: str) -> Owing:
    """Let the card that was chosen last pay the membership, learn what is true now, and tell what is owed.

    Raises:
        StripeDown: when Stripe does not answer within 8 s.
    """
    try:
        async with asyncio.timeout(BACK_S):
            await stripe_api.use_default_card(customer_id)
            await sync.sync(customer_id)
            return _sum(await _owed(customer_id))
    except TimeoutError as fault:
        raise stripe_api.StripeDown from fault


async def _owed(customer_id: str) -> list[stripe_api.Owed]:
    """What is owed for memberships that its payment brings back; nobody pays here for one that has ended."""
    found = await stripe_api.owed(customer_id)
    async with db.transaction() as session:
        live = {one.id for one in await queries.mirror_of(session, customer_id) if not one.is_over}
    return [one for one in found if one.subscription_id in live]


def _sum(found: list[stripe_api.Owed]) -> Owing:
    if not found:
        return Owing()
    currency = found[0].currency
    return Owing(sum(one.amount_cents for one in found if one.currency == currency), currency)


async def pay_by_link(token: str, now: datetime) -> None:
    """Pay what is owed with the card on file.

    Raises:
        LinkExpired, TooMany, StripeDown: as `open_by_link`.
        Refused: when the bank does not pay.
    """
    async with _counted(token, now) as link:
        pass
    await _pay(link.customer_id)


async def open_for(user_id: UUID) -> str:
    """Address of Stripe's form for a new card, for a member who is signed in.

    Raises:
        Conflict: for a member who never bought anything.
        StripeDown: when Stripe does not answer.
    """
    customer_id = await _customer_of(user_id)
    return await stripe_api.card_page(customer_id, f"{get_settings().base_url}/billing/back?card=1")


async def pay_for(user_id: UUID, now: datetime) -> None:
    """Pay what the member owes with the card on file.

    Raises:
        Conflict: for a member who never bought anything.
        TooMany, StripeDown, Refused: as `pay_by_link`.
    """
    customer_id = await _customer_of(user_id)
    async with db.transaction() as session:
        if not await throttle.allow(session, [rules.card_bucket(customer_id)], now):
            raise TooMany
    await _pay(customer_id)


async def back_with_card(user_id: UUID) -> None:
    """From the form to the account page, which tells what is true; as far as Stripe answers within 8 s."""
    try:
        await settle_card(await _customer_of(user_id))
    except (Conflict, Unavailable) as fault:
        sync.log.warning("back from the card's form: %s", fault.sentence)


async def _pay(customer_id: str) -> None:
    await stripe_api.use_default_card(customer_id)
    paid = [await stripe_api.pay(one.id) for one in await _owed(customer_id)]
    await sync.sync_now(customer_id)
    if not all(paid):
        raise Refused


async def _customer_of(user_id: UUID) -> str:
    async with db.transaction() as session:
        customer = await queries.customer_of(session, user_id)
    if customer is None:
        raise Conflict(_("There is nothing to manage yet: you have not bought a membership."))
    return customer.id
