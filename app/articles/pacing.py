"""How often one network may write to the teacher."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import throttle
from app.accounts.rules import Bucket, Limit, network
from app.articles.rules import THROTTLE_LIMIT, THROTTLE_WINDOW


async def may_write(db: AsyncSession, kind: str, ip: str, now: datetime) -> bool:
    """Count one more `kind` ("respond", "contact") from this network, unless there were too many in this window."""
    limit = Limit(kind, THROTTLE_LIMIT, THROTTLE_WINDOW)
    return await throttle.allow(db, [Bucket(f"{kind}:{network(ip)}", limit)], now)
