"""Tries are counted in the database, by all processes together, and forgotten again."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from app import db
from app.accounts import rules, sessions, sweep, throttle
from app.accounts.models import Attempt, UserSession
from app.accounts.rules import Bucket, Limit
from app.clock import utcnow
from tests import factories

THREE = Limit("t", 3, timedelta(minutes=10))
NOW = utcnow()


async def tried(*buckets: Bucket, later: timedelta = timedelta()) -> bool:
    async with db.transaction() as session:
        return await throttle.allow(session, buckets, NOW + later)


async def count() -> int:
    async with db.transaction() as session:
        return await session.scalar(select(func.count()).select_from(Attempt)) or 0


async def test_the_fourth_of_three_is_refused_until_the_window_has_passed(database: db.Database) -> None:
    bucket = Bucket("t:one", THREE)
    assert [await tried(bucket) for _try in range(4)] == [True, True, True, False]
    assert not await tried(bucket, later=timedelta(minutes=9))
    assert await tried(bucket, later=timedelta(minutes=11))


async def test_a_refused_try_is_not_counted(database: db.Database) -> None:
    full, other = Bucket("t:full", THREE), Bucket("t:other", THREE)
    for _try in range(3):
        await tried(full)
    assert not await tried(full, other)
    assert await count() == 3


async def test_tries_that_arrive_together_are_counted_together(database: db.Database) -> None:
    # Two buckets in either order: whoever locked them as they came would wait in a circle.
    one, other = Bucket("t:a", THREE), Bucket("t:b", THREE)
    pairs = [(one, other), (other, one)] * 5
    allowed = await asyncio.gather(*(tried(*pair) for pair in pairs))
    assert sum(allowed) == 3


async def test_a_right_password_forgets_the_pair_but_not_the_network(database: db.Database) -> None:
    pair, network = rules.sign_in_buckets("kai@example.com", "203.0.113.1")
    for _try in range(3):
        await tried(pair, network)
    async with db.transaction() as session:
        await throttle.forgive(session, pair, network)
        rows = list(await session.scalars(select(Attempt.bucket)))
    assert rows == [network.key] * 2


async def test_the_sweep_removes_what_nobody_needs(database: db.Database) -> None:
    await tried(Bucket("t:old", THREE), later=-timedelta(days=2))
    await tried(Bucket("t:new", THREE))
    async with db.transaction() as session:
        user = await factories.user(session)
        for age in (0, 29, 100):
            at = NOW - timedelta(days=age)
            await sessions.start(session, user, user_agent="", ip="", now=at)
            if age == 29:
                await sessions.revoke_all(session, user.id, at)
    await sweep.sweep(NOW)
    assert await count() == 1
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(UserSession)) == 2
