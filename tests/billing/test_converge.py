"""Whatever order, however often, by whoever: in the end everybody may watch what Stripe's own objects say, no more.

The oracle shares no code with us. What differs is told by its seed; `LIMBER_SEED=7 pytest …` plays one life alone.
"""

import asyncio
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.access.models import Entitlement
from app.billing import sync
from app.billing.models import StripeSync
from app.billing.plan_models import PlanPrice
from app.billing.reconciling import reconcile
from app.clock import utcnow
from tests.billing.lives import Life, Shelf, owner_of
from tests.billing.oracle import Access, access
from tests.billing.till import Till

WORKERS = 8
DEEDS = 7
PART = 50
TOGETHER = 8


async def shelf(till: Till) -> Shelf:
    """Two plans that are paid again and again, one that is paid once; each covers everything."""
    for slug, values in (
        ("monthly", {"amount_cents": 1900, "interval": "month"}),
        ("yearly", {"amount_cents": 19000, "interval": "year"}),
        ("once", {"amount_cents": 4900, "interval": "once"}),
    ):
        await till.plan(name=slug, **values)  # type: ignore[arg-type]
    async with db.transaction() as session:
        rows = (await session.scalars(select(PlanPrice))).all()
    once = tuple(row.stripe_price_id for row in rows if row.amount_cents == 4900)
    repeating = tuple(row.stripe_price_id for row in rows if row.amount_cents != 4900)
    return Shelf(repeating, once, {row.stripe_price_id: row.plan_id for row in rows})


async def live(till: Till, seeds: list[int]) -> list[Life]:
    what = await shelf(till)
    lives = [Life(seed, till.stand, till.api, till.browser, what) for seed in seeds]
    for one in lives:
        await one.live(DEEDS)
    return lives


async def deliver(till: Till, dice: random.Random, lives: list[Life], *, dropped: float = 0.0) -> None:
    """All events in any order, each one to five times, while workers that may die at any moment do their work.

    A few lives' events are mixed with each other, then the next few's: in one heap each customer's burst would last as
    long as the whole delivery, and cost a fetch for every few events.
    """
    events = [event for event in till.fresh_events() if dice.random() >= dropped]
    groups: dict[int, list[Any]] = {}
    owners: dict[str | None, int] = {}
    for event in events:
        number = owners.setdefault(owner_of(event), len(owners)) // TOGETHER
        groups.setdefault(number, []).extend([event] * dice.choice((1, 1, 2, 3, 5)))
    many: list[Any] = []
    for group in groups.values():
        dice.shuffle(group)
        many += group
    stop = asyncio.Event()

    async def worker(number: int) -> None:
        order = random.Random(number)
        while not stop.is_set():
            await work_once(order, lives)

    working = [asyncio.create_task(worker(number)) for number in range(WORKERS)]
    for start in range(0, len(many), 40):
        await asyncio.gather(*(till.deliver([event]) for event in many[start : start + 40]))
    stop.set()
    await asyncio.gather(*working)
    await till.work()


async def work_once(order: random.Random, lives: list[Life]) -> None:
    """One piece of work for whoever is behind; three in ten die in the middle of it, wherever that is."""
    async with db.transaction() as session:
        behind = (
            await session.scalars(
                select(StripeSync.customer_id).where(StripeSync.wanted_seq > StripeSync.done_seq).limit(20)
            )
        ).all()
    if not behind:
        await asyncio.sleep(0.01)
        return
    task = asyncio.create_task(sync.sync(order.choice(behind), queued=True))
    if order.random() < 0.3:
        await asyncio.sleep(order.random() * 0.05)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert lives


async def held(one: Life) -> Access:
    """What the member has here, as the oracle tells it."""
    now = utcnow()
    async with db.transaction() as session:
        rows = await session.scalars(
            select(Entitlement).where(Entitlement.user_id == one.user_id, Entitlement.revoked_at.is_(None))
        )
        return {
            (row.source_id, ""): int(row.ends_at.timestamp()) if row.ends_at else None
            for row in rows
            if row.ends_at is None or row.ends_at > now
        }


async def differences(lives: list[Life]) -> dict[int, Any]:
    """By seed, where both tell something else. All plans cover everything, so prices need not be told apart."""
    found: dict[int, Any] = {}
    for one in lives:
        prices = frozenset((*one.shelf.repeating, *one.shelf.once))
        now = int(datetime.now(UTC).timestamp())
        told = {
            (source, ""): end for (source, _price), end in access(one.books(), prices, one.ours, now).items()
        }
        ours = await held(one)
        if told != ours:
            found[one.seed] = {"oracle": told, "limber": ours}
    return found


Note = Callable[[str, object], None]


def seeds(count: int, note: Note) -> list[int]:
    """So many, from one that is drawn; told at the end of the run, whether it passed or not."""
    alone = os.environ.get("LIMBER_SEED")
    first = int(alone) if alone else random.randrange(10**6)
    note("note", f"seed {first}" if alone else f"seeds {first} to {first + count - 1}")
    return [first] if alone else list(range(first, first + count))


async def converges(till: Till, chosen: list[int]) -> None:
    lives = await live(till, chosen)
    await deliver(till, random.Random(chosen[0]), lives)
    assert await differences(lives) == {}


async def heals(till: Till, chosen: list[int]) -> None:
    lives = await live(till, chosen)
    await deliver(till, random.Random(chosen[0]), lives, dropped=0.2)
    await reconcile(apply=True, may_take=10**6, say=lambda _words: None)
    assert await differences(lives) == {}


async def test_lives_in_any_order_end_as_the_oracle_says(till: Till, record_property: Note) -> None:
    await converges(till, seeds(3, record_property))


async def test_a_fifth_of_all_events_lost_is_healed_by_one_reconciliation(
    till: Till, record_property: Note
) -> None:
    await heals(till, seeds(3, record_property))


# Three hundred in all, in parts that parallel processes share.
@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
async def test_many_lives_in_any_order_end_as_the_oracle_says(
    till: Till, record_property: Note, part: int
) -> None:
    del part
    await converges(till, seeds(PART, record_property))


@pytest.mark.long
@pytest.mark.parametrize("part", range(2))
async def test_many_lives_with_a_fifth_of_all_events_lost_are_healed(
    till: Till, record_property: Note, part: int
) -> None:
    del part
    await heals(till, seeds(PART, record_property))
