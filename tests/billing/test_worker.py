"""The real engine: a delivery becomes an entitlement by itself, and a plan comes to Stripe by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest

from app import worker
from app.jobs import engine, lifeline
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till


@pytest.fixture
async def working(till: Till) -> AsyncIterator[None]:
    """The worker's engine with all its handlers, in this process."""
    worker.register_handlers()
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(tills.database_url(), executor_id)
    await engine.register_queues(encode_concurrency=1)
    yield
    await asyncio.to_thread(engine.stop, 2)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> float:
    """Wait; answers how long it took, in seconds."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if await condition():
            return time.monotonic() - start
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


async def test_webhooks_alone_open_and_close_the_lessons(till: Till, working: None) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.deliver(till.fresh_events())

    async def entitled() -> bool:
        return await tills.is_entitled(user.id)

    async def denied() -> bool:
        return not await entitled()

    await until(entitled)
    await till.portal("cancel_now")
    await till.deliver(till.fresh_events())
    await until(denied)
    assert await tills.ledger(user.id) == ["given", "ended"]
    assert await tills.mails() == ["subscription_started", "subscription_ended"]
    customer = await tills.customer_id(user.id)

    async def caught_up() -> bool:
        wanted, done = await tills.progress(customer)
        return wanted == done

    await until(caught_up)
    assert {one.state for one in await tills.event_rows() if one.customer_id} == {"applied"}


async def test_a_plan_made_in_the_studio_is_on_sale_by_itself(till: Till, working: None) -> None:
    teacher = await till.member(role="staff")
    made = await till.client.post("/studio/plans", data={"name": "Monthly", "amount": "18.50"})
    assert made.status_code == 303

    async def on_sale() -> bool:
        return "Join for $18.50 a month" in (await till.client.get("/plans")).text

    await until(on_sale)
    (price,) = (await till.api.v1.prices.list_async()).data
    assert (price.unit_amount, price.currency) == (1850, "usd")
    assert isinstance(teacher.id, UUID)
    await factories.sign_in(till.client, teacher)
    assert "On sale" in (await till.client.get("/studio/plans")).text
