"""Series are begun, filled and arranged; each change leaves an audit entry."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.articles.models import Article, Series, SeriesPart
from app.articles.rules import SeriesDraft
from app.catalog.rules import free_slug, moved, slugify
from app.errors import BadInput, NotFound
from app.i18n import _


async def find(db: AsyncSession, series_id: UUID) -> Series:
    """The series, held against other changes until the commit.

    Raises:
        NotFound: when there is none.
    """
    series: Series | None = await db.get(Series, series_id, with_for_update=True)
    if series is None:
        raise NotFound
    return series


async def create(db: AsyncSession, viewer: Viewer, draft: SeriesDraft, now: datetime) -> Series:
    """An empty series. Without a slug, one is made from the title.

    Raises:
        BadInput: (field "slug") when another series has that address.
    """
    series = Series(id=uuid4(), created_at=now)
    await _fill(db, series, draft)
    db.add(series)
    await db.flush()
    _record(db, viewer, "create", series)
    return series


async def save(db: AsyncSession, viewer: Viewer, series: Series, draft: SeriesDraft) -> None:
    """Raises: BadInput: (field "slug") when another series has that address."""
    await _fill(db, series, draft)
    _record(db, viewer, "save", series)


async def remove(db: AsyncSession, viewer: Viewer, series: Series) -> None:
    """Its articles stay."""
    _record(db, viewer, "delete", series)
    await db.delete(series)


async def add(db: AsyncSession, viewer: Viewer, series: Series, article_id: UUID) -> None:
    """Put an article at the end; one that is gone, or in a series already, is left where it is."""
    if await db.get(Article, article_id) is None:
        return
    order = await _order(db, series.id)
    made = insert(SeriesPart).values(article_id=article_id, series_id=series.id, position=len(order))
    await db.execute(made.on_conflict_do_nothing(index_elements=["article_id"]))
    _record(db, viewer, "arrange", series)


async def take_out(db: AsyncSession, viewer: Viewer, series: Series, article_id: UUID) -> None:
    """The article stays, in no series."""
    await db.execute(
        delete(SeriesPart).where(SeriesPart.article_id == article_id, SeriesPart.series_id == series.id)
    )
    _record(db, viewer, "arrange", series)


async def move(db: AsyncSession, viewer: Viewer, series: Series, article_id: UUID, by: int) -> None:
    """One place up (-1) or down; the ends hold it.

    Raises:
        NotFound: when it is not a part of this series.
    """
    parts = await _order(db, series.id)
    rows = {str(part.article_id): part for part in parts}
    if str(article_id) not in rows:
        raise NotFound
    for position, key in enumerate(moved(list(rows), str(article_id), by)):
        rows[key].position = position
    _record(db, viewer, "arrange", series)


async def _order(db: AsyncSession, series_id: UUID) -> list[SeriesPart]:
    """The parts in order, numbered anew from 0."""
    rows = list(
        await db.scalars(
            select(SeriesPart)
            .where(SeriesPart.series_id == series_id)
            .order_by(SeriesPart.position, SeriesPart.article_id)
        )
    )
    for position, row in enumerate(rows):
        row.position = position
    return rows


async def _fill(db: AsyncSession, series: Series, draft: SeriesDraft) -> None:
    taken = await db.execute(select(Series.slug, Series.title).where(Series.id != series.id))
    others: dict[str, str] = {row[0]: row[1] for row in taken}
    if draft.slug in others:
        sentence = _("“%(title)s” has this address already. Please choose another one.")
        raise BadInput(sentence % {"title": others[draft.slug]}, field="slug")
    series.slug = draft.slug or free_slug(slugify(draft.title) or "series", others)
    series.title, series.summary = draft.title, draft.summary


def _record(db: AsyncSession, viewer: Viewer, deed: str, series: Series) -> None:
    audit.record(db, viewer.user_id, f"series.{deed}", "series", series.id, title=series.title)
