"""The index made anew from what is there, a piece at a time: readers go on finding while it runs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, distinct, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.articles import indexed as articles
from app.articles.models import Article
from app.catalog import indexed as catalog
from app.catalog.models import Course, Lesson
from app.finding import indexed
from app.finding.models import Term
from app.indexing.models import Document, Word
from app.video import captions_indexed
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video

BATCH = 50
_WRITERS: tuple[tuple[str, Any, Callable[[AsyncSession, Any], Awaitable[None]]], ...] = (
    ("articles", Article, articles.index),
    ("courses", Course, catalog.index_course),
    ("lessons", Lesson, catalog.index_lesson),
    ("transcripts", CaptionTrack, captions_indexed.index),
    ("chapters", Video, lambda db, film: captions_indexed.index_chapters(db, film.id)),
    ("muscles and conditions", Term, indexed.index_term),
)


async def rebuild() -> dict[str, int]:
    """Write every document again, and forget words that stand in none; answers how many of each kind were written.

    May be stopped and begun anew at any moment.
    """
    async with db.transaction() as session:
        # What is written from here on learns its words again.
        await session.execute(delete(Word))
    done = {}
    for name, model, write in _WRITERS:
        done[name] = 0
        async for ids in _batches(model):
            async with db.transaction() as session:
                # Locked, so that a change that comes in between is written after this, not before.
                rows = list(await session.scalars(select(model).where(model.id.in_(ids)).with_for_update()))
                for row in rows:
                    await write(session, row)
                if model in (Article, Lesson):
                    here = {row.id for row in rows}
                    await indexed.index_about(
                        session, here if model is Article else (), here if model is Lesson else ()
                    )
            done[name] += len(rows)
    async with db.transaction() as session:
        await session.execute(text("ANALYZE search_document, search_passage, search_word"))
    return done


async def _batches(model: Any) -> AsyncIterator[list[UUID]]:
    async with db.transaction() as session:
        every = list(await session.scalars(select(model.id).order_by(model.id)))
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]


async def missing(session: AsyncSession) -> int:
    """How many articles, courses, lessons, captions, films with chapters, muscles and conditions have no document: 0
    where all is well."""
    total = 0
    for wanted, kind, column in (
        (Article.id, "article", Document.article_id),
        (Course.id, "course", Document.course_id),
        (Lesson.id, "lesson", Document.lesson_id),
        (CaptionTrack.id, "spoken", Document.track_id),
        (Chapter.video_id, "spoken", Document.video_id),
        (Term.id, "term", Document.term_id),
    ):
        there: Any = exists().where(Document.kind == kind, column == wanted)
        total += await session.scalar(select(func.count(distinct(wanted))).where(~there)) or 0
    return total
