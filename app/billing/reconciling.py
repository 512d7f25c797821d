"""Compare everything that Stripe has with the mirror and the ledger, say what differs, and put it right."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.due import Held
from app.access.models import Entitlement
from app.accounts.models import User
from app.billing import offers, queries, stripe_api
from app.billing.comparing import Difference, Facts, Rights, compare, most_taken
from app.billing.fetching import charge_facts
from app.billing.mirror import ChargeFacts, PurchaseFacts, SubscriptionFacts, id_of, read_subscription
from app.billing.mirroring import past_due_since, sold_in
from app.billing.models import StripeAccount, StripeCustomer
from app.billing.our_account import OtherAccount, check_account
from app.billing.rules import Scope
from app.billing.sold import Sold, read_purchase
from app.billing.sync import sync
from app.clock import utcnow
from app.errors import Unavailable
from app.jobs import engine
from app.settings import get_settings

PAYING = ("subscription", "purchase")
AT_ONCE = 200

log = logging.getLogger("limber.billing")


@dataclass(frozen=True)
class Report:
    """What a run found. `stopped`: why nothing was put right; `failed`: customers for whom it did not succeed."""

    customers: int
    live: int
    differences: tuple[Difference, ...]
    strangers: tuple[str, ...] = ()
    mended: int = 0
    failed: tuple[str, ...] = ()
    stopped: str | None = None

    @property
    def takes(self) -> int:
        return sum(one.takes for one in self.differences)


async def reconcile(
    *, apply: bool, may_take: int | None = None, say: Callable[[str], None] = log.info
) -> Report:
    """Look at the whole account; with `apply`, bring each customer that differs in line.

    It stops itself, and changes nothing, when putting things right would end more rights than `may_take` (None: 2 %
    of those that live). What is put right is asked of Stripe afresh, customer by customer.

    Raises:
        OtherAccount: when the key is another account's.
        StripeDown: when Stripe does not answer.
    """
    now = utcnow()
    await check_account(now)
    told = await _told()
    report = await _compare(told, now)
    for one in report.differences:
        say(f"{one.who} ({one.customer_id}):")
        for words in one.words:
            say(f"  {words}")
    for words in report.strangers:
        say(words)
    limit = most_taken(report.live) if may_take is None else may_take
    if report.takes > limit:
        report = replace(
            report,
            stopped=f"{report.takes} of {report.live} live rights would end; {limit} may. Nothing was changed.",
        )
    elif apply:
        report = await _mend(report)
    await _remember(report, now)
    return report


@dataclass
class _Told:
    """What Stripe has of one customer, as it wrote it, but for charges, of which there are many."""

    subscriptions: list[tuple[dict[str, Any], datetime | None]]
    purchases: list[dict[str, Any]]
    charges: list[Any]


NOTHING = _Told([], [], [])


async def _told() -> dict[str, _Told]:
    found: dict[str, _Told] = defaultdict(lambda: _Told([], [], []))
    bought = set()
    async for raw in stripe_api.every_subscription():
        unpaid = await stripe_api.first_unpaid_at(raw["id"]) if raw["status"] == "past_due" else None
        found[str(id_of(raw["customer"]))].subscriptions.append((raw, unpaid))
    async for raw in stripe_api.every_purchase():
        if (customer_id := id_of(raw.get("customer"))) is not None:
            found[customer_id].purchases.append(raw)
            bought.add(id_of(raw.get("payment_intent")))
    async for raw in stripe_api.every_charge():
        if (customer_id := id_of(raw.get("customer"))) is not None:
            pays_once = id_of(raw.get("payment_intent")) in bought
            found[customer_id].charges.append(await charge_facts(raw, pays_once=pays_once))
    return dict(found)


async def _compare(told: dict[str, _Told], now: datetime) -> Report:
    differences: list[Difference] = []
    async with db.transaction() as session:
        catalogue, live = await offers.catalogue(session), await _live(session, now)
        rows = await session.execute(
            select(StripeCustomer, User.email).join(User, User.id == StripeCustomer.user_id)
        )
        ours = {row[0].id: (row[0], str(row[1])) for row in rows}
    ids = sorted(ours)
    for some in (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)):
        async with db.transaction() as session:
            known = await _known(session, [ours[one][0] for one in some], told)
        found = [_compare_one(*ours[one], told.get(one, NOTHING), known, catalogue, now) for one in some]
        for one in filter(None, found):
            if one.customer_id not in told and await _is_unknown(one.customer_id):
                words = ("Stripe does not know this customer: nothing is concluded",)
                differences.append(Difference(one.customer_id, one.who, words))
            else:
                differences.append(one)
    strangers = [
        f"customer {customer_id} pays for a plan of ours and belongs to no member"
        for customer_id, side in sorted(told.items())
        if customer_id not in ours and _pays_ours(side, catalogue)
    ]
    return Report(len(ours), live, tuple(differences), tuple(strangers))


@dataclass(frozen=True)
class _Known:
    """What is here about some customers: a query for each kind of thing, not for each customer."""

    subscriptions: dict[str, list[SubscriptionFacts]]
    purchases: dict[str, list[PurchaseFacts]]
    charges: dict[str, list[ChargeFacts]]
    sold: dict[tuple[UUID | None, str], Sold]
    held: dict[tuple[UUID | None, str], list[Held]]


async def _known(
    session: AsyncSession, customers: Sequence[StripeCustomer], told: Mapping[str, _Told]
) -> _Known:
    ids = [one.id for one in customers]
    held: dict[tuple[UUID | None, str], list[Held]] = defaultdict(list)
    for row in await session.scalars(
        select(Entitlement).where(
            Entitlement.user_id.in_([one.user_id for one in customers]), Entitlement.source_kind.in_(PAYING)
        )
    ):
        right = Held(row.source_id, row.course_id, row.ends_at, row.revoked_at)
        held[row.user_id, row.source_kind].append(right)
    return _Known(
        await queries.mirrors_of(session, ids),
        await queries.purchases_of_many(session, ids),
        await queries.charges_of_many(session, ids),
        await sold_in(session, [raw["id"] for one in ids for raw in told.get(one, NOTHING).purchases]),
        held,
    )


def _compare_one(
    customer: StripeCustomer,
    email: str,
    told: _Told,
    known: _Known,
    catalogue: dict[str, Scope],
    now: datetime,
) -> Difference | None:
    before = {one.id: one for one in known.subscriptions[customer.id]}
    stripe = Facts(
        tuple(
            read_subscription(raw, past_due_since(raw, unpaid, before, now))
            for raw, unpaid in told.subscriptions
        ),
        tuple(read_purchase(raw, known.sold.get((customer.user_id, raw["id"]))) for raw in told.purchases),
        tuple(told.charges),
    )
    ours = Facts(
        tuple(before.values()),
        tuple(known.purchases[customer.id]),
        tuple(known.charges[customer.id]),
    )
    by_subscription, by_purchase = (known.held.get((customer.user_id, kind), []) for kind in PAYING)
    shown = {one.id for one in stripe.purchases}
    rights = Rights(
        tuple(by_subscription),
        tuple(by_purchase),
        frozenset(one.source_id for one in by_purchase) - shown,
    )
    return compare(customer.id, email, stripe, ours, rights, catalogue, queries.policy(), now)


async def _is_unknown(customer_id: str) -> bool:
    return await stripe_api.find_customer(customer_id) is None


def _pays_ours(told: _Told, catalogue: dict[str, Scope]) -> bool:
    for raw, _unpaid in told.subscriptions:
        facts = read_subscription(raw)
        if not facts.is_over and any(price in catalogue for price in facts.price_ids):
            return True
    return False


async def _live(session: AsyncSession, now: datetime) -> int:
    """How many rights from payments hold at this moment."""
    found = await session.scalar(
        select(func.count())
        .select_from(Entitlement)
        .where(
            Entitlement.source_kind.in_(PAYING),
            Entitlement.revoked_at.is_(None),
            Entitlement.starts_at <= now,
            or_(Entitlement.ends_at.is_(None), Entitlement.ends_at > now),
        )
    )
    return found or 0


async def _mend(report: Report) -> Report:
    mended, failed = 0, []
    for one in report.differences:
        try:
            await sync(one.customer_id)
        except Unavailable as fault:
            failed.append(f"{one.who} ({one.customer_id}): {fault.sentence}")
        else:
            mended += 1
    return replace(report, mended=mended, failed=tuple(failed))


async def _remember(report: Report, now: datetime) -> None:
    told = {**asdict(replace(report, differences=report.differences[:50])), "found": len(report.differences)}
    async with db.transaction() as session:
        account = await session.scalar(select(StripeAccount).with_for_update())
        if account is not None:
            account.last_run, account.last_run_at = told, now


@engine.step(tries=3, first_wait_s=60.0, final=(OtherAccount,))
async def _reconcile_step() -> None:
    if not get_settings().buying_enabled:
        return
    report = await reconcile(apply=True)
    if report.stopped:
        log.error("reconciliation stopped itself: %s", report.stopped)


# 12:20 UTC: the small hours in Honolulu, and an hour at which Stripe bills nobody in particular.
@engine.scheduled("billing_reconcile", "20 12 * * *")
async def billing_reconcile(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every night: nothing drifts for longer than a day."""
    await _reconcile_step()
