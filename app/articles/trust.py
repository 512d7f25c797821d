"""What the teacher has decided about earlier responses of whoever sends one now (docs/adr/0021)."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.letting_in import Standing
from app.articles.models import Comment, Follow, Report
from app.articles.writers import Sender


async def standing(db: AsyncSession, sender: Sender, email: str, *, but: UUID | None = None) -> Standing:
    """Of an account with a confirmed address: its responses. Of a guest: those with this address from this browser,
    and, where this browser has confirmed the address from a mail, those with this address from any.

    What spoils it is only counted for the own account or browser: anybody may claim an address. `but` is left out.
    """
    if sender.viewer is not None:
        if not sender.is_confirmed:
            return Standing()
        own: ColumnElement[bool] = Comment.user_id == sender.viewer.user_id
        counted = own
    elif sender.writer is not None:
        own = Comment.writer == sender.writer
        is_proven = exists().where(
            Follow.email == email, Follow.writer == sender.writer, Follow.confirmed_at.is_not(None)
        )
        counted = and_(Comment.user_id.is_(None), Comment.email == email, or_(own, is_proven))
    else:
        return Standing()
    is_shown = Comment.state == "approved"
    # What a program may have sent holds nobody.
    is_reported = exists().where(
        Report.comment_id == Comment.id, Report.handled_at.is_(None), ~Report.is_trapped
    )
    wanted = select(
        func.count().filter(counted, is_shown),
        func.count().filter(own, Comment.state == "spam"),
        func.count().filter(own, is_shown, is_reported),
    ).where(or_(own, counted))
    if but is not None:
        wanted = wanted.where(Comment.id != but)
    row = (await db.execute(wanted)).one()
    return Standing(row[0], row[1], row[2])
