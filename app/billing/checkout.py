"""Buying a plan: one open Checkout session for each member, and never a second subscription."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.entitlements import lock_user
from app.billing import gifts, queries, stripe_api, sync
from app.billing.customers import ensure_customer, replace_customer
from app.billing.gifts import GiftDraft
from app.billing.models import CheckoutAttempt
from app.billing.plan_models import Plan, PlanPrice
from app.billing.refusals import OtherCurrency, refuse_twice
from app.clock import utcnow
from app.errors import Conflict, NotFound, Unavailable
from app.i18n import _
from app.settings import get_settings

# Stripe keeps idempotency keys for a day; an attempt that has no session by then is given up before.
UNFINISHED = timedelta(hours=12)

log = logging.getLogger("limber.billing")


class OtherTab(Conflict):
    code = "other-checkout"

    def default_sentence(self) -> str:
        return _("Another checkout was started meanwhile, so this one was closed. Nothing was charged.")


@dataclass(frozen=True)
class _Chosen:
    """What one attempt sells; `session_id` None: it has no page at Stripe yet."""

    attempt_id: UUID
    price_id: str
    trial_days: int
    session_id: str | None
    is_once: bool
    # What happens at the end of a trial for which no card was asked; None: a card is asked for.
    after_trial: str | None = None


async def start(
    user_id: UUID, plan_slug: str, return_to: str, currency: str | None = None, came_from: str = ""
) -> str:
    """Begin (or go on with) buying a plan; answers the address of Stripe's page. `return_to` is a path of ours.

    It is paid in `currency` where the plan is sold in it, or else in the plan's own. `came_from`: the article that
    brought them.

    Raises:
        NotFound: for a plan that is not offered.
        AlreadyMember: when a subscription covers it.
        AlreadyYours: when it was bought for good.
        OnItsWay: when it was bought, and the bank is still at it.
        OtherTab: when the member began another checkout at the same moment.
        OtherCurrency: when what the member pays already is in a currency in which this is not sold.
        Unavailable: when buying is off, or Stripe does not answer.
    """
    if not get_settings().buying_enabled:
        raise Unavailable(_("Buying is not switched on here yet."))
    for _again in range(4):
        chosen = await _open_attempt(user_id, plan_slug, return_to, currency, came_from)
        if isinstance(chosen, tuple):
            # Nothing new is sold while an older page could still be paid.
            for session_id in chosen:
                await _close(user_id, session_id)
            continue
        url = await _resume(user_id, chosen) if chosen.session_id else await _begin(user_id, chosen)
        if url is not None:
            return url
    raise OtherTab


async def _open_attempt(
    user_id: UUID, plan_slug: str, return_to: str, currency: str | None, came_from: str
) -> _Chosen | tuple[str, ...]:
    """Under the member's lock: refuse, or name the sessions that must be closed first, or give the one open attempt."""
    now = utcnow()
    async with db.transaction() as session:
        await lock_user(session, user_id)
        paid_in = await queries.currency_of(session, user_id)
        plan, price, priced_in = await _offered(session, plan_slug, paid_in or currency)
        await refuse_twice(session, user_id, plan, now)
        if plan.interval != "once" and paid_in not in (None, priced_in):
            raise OtherCurrency(paid_in)
        mine: CheckoutAttempt | None = None
        to_close = []
        for attempt in await session.scalars(
            select(CheckoutAttempt).where(
                CheckoutAttempt.user_id == user_id,
                CheckoutAttempt.state == "open",
                CheckoutAttempt.gift_id.is_(None),
            )
        ):
            too_old = attempt.stripe_session_id is None and attempt.created_at < now - UNFINISHED
            if attempt.plan_id == plan.id and attempt.stripe_price_id == price and not too_old:
                mine = attempt
            elif attempt.stripe_session_id is not None:
                to_close.append(attempt.stripe_session_id)
            else:
                # Its request, should it still run, sees this and closes the session that it was making.
                attempt.state = "expired"
        # The unique index on open attempts must see the old one closed first.
        await session.flush()
        if to_close:
            return tuple(to_close)
        if mine is None:
            mine = CheckoutAttempt(user_id=user_id, plan_id=plan.id, stripe_price_id=price, created_at=now)
            session.add(mine)
        mine.return_to = return_to
        mine.came_from = came_from or mine.came_from or ""
        await session.flush()
        is_once = plan.interval == "once"
        trial_days = 0 if is_once or await queries.mirror_of_user(session, user_id) else plan.trial_days
        after_trial = plan.after_trial if trial_days and not plan.trial_needs_card else None
        return _Chosen(mine.id, price, trial_days, mine.stripe_session_id, is_once, after_trial)


async def start_gift(user_id: UUID, plan_slug: str, draft: GiftDraft, currency: str | None = None) -> str:
    """Write a gift down and begin to pay it; answers the address of Stripe's page. Any number may be given.

    Raises:
        NotFound: for a plan that cannot be given.
        BadInput: with the field, for what cannot be sent.
        Unavailable: when buying is off, or Stripe does not answer.
    """
    if not get_settings().buying_enabled:
        raise Unavailable(_("Buying is not switched on here yet."))
    now = utcnow()
    async with db.transaction() as session:
        gift = await gifts.begin(session, user_id, plan_slug, draft, now)
        plan, price, _currency = await _offered(session, plan_slug, currency)
        attempt = CheckoutAttempt(
            user_id=user_id,
            plan_id=plan.id,
            stripe_price_id=price,
            gift_id=gift.id,
            return_to="/account/gifts",
            created_at=now,
        )
        session.add(attempt)
        await session.flush()
        chosen = _Chosen(attempt.id, price, 0, None, is_once=True)
    url = await _begin(user_id, chosen)
    if url is None:
        raise Unavailable(_("The payment service did not accept this. Nothing was charged."))
    return url


async def _offered(session: AsyncSession, slug: str, currency: str | None) -> tuple[Plan, str, str]:
    """The plan, its price and that price's currency: the one asked for where there is one, or else the plan's own."""
    found = (
        await session.execute(
            select(Plan, PlanPrice.stripe_price_id, PlanPrice.currency)
            .join(PlanPrice, (PlanPrice.plan_id == Plan.id) & PlanPrice.is_current)
            .where(Plan.slug == slug, Plan.is_offered)
            .order_by(PlanPrice.currency != (currency or ""), PlanPrice.currency != Plan.currency)
        )
    ).first()
    if found is None:
        raise NotFound(_("This plan is not offered any more. Please choose another one."))
    return found[0], found[1], found[2]


async def _close(user_id: UUID, session_id: str) -> None:
    """Close a session of another plan or price. Was it paid this very moment, the mirror knows now."""
    if await stripe_api.expire_checkout(session_id) == "complete":
        await _was_paid(user_id, session_id)
    else:
        await mark(session_id, "expired")


async def _was_paid(user_id: UUID, session_id: str) -> None:
    await mark(session_id, "completed")
    await sync.sync(await ensure_customer(user_id))


async def _resume(user_id: UUID, chosen: _Chosen) -> str | None:
    """The page of the session that the attempt has; None (and the attempt closed) when it cannot be paid any more."""
    assert chosen.session_id is not None
    found = await stripe_api.find_checkout(chosen.session_id)
    if found is not None and found.status == "open" and found.url:
        return found.url
    if found is not None and found.status == "complete":
        await _was_paid(user_id, chosen.session_id)
    else:
        await mark(chosen.session_id, "expired")
    return None


async def _begin(user_id: UUID, chosen: _Chosen) -> str | None:
    """Make the session; None (and the attempt closed) when it must be tried with a fresh attempt."""
    customer_id = await ensure_customer(user_id)
    try:
        made = await stripe_api.create_checkout(_order(user_id, customer_id, chosen))
    except stripe_api.StripeRefused as refusal:
        if refusal.is_missing and await _is_gone(customer_id):
            await replace_customer(user_id, customer_id)
        elif refusal.reason != "idempotency":
            raise
        await _drop(chosen.attempt_id)
        return None
    async with db.transaction() as session:
        await lock_user(session, user_id)
        attempt = await session.get_one(CheckoutAttempt, chosen.attempt_id, populate_existing=True)
        is_open = attempt.state == "open"
        if is_open:
            attempt.stripe_session_id = made.id
            attempt.url, attempt.expires_at = made.url, made.expires_at
    if not is_open:
        await stripe_api.expire_checkout(made.id)
        raise OtherTab
    return made.url


async def _is_gone(customer_id: str) -> bool:
    found = await stripe_api.find_customer(customer_id)
    return found is None or found.is_deleted


def _order(user_id: UUID, customer_id: str, chosen: _Chosen) -> stripe_api.CheckoutOrder:
    base = get_settings().base_url
    return stripe_api.CheckoutOrder(
        attempt_id=chosen.attempt_id,
        user_id=user_id,
        customer_id=customer_id,
        price_id=chosen.price_id,
        trial_days=chosen.trial_days,
        is_once=chosen.is_once,
        after_trial=chosen.after_trial,
        takes_codes=get_settings().promotion_codes,
        adds_tax=get_settings().stripe_tax,
        # Stripe fills the braces in; encoded they would not be found.
        success_url=f"{base}/billing/return?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{base}/billing/cancelled?{urlencode({'attempt': chosen.attempt_id})}",
    )


async def mark(session_id: str, state: Literal["completed", "expired"]) -> None:
    """Say what has become of a session."""
    async with db.transaction() as session:
        await session.execute(
            update(CheckoutAttempt).where(CheckoutAttempt.stripe_session_id == session_id).values(state=state)
        )


async def _drop(attempt_id: UUID) -> None:
    async with db.transaction() as session:
        await session.execute(
            update(CheckoutAttempt).where(CheckoutAttempt.id == attempt_id).values(state="expired")
        )
