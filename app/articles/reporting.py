"""A reader reports a response: staff are told once, and decide; nothing is hidden by itself."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.rules import network, tidy
from app.articles.models import Article, Comment, Report
from app.articles.shown import shown
from app.errors import BadInput, NotFound
from app.i18n import _
from app.jobs import enqueue

REASON_CHARS = 600


async def find(db: AsyncSession, comment_id: UUID, now: datetime) -> tuple[Comment, Article]:
    """A response that is shown, and its article.

    Raises:
        NotFound: when it is not, or not any more.
    """
    row = (
        await db.execute(
            select(Comment, Article)
            .join(Article, Article.id == Comment.article_id)
            .where(Comment.id == comment_id, Comment.state == "approved", shown(now))
        )
    ).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


async def report(
    db: AsyncSession, comment_id: UUID, reason: str, *, ip: str, notify: Sequence[str], now: datetime
) -> Article:
    """Note that somebody finds a response wrong here; again from the same network changes nothing.

    Raises:
        NotFound: when the response is not shown (any more).
        BadInput: (field "reason") when it is too long.
    """
    comment, article = await find(db, comment_id, now)
    reason = tidy(reason.replace("\r\n", "\n")).strip()
    if len(reason) > REASON_CHARS:
        raise BadInput(_("Please keep this below 600 characters."), field="reason")
    await db.execute(
        insert(Report)
        .values(comment_id=comment_id, network=network(ip), reason=reason, created_at=now)
        .on_conflict_do_nothing(index_elements=["comment_id", "network"])
    )
    for address in notify:
        context = {
            "name": comment.name,
            "words": comment.body_md,
            "reason": reason,
            "article_title": article.title,
        }
        await enqueue(
            db,
            "send_mail",
            {"template": "response_reported", "to": address, "context": context},
            workflow_id=f"mail:reported:{comment_id}:{address}",
        )
    return article


async def settle(db: AsyncSession, ids: Collection[UUID], now: datetime) -> None:
    """Staff have decided about these responses, whichever way."""
    await db.execute(
        update(Report).where(Report.comment_id.in_(ids), Report.handled_at.is_(None)).values(handled_at=now)
    )
