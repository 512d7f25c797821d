"""Durable work: it commits with its cause, happens once, and survives the death of its worker."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app import db, jobs
from app.jobs import engine, lifeline

seen: list[str] = []


@engine.workflow("test_note")
async def note(word: str) -> None:
    seen.append(word)


@pytest.fixture
async def worker(database: db.Database) -> AsyncIterator[str]:
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    await engine.register_queues(encode_concurrency=1)
    seen.clear()
    yield executor_id
    await asyncio.to_thread(engine.stop, 1)


async def until(condition: object, seconds: float = 10) -> None:
    for _ in range(int(seconds * 20)):
        if callable(condition) and condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


async def test_work_is_done_once_although_enqueued_twice(worker: str) -> None:
    async with db.transaction() as session:
        await jobs.enqueue(session, "test_note", {"word": "hip"}, workflow_id="note:1")
        await jobs.enqueue(session, "test_note", {"word": "hip"}, workflow_id="note:1")
    await until(lambda: seen)
    await asyncio.sleep(0.5)
    assert seen == ["hip"]


async def test_a_rolled_back_cause_leaves_no_work(database: db.Database) -> None:
    async def fail_after_enqueueing() -> None:
        async with db.transaction() as session:
            await jobs.enqueue(session, "test_note", {"word": "never"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_enqueueing()
    async with db.transaction() as session:
        assert (await session.execute(text("SELECT count(*) FROM dbos.workflow_status"))).scalar_one() == 0


async def test_work_of_a_dead_executor_is_taken_over(worker: str) -> None:
    async with db.transaction() as session:
        await jobs.enqueue(session, "test_note", {"word": "knee"}, queue="nobody", workflow_id="note:2")
        await session.execute(
            text(
                "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'gone', queue_name = 'default'"
            )
        )
    assert await lifeline.take_over(worker) == ["gone"]
    await until(lambda: seen == ["knee"])


async def test_a_worker_that_was_declared_dead_learns_it_at_its_next_beat(worker: str) -> None:
    await lifeline.beat(worker)
    async with db.transaction() as session:
        await session.execute(text("UPDATE worker_heartbeat SET taken_over_at = now()"))
    with pytest.raises(lifeline.TakenOver):
        await lifeline.beat(worker)
