"""How often one network may write to the teacher, and how often she is told of it."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import throttle
from app.accounts.rules import Bucket, Limit, network
from app.articles.rules import THROTTLE_LIMIT, THROTTLE_WINDOW

# A flood from a thousand networks fills the queue, not her mailbox.
TELLING = Limit("told", 30, timedelta(hours=1))
# Of what came without any work, by people without JavaScript or by programs.
UNPROVEN = Limit("told-unproven", 5, timedelta(hours=1))


async def may_write(db: AsyncSession, kind: str, ip: str, now: datetime) -> bool:
    """Count one more `kind` ("respond", "contact") from this network, unless there were too many in this window."""
    limit = Limit(kind, THROTTLE_LIMIT, THROTTLE_WINDOW)
    return await throttle.allow(db, [Bucket(f"{kind}:{network(ip)}", limit)], now)


async def may_tell(db: AsyncSession, now: datetime) -> bool:
    """Count one more mail about a response, unless there were too many within the hour."""
    return await throttle.allow(db, [Bucket("told:responses", TELLING)], now)


async def may_pass_on(db: AsyncSession, *, is_worked: bool, now: datetime) -> bool:
    """Count one more mail with a message, unless there were too many within the hour; without work sooner."""
    buckets = [Bucket("told:messages", TELLING)]
    if not is_worked:
        buckets.append(Bucket("told:messages:unproven", UNPROVEN))
    return await throttle.allow(db, buckets, now)
