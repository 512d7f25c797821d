"""Slows down guessing and mail floods: counts tries in the database, so that every web process counts together."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Attempt
from app.accounts.rules import Bucket
from app.db import Querying

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 7))")


async def allow(db: Querying, buckets: Sequence[Bucket], now: datetime) -> bool:
    """Count one try in every bucket, unless one of them is full. Use a short transaction of its own.

    A refused try is not counted, so whoever keeps trying is let in again once the window has passed.
    """
    # Tries that arrive together would each count too few. One order, so no two wait in a circle.
    for bucket in sorted(buckets, key=lambda each: each.key):
        await db.execute(_LOCK, {"key": bucket.key})
    for bucket in buckets:
        since = now - bucket.limit.window
        tries = await db.scalar(
            select(func.count()).select_from(Attempt).where(Attempt.bucket == bucket.key, Attempt.at > since)
        )
        if (tries or 0) >= bucket.limit.tries:
            return False
    await db.execute(insert(Attempt), [{"bucket": bucket.key, "at": now} for bucket in buckets])
    return True


async def forgive(db: AsyncSession, pair: Bucket, network: Bucket) -> None:
    """After a right password: that address's failures from here are forgotten, and this try costs the network nothing.

    The network's other tries stay, so that an own account does not buy more guesses at others.
    """
    await db.execute(delete(Attempt).where(Attempt.bucket == pair.key))
    newest = select(func.max(Attempt.id)).where(Attempt.bucket == network.key).scalar_subquery()
    await db.execute(delete(Attempt).where(Attempt.id == newest))


async def forget(db: AsyncSession, bucket: Bucket) -> None:
    await db.execute(delete(Attempt).where(Attempt.bucket == bucket.key))
