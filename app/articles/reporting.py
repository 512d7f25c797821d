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
    db: AsyncSession,
    comment_id: UUID,
    reason: str,
    *,
    ip: str,
    notify: Sequence[str],
    now: datetime,
    trapped: bool = False,
) -> Article:
    """Note that somebody finds a response wrong here; again from the same network changes nothing.

    `trapped`: a field that people cannot see was filled in, by a program or by a browser that fills in forms for
    somebody; it is noted, marked and not mailed. Sent once more without it, it is like every other.

    Raises:
        NotFound: when the response is not shown (any more).
        BadInput: (field "reason") when it is too long.
    """
    comment, article = await find(db, comment_id, now)
    reason = tidy(reason.replace("\r\n", "\n")).strip()
    if len(reason) > REASON_CHARS:
        raise BadInput(_("Please keep this below 600 characters."), field="reason")
    made = insert(Report).values(
        comment_id=comment_id, network=network(ip), reason=reason, is_trapped=trapped, created_at=now
    )
    same = [Report.comment_id, Report.network]
    # Never the other way: a program must not mark what a reader behind the same network said.
    plain = made.on_conflict_do_update(
        index_elements=same, set_={"reason": reason, "is_trapped": False}, where=Report.is_trapped.is_(True)
    )
    await db.execute(made.on_conflict_do_nothing(index_elements=same) if trapped else plain)
    for address in notify if not trapped else ():
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
