"""A response stays its writer's for ten minutes: they change its words, or take it back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.rules import tidy
from app.articles import bans, letting_in, responding, trust
from app.articles.letting_in import Verdict
from app.articles.markdown import render_response
from app.articles.models import Article, Comment, Follow
from app.articles.rules import RESPONSE_CHARS, Suspicion
from app.articles.writers import Sender
from app.errors import BadInput, Gone, NotFound
from app.i18n import _


async def find_own(
    db: AsyncSession, comment_id: UUID, sender: Sender, now: datetime, *, locked: bool = False
) -> tuple[Comment, Article]:
    """The sender's own response while it may be changed, and its article.

    Raises:
        NotFound: when it is somebody else's, or not there any more.
        Gone: when ten minutes have passed.
    """
    wanted = (
        select(Comment, Article)
        .join(Article, Article.id == Comment.article_id)
        .where(Comment.id == comment_id, Comment.state.in_(("approved", "pending", "spam")))
    )
    if locked:
        wanted = wanted.with_for_update(of=Comment)
    row = (await db.execute(wanted)).first()
    if row is None or not sender.wrote(row[0].user_id, row[0].writer):
        raise NotFound
    if not letting_in.is_editable(row[0].created_at, now):
        raise Gone(
            _(
                "Ten minutes have passed, so this response cannot be changed any more. Write another one below it."
            )
        )
    return row[0], row[1]


async def edit(
    db: AsyncSession,
    comment_id: UUID,
    sender: Sender,
    words: str,
    *,
    notify: Sequence[str],
    suspicion: Suspicion,
    now: datetime,
) -> tuple[Comment, Article]:
    """Other words, under the same rules as new ones; staff are told when that takes it off the page.

    Raises:
        NotFound, Gone: as `find_own`.
        BadInput: (field "body") when there are no words, or too many.
    """
    comment, article = await find_own(db, comment_id, sender, now, locked=True)
    words = tidy(words.replace("\r\n", "\n")).strip()
    if not words:
        raise BadInput(_("Please write your response."), field="body")
    if len(words) > RESPONSE_CHARS:
        raise BadInput(_("The response is longer than 8,000 characters. Please shorten it."), field="body")
    if words == comment.body_md:
        return comment, article
    fresh = letting_in.decide(
        await trust.standing(db, sender, comment.email, but=comment.id),
        is_staff=sender.is_staff,
        is_suspect=suspicion.falls_on(f"{comment.name}\n{words}"),
        is_banned=await bans.against(db, sender, comment.email, now) is not None,
    )
    verdict = letting_in.after_edit(Verdict(comment.state, comment.cause), fresh)
    was_shown = comment.state == "approved"
    comment.body_md = words
    comment.body_html = render_response(words)
    comment.edited_at = now
    comment.edits += 1
    comment.state, comment.cause = verdict.state, verdict.cause
    if was_shown and verdict.state == "pending":
        comment.moderated_at = None
        await responding.tell_staff(db, article, comment, notify, now)
    await db.flush()
    return comment, article


async def withdraw(db: AsyncSession, comment_id: UUID, sender: Sender, now: datetime) -> Article:
    """Its words, name and address are deleted at once; the row stays, because somebody may be answering it just now.

    Raises:
        NotFound, Gone: as `find_own`.
    """
    comment, article = await find_own(db, comment_id, sender, now, locked=True)
    await db.execute(delete(Follow).where(Follow.comment_id == comment.id))
    comment.state, comment.cause = "withdrawn", ""
    comment.name = comment.email = comment.email_hash = comment.body_md = comment.body_html = comment.ip = ""
    comment.writer = comment.user_id = None
    comment.moderated_at = now
    await db.flush()
    return article
