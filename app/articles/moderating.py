"""What staff do with responses: approve, spam, remove, hold again, undo, and answer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.accounts.rules import tidy
from app.articles import following, reporting
from app.articles.markdown import render_response
from app.articles.models import Comment
from app.articles.rules import RESPONSE_CHARS
from app.errors import BadInput, NotFound
from app.i18n import _

# What a moderator presses, and the state that a response is in afterwards.
OUTCOMES = {"approve": "approved", "spam": "spam", "remove": "removed", "hold": "pending"}
MOST_AT_ONCE = 100


async def moderate(
    db: AsyncSession, viewer: Viewer, ids: Sequence[UUID], action: str, now: datetime
) -> dict[UUID, str]:
    """Apply one of OUTCOMES to responses; answers the state that each changed one had before.

    Raises:
        BadInput: for an unknown action, nothing chosen, or more than 100 at once.
    """
    state = OUTCOMES.get(action)
    if state is None:
        raise BadInput(_("Please choose what to do with these responses."))
    if not ids:
        raise BadInput(_("Please choose at least one response."))
    if len(ids) > MOST_AT_ONCE:
        raise BadInput(_("Please choose at most 100 responses at once."))
    await reporting.settle(db, ids, now)
    before: dict[UUID, str] = {}
    for comment in await db.scalars(select(Comment).where(Comment.id.in_(ids)).with_for_update()):
        if comment.state == state:
            continue
        before[comment.id] = comment.state
        _set_state(comment, state, now)
        if state == "approved":
            await following.on_shown(db, comment, now)
        audit.record(
            db, viewer.user_id, f"response.{action}", "response", comment.id, before=before[comment.id]
        )
    return before


async def undo(db: AsyncSession, viewer: Viewer, before: dict[UUID, str], action: str, now: datetime) -> int:
    """Give responses back the state they had, unless somebody has decided otherwise meanwhile; answers how many.

    Raises:
        BadInput: for an unknown action or state.
    """
    state = OUTCOMES.get(action)
    if state is None or not set(before.values()) <= set(OUTCOMES.values()) or len(before) > MOST_AT_ONCE:
        raise BadInput(_("This cannot be undone any more."))
    rows = await db.scalars(
        select(Comment).where(Comment.id.in_(before), Comment.state == state).with_for_update()
    )
    undone = 0
    for comment in rows:
        _set_state(comment, before[comment.id], now)
        if comment.state == "approved":
            await following.on_shown(db, comment, now)
        audit.record(db, viewer.user_id, "response.undo", "response", comment.id, undid=action)
        undone += 1
    return undone


async def answer(db: AsyncSession, viewer: Viewer, comment_id: UUID, words: str, now: datetime) -> Comment:
    """The teacher's reply, shown at once; a held response is approved by it.

    Raises:
        NotFound: when the response is gone.
        BadInput: (field "body") for an empty reply, or one to spam or to a removed response.
    """
    parent = await db.get(Comment, comment_id)
    if parent is None:
        raise NotFound
    words = tidy(words.replace("\r\n", "\n")).strip()
    if not words:
        raise BadInput(_("Please write your reply."), field="body")
    if len(words) > RESPONSE_CHARS:
        raise BadInput(_("The response is longer than 8,000 characters. Please shorten it."), field="body")
    if parent.state in ("spam", "removed"):
        raise BadInput(_("Approve the response first; then you can reply to it."), field="body")
    if parent.state == "pending":
        _set_state(parent, "approved", now)
        await following.on_shown(db, parent, now)
        audit.record(db, viewer.user_id, "response.approve", "response", parent.id, before="pending")
    reply = Comment(
        id=uuid4(),
        article_id=parent.article_id,
        parent_id=parent.id,
        user_id=viewer.user_id,
        name=viewer.name,
        email=viewer.email,
        is_author=True,
        body_md=words,
        body_html=render_response(words),
        state="approved",
        created_at=now,
        moderated_at=now,
    )
    db.add(reply)
    await db.flush()
    await following.on_shown(db, reply, now)
    audit.record(db, viewer.user_id, "response.reply", "response", reply.id, to=str(parent.id))
    return reply


def _set_state(comment: Comment, state: str, now: datetime) -> None:
    comment.state = state
    comment.moderated_at = None if state == "pending" else now
