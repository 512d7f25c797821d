"""Showing a draft to somebody without an account: a link that works for two weeks, and until it is out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import links
from app.accounts.links import Claims, Purpose
from app.articles.models import Article
from app.errors import LinkExpired


def link(article: Article, now: datetime) -> str:
    """The whole address. Whoever has it reads the draft as it is when they open it."""
    return links.url(Purpose.DRAFT, Claims(str(article.id), "", {}), now)


async def read(db: AsyncSession, token: str, now: datetime) -> Article:
    """The article of a link, whether it is a draft still, waits for its day, or is out by now.

    Raises:
        LinkExpired: when it is forged or too old, or the article is gone.
    """
    claims = links.read(token, Purpose.DRAFT, now)
    try:
        article = await db.get(Article, UUID(claims.subject))
    except ValueError:
        raise LinkExpired from None
    if article is None:
        raise LinkExpired
    return article
