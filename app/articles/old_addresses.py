"""Old addresses lead on for good: of articles whose address changed, and of the site that they came from."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import Article, OldAddress
from app.articles.paths import address, forms, kept, numbered
from app.articles.shown import shown
from app.clock import utcnow


async def find(db: AsyncSession, path: str, query: str = "") -> str | None:
    """Where what was at this address is now, for everybody; None when nothing was. `query` without its "?"."""
    number = numbered(path, query)
    wanted = [*([number] if number else []), *forms(path)]
    if not wanted:
        return None
    rows = await db.execute(
        select(OldAddress.path, OldAddress.target, Article.slug, Article.is_listed)
        .outerjoin(Article, Article.id == OldAddress.article_id)
        .where(OldAddress.path.in_(wanted))
        .where((OldAddress.target.is_not(None)) | shown(utcnow()))
    )
    found = {at: target or address(slug, is_listed) for at, target, slug, is_listed in rows}
    return next((found[one] for one in wanted if one in found), None)


async def remember(db: AsyncSession, paths: Iterable[str], *, article_id: UUID) -> int:
    """Let these paths lead to an article from now on, wherever it moves; answers how many were new."""
    return await _remember(db, paths, article_id=article_id, target=None)


async def remember_target(db: AsyncSession, paths: Iterable[str], target: str) -> int:
    """Let these paths lead to an address of this site; answers how many were new."""
    return await _remember(db, paths, article_id=None, target=target)


async def _remember(
    db: AsyncSession, paths: Iterable[str], *, article_id: UUID | None, target: str | None
) -> int:
    rows = [
        {"path": path, "article_id": article_id, "target": target, "created_at": utcnow()}
        for path in dict.fromkeys(kept(one) for one in paths)
        if path
    ]
    if not rows:
        return 0
    # Whoever had the path first keeps it: a second import must not take what the teacher's own change wrote.
    made = insert(OldAddress).values(rows).on_conflict_do_nothing().returning(OldAddress.path)
    return len(list(await db.scalars(made)))
