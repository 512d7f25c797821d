"""What an article said before: kept with each save, shown beside what it says now, and brought back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.articles.models import Article, ArticleRevision
from app.errors import NotFound

MOST_SHOWN = 200


@dataclass(frozen=True)
class RevisionLine:
    """One saved state. `by`: who saved it, None when it came from elsewhere or the account is gone."""

    id: UUID
    saved_at: datetime
    by: str | None
    title: str
    words: int


async def keep(db: AsyncSession, article: Article, saved_by: UUID | None, now: datetime) -> None:
    """Keep what the article says now, unless that is what was kept last."""
    last = await db.scalar(
        select(ArticleRevision)
        .where(ArticleRevision.article_id == article.id)
        .order_by(ArticleRevision.saved_at.desc(), ArticleRevision.id)
        .limit(1)
    )
    says = (article.title, article.summary, article.body_md)
    if last is not None and (last.title, last.summary, last.body_md) == says:
        return
    db.add(
        ArticleRevision(
            article_id=article.id,
            title=article.title,
            summary=article.summary,
            body_md=article.body_md,
            saved_by=saved_by,
            saved_at=now,
        )
    )
    await db.flush()


async def lines(db: AsyncSession, article_id: UUID) -> list[RevisionLine]:
    """The states of an article, the newest first."""
    rows = await db.execute(
        select(ArticleRevision, User.name)
        .outerjoin(User, User.id == ArticleRevision.saved_by)
        .where(ArticleRevision.article_id == article_id)
        .order_by(ArticleRevision.saved_at.desc(), ArticleRevision.id)
        .limit(MOST_SHOWN)
    )
    return [
        RevisionLine(row.id, row.saved_at, name, row.title, len(row.body_md.split())) for row, name in rows
    ]


async def find(db: AsyncSession, article_id: UUID, revision_id: UUID) -> ArticleRevision:
    """One state of an article.

    Raises:
        NotFound: when it is not this article's.
    """
    found = await db.get(ArticleRevision, revision_id)
    if found is None or found.article_id != article_id:
        raise NotFound
    return found
