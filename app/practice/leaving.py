"""A member leaves for good: first nothing is charged any more, then the account goes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts import letters, profile, queries
from app.accounts.models import User
from app.articles.models import Comment, Follow
from app.billing import ending
from app.errors import Conflict, NotFound, Unavailable
from app.i18n import _
from app.waiting.models import Waiting


class StillCharged(Unavailable):
    """Stripe could not be told, so the account stays: nobody may be charged for an account that is gone."""

    code = "still-charged"

    def default_sentence(self) -> str:
        return _(
            "The payment service does not answer, and your membership must end there first. Your account is as it was;"
            " please try again in some minutes."
        )


async def leave(user_id: UUID, password: str, now: datetime) -> None:
    """Delete the member's account; what they paid stays at Stripe and here, without their name.

    Raises:
        BadInput: when the password is not right; field `current`.
        Conflict: for staff, who are taken off the list of staff first.
        StillCharged: when Stripe does not answer. Nothing of ours has changed then; what was cancelled there stays so.
    """
    async with db.transaction() as session:
        user = await profile.check_current_password(session, user_id, password)
        _refuse_staff(user)
    try:
        await ending.end_all(user_id)
    except Unavailable as fault:
        raise StillCharged from fault
    async with db.transaction() as session:
        gone = await queries.locked(session, user_id)
        if gone is None:
            raise NotFound
        _refuse_staff(gone)
        await letters.account_deleted(session, gone, now)
        await ending.forget(session, user_id)
        await _unname(session, user_id)
        await session.execute(delete(Waiting).where(Waiting.email == gone.email))
        await session.execute(delete(User).where(User.id == user_id))


def _refuse_staff(user: User) -> None:
    if user.is_staff:
        raise Conflict(
            _("This account runs the site. Whoever runs the server can take it off the staff first.")
        )


async def _unname(session: AsyncSession, user_id: UUID) -> None:
    """Responses stay where others answered them, under no name; nobody is told of answers to them any more."""
    theirs = select(Comment.id).where(Comment.user_id == user_id)
    await session.execute(delete(Follow).where(Follow.comment_id.in_(theirs)))
    await session.execute(
        update(Comment)
        .where(Comment.user_id == user_id)
        .values(name=_("Former member"), email="", ip="", user_id=None)
    )


async def count_responses(session: AsyncSession, user_id: UUID) -> int:
    """How many responses would stay without a name."""
    found = await session.scalar(
        select(func.count())
        .select_from(Comment)
        .where(Comment.user_id == user_id, Comment.state != "removed")
    )
    return found or 0
