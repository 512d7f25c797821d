"""What earlier runs of the same site brought, so that links of a later part lead there. An export may come in parts."""

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import Article, OldAddress
from app.moving.models import Arrival
from app.moving.wordpress.index import Index
from app.moving.wordpress.writing import ARTICLE


async def recall(db: AsyncSession, source: str, index: Index) -> None:
    """Give articles of earlier runs the address that they have, also those that are not in these files."""
    rows = await db.execute(
        select(Arrival.foreign_id, Article.id, Article.slug, Article.is_listed, Article.created_at)
        .join(Article, cast(Article.id, Text) == Arrival.target)
        .where(Arrival.source == source, Arrival.kind == ARTICLE)
    )
    apart = {}
    for number, article_id, slug, is_listed, created_at in rows:
        if index.kind(number):
            index.set_slug(number, slug)
            index.set_came(number, created_at)
        else:
            apart[article_id] = number
            index.add_earlier(number, "post" if is_listed else "page", slug)
    known = list(apart)
    for start in range(0, len(known), 5000):
        paths = await db.execute(
            select(OldAddress.path, OldAddress.article_id).where(
                OldAddress.article_id.in_(known[start : start + 5000])
            )
        )
        for path, owner in paths:
            if owner is not None:
                index.add_address(path, apart[owner])
