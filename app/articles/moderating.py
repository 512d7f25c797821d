"""What staff do with responses: approve, spam, remove, hold again, undo, and answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, select
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


@dataclass(frozen=True)
class Decided:
    """The state that each changed response had before, and how many were left alone: their words changed meanwhile."""

    before: dict[UUID, str]
    unread: int = 0


async def moderate(
    db: AsyncSession,
    viewer: Viewer,
    ids: Sequence[UUID],
    action: str,
    now: datetime,
    *,
    seen: Mapping[UUID, int] | None = None,
) -> Decided:
    """Apply one of OUTCOMES to responses. `seen`: how often each had been edited when its words were read.

    What was edited since is not approved: its writer could show one text and publish another.

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
    before: dict[UUID, str] = {}
    unread: set[UUID] = set()
    for comment in await db.scalars(_theirs(ids)):
        if state == "approved" and comment.edits != (seen or {}).get(comment.id, comment.edits):
            unread.add(comment.id)
            continue
        if comment.state == state:
            continue
        before[comment.id] = comment.state
        _set_state(comment, state, now)
        if state == "approved":
            await following.on_shown(db, comment, now)
        audit.record(
            db, viewer.user_id, f"response.{action}", "response", comment.id, before=before[comment.id]
        )
    await reporting.settle(db, set(ids) - unread, now)
    return Decided(before, len(unread))


def _theirs(ids: Sequence[UUID]) -> Select[Comment]:
    """These responses, without those that were taken back."""
    return select(Comment).where(Comment.id.in_(ids), Comment.state != "withdrawn").with_for_update()


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
        edited, decided = comment.edited_at, comment.moderated_at
        is_changed = edited is not None and decided is not None and edited > decided
        # Words that nobody has read are not put on the page.
        was = before[comment.id]
        _set_state(comment, "pending" if is_changed and was == "approved" else was, now)
        if comment.state == "approved":
            await following.on_shown(db, comment, now)
        audit.record(db, viewer.user_id, "response.undo", "response", comment.id, undid=action)
        undone += 1
    return undone


async def answer(
    db: AsyncSession, viewer: Viewer, comment_id: UUID, words: str, now: datetime, *, seen: int | None = None
) -> Comment:
    """The teacher's reply, shown at once; a held response is approved by it. `seen`: as for `moderate`.

    Raises:
        NotFound: when the response is gone.
        BadInput: (field "body") for an empty reply, or one to spam, to a removed response, or to one that was edited.
    """
    parent: Comment | None = await db.scalar(_theirs([comment_id]))
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
        if seen is not None and seen != parent.edits:
            raise BadInput(
                _("This response was changed while you read it. Please read it again."), field="body"
            )
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
    comment.state, comment.cause = state, ""
    comment.moderated_at = None if state == "pending" else now
