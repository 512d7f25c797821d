"""Staff find it fine from how many networks a member watches."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.queries import by_id
from app.playback.models import SpreadDismissal


async def dismiss(db: AsyncSession, actor_id: UUID, user_id: UUID, now: datetime) -> None:
    """What was until now is not shown again; a new spread is.

    Raises:
        NotFound: when there is no such account.
    """
    user = await by_id(db, user_id)
    wanted = insert(SpreadDismissal).values(user_id=user_id, dismissed_at=now)
    await db.execute(
        wanted.on_conflict_do_update(
            index_elements=["user_id"], set_={"dismissed_at": now}
        ).execution_options(synchronize_session=False)
    )
    audit.record(db, actor_id, "spread.dismiss", "member", user_id, name=user.name)
