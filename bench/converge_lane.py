"""One lane of `converge`: a database, a stand-in, a web process and workers, through which lives pass in waves.

A wave's lives are lived at the stand-in, every event of theirs is delivered in any order, once to five times, while the
workers work and some of them are killed; then each member's rights are held against the oracle. After that the lives go
on, a fifth of the new events is never delivered, and one reconciliation must put that right.
"""

import asyncio
import json
import logging
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from aiosmtpd.controller import Controller

from bench.converge_crew import Box, Crew, StandIn
from bench.front_door import free_port
from bench.streams import serving
from tests.billing.lives import Life, Shelf, owner_of
from tests.billing.oracle import Access, access
from tests.billing.till import KEY, SECRET, signature

DEEDS, MORE_DEEDS = 5, 2
COPIES = (1, 1, 1, 1, 1, 1, 2, 3, 4, 5)
DROPPED = 0.2
# Lives whose events are mixed with each other.
TOGETHER = 8
CONNECTIONS = 6
# One of eight workers is killed for so many deliveries.
KILL_EVERY = 200
# Nothing moves for so many looks, three minutes: something is lost. How long all of it takes is the machine's affair,
# and so is a pause in which nobody ran, this process included: looks are counted, not seconds.
LOOK_S, STUCK_LOOKS = 0.2, 900
PRICES = (("Monthly", 1900, "month"), ("Yearly", 19000, "year"), ("Once", 4900, "once"))
EMPTIED = (
    "entitlement_entry",
    "entitlement",
    "checkout_attempt",
    "stripe_charge",
    "stripe_purchase",
    "stripe_subscription",
    "stripe_sync",
    "stripe_event",
    "stripe_customer",
    "user_account",
    "dbos.operation_outputs",
    "dbos.workflow_status",
)

Json = dict[str, Any]


@dataclass
class Wave:
    """What one wave showed; seconds of each part."""

    seeds: list[int]
    lives: int
    events: int = 0
    deliveries: int = 0
    dropped: int = 0
    killed: int = 0
    differing: dict[int, Json] = field(default_factory=dict)
    stale: int = 0
    unhealed: dict[int, Json] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        took_s = time.monotonic() - began
        self.seconds[part] = round(self.seconds.get(part, 0) + took_s, 2)
        print(f"  {self.lives} lives: {part} took {took_s:.1f} s", file=sys.stderr, flush=True)


@dataclass
class Lane:
    """`dice` decides what is not in the lives themselves: orders, copies, what is dropped, who is killed when."""

    url: str
    stand: StandIn
    shelf: Shelf
    web_port: int
    crew: Crew
    dice: random.Random

    async def wave(self, seeds: list[int]) -> Wave:
        seen, since = Wave(seeds, len(seeds)), 0
        before = self.crew.killed
        async with self.stand.people() as (api, browser):
            lives = [Life(seed, self.stand, api, browser, self.shelf) for seed in seeds]
            with seen.timed("live"):
                for one in lives:
                    await one.live(DEEDS)
            events, since = self.stand.events(since)
            await self.deliver(seen, events)
            with seen.timed("compare"):
                seen.differing = await self.differences(lives)
            with seen.timed("live"):
                for one in lives:
                    await one.go_on(MORE_DEEDS)
            events, since = self.stand.events(since)
            kept = [event for event in events if self.dice.random() >= DROPPED]
            seen.dropped = len(events) - len(kept)
            await self.deliver(seen, kept)
            with seen.timed("compare"):
                seen.stale = len(await self.differences(lives))
            with seen.timed("reconcile"):
                await self.reconcile()
            with seen.timed("compare"):
                seen.unhealed = await self.differences(lives)
        seen.killed = self.crew.killed - before
        return seen

    async def deliver(self, seen: Wave, events: list[Json]) -> None:
        """All in any order, and wait until everything that was wanted is done."""
        many = self.shuffled(events)
        seen.events += len(events)
        seen.deliveries += len(many)
        waiting = iter(many)
        with seen.timed("post"):
            await asyncio.gather(*(self.connection(waiting) for _number in range(CONNECTIONS)))
        # Somebody is always killed after the last delivery, with work in hand or not; then all comes to its end.
        with seen.timed("work"):
            await asyncio.to_thread(self.crew.kill_one)
            await self.done()

    def shuffled(self, events: list[Json]) -> list[Json]:
        """Each event once to five times, a few lives' in any order, and then the next few's.

        All of a wave at once would keep every customer's burst going for the whole wave: 25 fetches for each life
        instead of the few that a burst costs.
        """
        groups: dict[int, list[Json]] = {}
        owners: dict[str | None, int] = {}
        for event in events:
            owner = owner_of(event)
            number = owners.setdefault(owner, len(owners)) // TOGETHER
            groups.setdefault(number, []).extend([event] * self.dice.choice(COPIES))
        many = []
        for group in groups.values():
            self.dice.shuffle(group)
            many += group
        return many

    async def connection(self, waiting: Iterator[Json]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web_port)
        for event in waiting:
            # By deliveries, not by seconds: on a slow machine nobody would ever get to work.
            if self.dice.random() < 1 / KILL_EVERY:
                await asyncio.to_thread(self.crew.kill_one)
            body = json.dumps(event).encode()
            head = (
                "POST /webhooks/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Stripe-Signature: {signature(body)}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            if answer[9:12] != b"200":
                raise RuntimeError(f"a delivery was answered {answer[9:12].decode()}")
        writer.close()

    async def done(self) -> None:
        """Raises: RuntimeError when work is left and nothing of it was done for three minutes."""
        looks, fewest = 0, sys.maxsize
        query = (
            "SELECT (SELECT count(*) FROM stripe_sync WHERE wanted_seq > done_seq) + (SELECT count(*)"
            " FROM stripe_event WHERE state = 'received') + (SELECT count(*) FROM dbos.workflow_status"
            " WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED') AND name LIKE 'billing%')"
        )
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            while True:
                (left,) = await (await connection.execute(query)).fetchone() or (0,)
                if left == 0:
                    return
                looks = looks + 1 if left >= fewest else 0
                fewest = min(left, fewest)
                if looks > STUCK_LOOKS:
                    raise RuntimeError(f"{left} pieces of work are never done")
                self.crew.replace_ended()
                await asyncio.sleep(LOOK_S)

    async def reconcile(self) -> None:
        from app.billing.reconciling import reconcile

        report = await reconcile(apply=True, may_take=10**6, say=lambda _words: None)
        if report.failed or report.stopped:
            raise RuntimeError(f"{report.stopped} {report.failed[:3]}")

    async def differences(self, lives: list[Life]) -> dict[int, Json]:
        """By seed, where the oracle tells something else, or where a member holds one thing twice."""
        found: dict[int, Json] = {}
        prices = frozenset((*self.shelf.repeating, *self.shelf.once))
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            rows = await (
                await connection.execute(
                    "SELECT user_id, source_id, extract(epoch FROM ends_at)::bigint FROM entitlement"
                    " WHERE revoked_at IS NULL AND (ends_at IS NULL OR ends_at > now())"
                )
            ).fetchall()
        ours: dict[Any, list[tuple[str, int | None]]] = {}
        for user_id, source, end in rows:
            ours.setdefault(user_id, []).append((source, end))
        now = int(datetime.now(UTC).timestamp())
        for one in lives:
            given: Access = access(one.books(), prices, one.ours, now)
            told = sorted((source, end) for (source, _price), end in given.items())
            held = sorted(ours.get(one.user_id, []))
            if told != held:
                found[one.seed] = {"oracle": told, "limber": held}
        return found

    def empty(self) -> None:
        """Forget the wave's people, so that a wave late in the run is like the first one."""
        with psycopg.connect(self.url, autocommit=True) as connection, connection.transaction():
            # Neither foreign keys nor the triggers that forbid deleting.
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("; ".join(f"DELETE FROM {name}" for name in EMPTIED).encode())


async def shelf(stand: StandIn) -> Shelf:
    """Two plans that are paid again and again, one that is paid once; each covers everything."""
    from sqlalchemy import select

    from app import db
    from app.billing import plans, stripe_api
    from app.billing.plan_models import PlanPrice

    for name, cents, interval in PRICES:
        draft = plans.PlanDraft(name=name, slug=name.lower(), amount_cents=cents, interval=interval)
        async with db.transaction() as session:
            made = await plans.create(session, None, draft)
        await plans.push(made.id)
    # The account's id is made when it is first asked for, and every copy of the file has the same one.
    await stripe_api.account_id()
    async with db.transaction() as session:
        rows = (await session.scalars(select(PlanPrice))).all()
    assert stand.store is not None
    once = tuple(row.stripe_price_id for row in rows if row.amount_cents == 4900)
    repeating = tuple(row.stripe_price_id for row in rows if row.amount_cents != 4900)
    return Shelf(repeating, once, {row.stripe_price_id: row.plan_id for row in rows})


async def run(url: str, folder: Path, minutes: float, waves: list[list[int]]) -> None:
    """A wave for each list of seeds, and a JSON line for each wave; none is begun after so many minutes (0: never)."""
    from app import db
    from app.billing import stripe_api

    logging.getLogger("limber.billing").setLevel(logging.CRITICAL)
    stand = StandIn(folder)
    stand.start("shelf")
    os.environ.update(
        STRIPE_SECRET_KEY=KEY,
        STRIPE_WEBHOOK_SECRET=SECRET,
        STRIPE_API_BASE=stand.served.url,
        DATABASE_URL=url,
    )
    db.open_database(url, pool_size=4)
    sold = await shelf(stand)
    await stripe_api.close()
    stand.stop()
    dice = random.Random(waves[0][0])
    deadline = time.monotonic() + minutes * 60 if minutes else float("inf")
    with ExitStack() as held:
        box, port = Box(), free_port()
        mail = Controller(box, hostname="127.0.0.1", port=port)
        mail.start()
        held.callback(mail.stop)
        os.environ["SMTP_URL"] = f"smtp://127.0.0.1:{port}"
        web = held.enter_context(serving())
        crew = Crew(dice)
        held.callback(crew.end)
        for number, seeds in enumerate(waves):
            if time.monotonic() > deadline:
                break
            stand.start(f"wave{number}", copied_from="shelf")
            lane = Lane(url, stand, sold, web.port, crew, dice)
            seen = await lane.wave(seeds)
            await stripe_api.close()
            stand.stop()
            (folder / f"wave{number}.sqlite").unlink()
            lane.empty()
            print(json.dumps(vars(seen)), flush=True)
    await db.close_database()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), json.load(sys.stdin)))
