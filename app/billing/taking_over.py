"""Take over a Stripe account that has payers already: match them by address, and let them watch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import db, jobs
from app.access.entitlements import lock_user
from app.accounts import rules
from app.accounts.models import User
from app.billing import offers, queries, stripe_api
from app.billing.mirror import read_subscription
from app.billing.models import StripeCustomer
from app.billing.our_account import check_account
from app.billing.plan_models import Plan, PlanPrice
from app.billing.sync import sync
from app.clock import utcnow
from app.errors import BadInput, Unavailable
from app.i18n import _
from app.settings import get_settings

# No password at all: the account opens by a mailed link only, until its owner has chosen one.
NO_PASSWORD = "!"  # noqa: S105


@dataclass
class TakeOver:
    """What a run found and did. `unknown_prices`: Price → how many pay it, and what it costs, in words."""

    payers: int = 0
    linked: int = 0
    created: int = 0
    known: int = 0
    unknown_prices: dict[str, tuple[int, str]] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)


async def take_over(
    prices: Mapping[str, str], *, apply: bool, say: Callable[[str], None] = lambda _words: None
) -> TakeOver:
    """Link every payer of the account to a member with the same address, and to a new one where there is none.

    `prices`: Stripe's Price → slug of the plan that it buys. Who has cancelled and is paid until later is a payer too.
    Run twice, the second changes nothing; stopped, it goes on where it was.

    Raises:
        BadInput: for a plan that is not there, or is paid in another rhythm than the Price.
        OtherAccount: when the key is another account's.
        StripeDown: when Stripe does not answer.
    """
    now = utcnow()
    await check_account(now)
    subscriptions = [raw async for raw in stripe_api.every_subscription()]
    known = await _prices(prices, subscriptions, apply=apply)
    found = TakeOver()
    payers = await _payers(subscriptions, known, found, now)
    found.payers = len(payers)
    taken: dict[str, str] = {}
    for payer in payers:
        try:
            address = rules.clean_email(payer.email or "")
        except BadInput:
            found.odd.append(f"{payer.id} has no usable address ({payer.email or 'none'})")
            continue
        if address in taken:
            found.odd.append(f"{payer.id} has the address of {taken[address]}, {address}: look at both")
            continue
        taken[address] = payer.id
        say(f"{address}: {payer.id}")
        await _take(payer, address, found, now, apply=apply)
    return found


@dataclass
class Matched:
    """Stripe's customers who have a member's address. `odd`: what somebody has to look at."""

    linked: int = 0
    known: int = 0
    odd: list[str] = field(default_factory=list)


async def match(addresses: Mapping[str, str], *, apply: bool) -> Matched:
    """Link Stripe's customers to the members with these addresses, and let those watch who pay.

    `addresses`: cleaned address → id of its customer, or "" where only the address tells. Nobody gets an account here.

    Raises:
        OtherAccount: when the key is another account's.
        StripeDown: when Stripe does not answer.
    """
    now = utcnow()
    await check_account(now)
    ids = {customer: address for address, customer in addresses.items() if customer}
    found, matched, taken = TakeOver(), Matched(), dict[str, str]()
    async for customer in stripe_api.every_customer():
        address = ids.get(customer.id) or _address(customer.email)
        # An id in the file is surer than an address at Stripe, of which there may be several.
        if address not in addresses or addresses[address] not in ("", customer.id):
            continue
        if address in taken:
            found.odd.append(f"{customer.id} has the address of {taken[address]}, {address}: look at both")
            continue
        taken[address] = customer.id
        await _take(customer, address, found, now, apply=apply)
    matched.linked, matched.known, matched.odd = found.linked + found.created, found.known, found.odd
    return matched


def _address(email: str | None) -> str:
    try:
        return rules.clean_email(email or "")
    except BadInput:
        return ""


async def _prices(
    wanted: Mapping[str, str], subscriptions: list[dict[str, Any]], *, apply: bool
) -> dict[str, object]:
    """Every Price that buys a plan, with those that were named now; written down when `apply`."""
    seen = {item["price"]["id"]: item["price"] for raw in subscriptions for item in raw["items"]["data"]}
    async with db.transaction() as session:
        catalogue: dict[str, object] = dict(await offers.catalogue(session))
        for price_id, slug in wanted.items():
            plan = await session.scalar(select(Plan).where(Plan.slug == slug))
            if plan is None:
                raise BadInput(_("There is no plan {slug}.").format(slug=slug))
            price = seen.get(price_id)
            if price is None:
                raise BadInput(_("Nobody pays the price {price}.").format(price=price_id))
            rhythm = price.get("recurring") or {}
            if (rhythm.get("interval"), rhythm.get("interval_count")) != (plan.interval, 1):
                raise BadInput(
                    _("The price {price} is not paid as often as the plan {slug}.").format(
                        price=price_id, slug=slug
                    )
                )
            catalogue[price_id] = plan.id
            if apply:
                await session.execute(
                    insert(PlanPrice)
                    .values(
                        stripe_price_id=price_id,
                        plan_id=plan.id,
                        amount_cents=price["unit_amount"] or 0,
                        currency=price["currency"],
                        is_current=False,
                        created_at=utcnow(),
                    )
                    .on_conflict_do_nothing()
                )
    return catalogue


async def _payers(
    subscriptions: list[dict[str, Any]], known: Mapping[str, object], found: TakeOver, now: datetime
) -> list[stripe_api.Customer]:
    live: set[str] = set()
    for raw in subscriptions:
        facts = read_subscription(raw)
        if facts.is_over or (facts.stops_at is not None and facts.stops_at <= now):
            continue
        for item in raw["items"]["data"]:
            price = item["price"]
            if price["id"] in known:
                live.add(str(raw["customer"]))
            else:
                count, _words = found.unknown_prices.get(price["id"], (0, ""))
                found.unknown_prices[price["id"]] = (count + 1, _price_words(price))
    customers = {one.id: one async for one in stripe_api.every_customer()}
    async with db.transaction() as session:
        linked = set(
            await session.scalars(select(StripeCustomer.id).where(StripeCustomer.user_id.is_not(None)))
        )
    # Of two with one address the one that is somebody's already comes first, and the other is looked at.
    ordered = sorted(live, key=lambda one: (one not in linked, one))
    return [customers[one] for one in ordered if one in customers]


def _price_words(price: Mapping[str, Any]) -> str:
    rhythm = price.get("recurring") or {}
    return f"{price['unit_amount']} {price['currency']} a {rhythm.get('interval', 'time')}"


async def _take(
    customer: stripe_api.Customer, address: str, found: TakeOver, now: datetime, *, apply: bool
) -> None:
    async with db.transaction() as session:
        row = await session.get(StripeCustomer, customer.id)
        if row is not None and row.user_id is not None:
            found.known += 1
            return
        user = await session.scalar(select(User).where(User.email == address))
        if user is not None:
            other = await queries.customer_of(session, user.id)
            if other is not None:
                found.odd.append(
                    f"{address} has the customer {other.id} already; {customer.id} pays too: look at both"
                )
                return
        if user is None:
            found.created += 1
        else:
            found.linked += 1
        if not apply:
            return
        if user is None:
            user = await _new_member(session, customer, address, now)
        await lock_user(session, user.id)
        await session.execute(
            insert(StripeCustomer)
            .values(id=customer.id, user_id=user.id, livemode=customer.livemode, created_at=now)
            .on_conflict_do_update(index_elements=[StripeCustomer.id], set_={"user_id": user.id})
        )
    try:
        await sync(customer.id)
    except Unavailable as fault:
        found.odd.append(
            f"{address} ({customer.id}) is linked, and could not be asked about: {fault.sentence}"
        )


async def _new_member(
    session: AsyncSession, customer: stripe_api.Customer, address: str, now: datetime
) -> User:
    """An account without a password, and a mail that says how to choose one."""
    name = " ".join(rules.tidy(customer.name or "").split())[:120] or address.partition("@")[0]
    user = User(email=address, name=name, password_hash=NO_PASSWORD, role="member", created_at=now)
    session.add(user)
    await session.flush()
    await jobs.enqueue(
        session,
        "send_mail",
        {
            "template": "taken_over",
            "to": address,
            "context": {"name": name, "forgot_url": f"{get_settings().base_url}/forgot"},
        },
        workflow_id=f"mail:taken_over:{customer.id}",
    )
    return user
