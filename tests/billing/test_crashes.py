"""Web and worker are killed at each point of an event's way; what follows is as if nothing had been, mails included.

Nothing of ours is replaced: `limber serve` and `limber worker` are processes that get SIGKILL. They are held where they
shall die by PostgreSQL (a trigger that waits for the test's lock) or by an answer of the stand-in's that takes long.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller

from app.settings import get_settings
from bench.start import free_ports
from sandbox.stripe.resources.webhook_endpoints import register
from sandbox.stripe.world import World, default_now
from tests.billing import till as tills
from tests.billing.till import SECRET, Till
from tests.test_worker import Box
from tests.video.crashing import Gate, Workers, until, workers
from tests.web.server import Server

pytestmark = pytest.mark.xdist_group("crashes")
SLOW_ANSWER_S = 30


@dataclass(frozen=True)
class Place:
    """Where the worker dies. `begun`: fetches that were begun by then; `written`: lines that are in the ledger by then.

    It stands before that change of a row, or in the COMMIT after it; `onward`: the commit is made all the same.
    """

    name: str
    event: str
    table: str
    when: str
    begun: int
    written: int
    at_commit: bool = False
    onward: bool = False


CLAIM = ("UPDATE", "stripe_sync", "NEW.fence > OLD.fence")
LEDGER = ("INSERT", "entitlement_entry", "true")
PLACES = (
    Place("claiming", *CLAIM, begun=0, written=0),
    Place("claimed-and-never-told", *CLAIM, begun=1, written=0, at_commit=True, onward=True),
    Place("written-but-not-committed", *LEDGER, begun=1, written=0, at_commit=True),
    Place("committed-and-never-told", *LEDGER, begun=1, written=1, at_commit=True, onward=True),
    Place(
        "done-but-not-recorded",
        "INSERT",
        "dbos.operation_outputs",
        "NEW.function_name = '_sync_step'",
        begun=1,
        written=1,
    ),
)
QUICK = ("committed-and-never-told",)


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, till: Till) -> Iterator[Box]:
    """A mail server that keeps what the worker sends."""
    port = free_ports()
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    get_settings.cache_clear()
    kept = Box()
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    yield kept
    server.stop()


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


async def settled(url: str) -> None:
    """Until no work is left, of any kind, and every customer is as far as wanted: no mail can come after that."""

    async def is_quiet() -> bool:
        left = await asyncio.to_thread(
            rows,
            url,
            "SELECT 1 FROM dbos.workflow_status WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED')"
            " UNION ALL SELECT 1 FROM stripe_sync WHERE wanted_seq > done_seq",
        )
        return not left

    await until(is_quiet, 60, "the work does not come to an end")


async def killed_where(crew: Workers, is_there: Callable[[], Awaitable[bool]], place: str) -> None:
    """Start a worker, wait until it is there, and kill it."""
    crew.start(1)
    (pid,) = crew.running
    await until(is_there, 60, f"no worker came to this place: {place}")
    crew.kill(pid)


async def is_given_once(till: Till, box: Box, user_id: Any) -> None:
    """One right, one line in the ledger, one mail; and when the membership ends, again one line and one mail."""
    assert await tills.is_entitled(user_id)
    assert await tills.ledger(user_id) == ["given"]
    assert await tills.mails() == ["subscription_started"]
    assert len(box.mails) == 1
    await till.portal("cancel_now")
    await till.deliver(till.fresh_events())
    await settled(tills.database_url())
    assert not await tills.is_entitled(user_id)
    assert await tills.ledger(user_id) == ["given", "ended"]
    assert [str(one["To"]) for one in box.mails] == 2 * [str(box.mails[0]["To"])]
    assert len({str(one["Subject"]) for one in box.mails}) == 2
    assert {one.state for one in await tills.event_rows() if one.customer_id} == {"applied"}


@pytest.mark.parametrize(
    "place",
    [pytest.param(one, id=one.name, marks=[] if one.name in QUICK else [pytest.mark.long]) for one in PLACES],
)
async def test_a_worker_killed_at_any_point_leaves_one_right_and_one_mail(
    till: Till, box: Box, place: Place
) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.deliver(till.fresh_events())
    url, customer = tills.database_url(), await tills.customer_id(user.id)
    with workers(url, 0) as crew:
        gate = Gate(url, 20, place.event, place.table, place.when, at_commit=place.at_commit)
        with ExitStack() as held:
            held.callback(gate.open, onward=place.onward)

            async def stands() -> bool:
                return bool(await asyncio.to_thread(gate.standing))

            await killed_where(crew, stands, place.name)
        found = rows(url, f"SELECT fence FROM stripe_sync WHERE customer_id = '{customer}'")
        assert (found, len(await tills.ledger(user.id))) == ([(place.begun,)], place.written)
        assert box.mails == [], "nobody is left who could send one"
        crew.start(1)
        await settled(url)
        await is_given_once(till, box, user.id)


@pytest.mark.long
async def test_a_worker_killed_while_stripe_is_asked_leaves_one_right_and_one_mail(
    till: Till, box: Box
) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.deliver(till.fresh_events())
    url = tills.database_url()
    desk = f"{till.stand.url}/sandbox/trouble"
    await till.browser.post(desk, json={"path": "/v1/subscriptions", "delay_s": SLOW_ANSWER_S})
    with workers(url, 0) as crew:

        async def asks() -> bool:
            return bool((await till.browser.get(desk)).json() == {"waiting": 0})

        await killed_where(crew, asks, "asking")
        wanted, done = await tills.progress(await tills.customer_id(user.id))
        assert done == 0 < wanted
        crew.start(1)
        await settled(url)
        await is_given_once(till, box, user.id)


@pytest.mark.long
@pytest.mark.parametrize("onward", [False, True], ids=["before-its-commit", "after-its-commit"])
async def test_a_web_process_killed_while_it_takes_an_event_loses_and_doubles_nothing(
    till: Till, box: Box, tmp_path: Path, onward: bool
) -> None:
    user, slug = await till.member(), await till.plan()
    till.stand.retries_s = (0.5,) * 60
    till.stand.restart()
    url = tills.database_url()
    web = Server(url, tmp_path)
    web.start()
    with till.stand.store.transaction():
        now = default_now(till.stand.store)
        register(World(till.stand.store, now, now, ""), f"{web.url}/webhooks/stripe", SECRET)
    kind = "customer.subscription.created"
    gate = Gate(url, 20, "INSERT", "stripe_event", f"NEW.type = '{kind}'", at_commit=True)
    with ExitStack() as held:
        held.callback(gate.open, onward=onward)
        await till.buy(slug)

        async def stands() -> bool:
            return bool(await asyncio.to_thread(gate.standing))

        await until(stands, 30, "the event does not come")
        await asyncio.to_thread(web.kill)
    taken = rows(url, f"SELECT deliveries FROM stripe_event WHERE type = '{kind}'")
    assert taken == ([(1,)] if onward else [])
    await asyncio.to_thread(web.start)

    async def all_taken() -> bool:
        return {state for state, _tries in till.stand.deliveries()} == {"delivered"}

    try:
        await until(all_taken, 60, "Stripe's repetition does not come")
    finally:
        await asyncio.to_thread(web.stop)
        web.said.close()
    again = rows(url, f"SELECT deliveries FROM stripe_event WHERE type = '{kind}'")
    assert again == [(2 if onward else 1,)]
    with workers(url, 1):
        await settled(url)
        till.fresh_events()
        await is_given_once(till, box, user.id)
