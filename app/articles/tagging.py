"""What an article is about: its tags, made as they are first used."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import ArticleTag, Tag


async def set_typed(db: AsyncSession, article_id: UUID, typed: Mapping[str, str]) -> None:
    """As `set_tags`, for what somebody typed: a tag of that name is meant, whatever its address is."""
    wanted = [name.lower() for name in typed.values()]
    rows = await db.execute(
        select(func.lower(Tag.name), Tag.slug).where(func.lower(Tag.name).in_(wanted)).order_by(Tag.slug)
    )
    known = {row[0]: row[1] for row in rows}
    await set_tags(db, article_id, {known.get(name.lower(), slug): name for slug, name in typed.items()})


async def set_tags(db: AsyncSession, article_id: UUID, names: Mapping[str, str]) -> None:
    """Make these (slug → name) the article's tags, all others not. A tag that is there already keeps its name."""
    await db.execute(delete(ArticleTag).where(ArticleTag.article_id == article_id))
    if not names:
        return
    # In one order everywhere: two writers of the same new tags wait for each other instead of locking up.
    rows = [{"id": uuid4(), "slug": slug, "name": name} for slug, name in sorted(names.items())]
    await db.execute(insert(Tag).on_conflict_do_nothing(index_elements=["slug"]), rows)
    ids = await db.scalars(select(Tag.id).where(Tag.slug.in_(names)))
    db.add_all(ArticleTag(article_id=article_id, tag_id=tag_id) for tag_id in ids)
    await db.flush()
