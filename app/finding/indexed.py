"""What of muscles and conditions can be found, and the articles and lessons that are found by their names."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.indexed import found_in
from app.finding.models import Term, TermArticle, TermLesson
from app.finding.rules import names
from app.indexing import writing
from app.indexing.writing import Found, Subject


async def index_term(db: AsyncSession, term: Term) -> None:
    """Write it into the index; it must have been flushed. Its other names count as much as its own."""
    text = found_in(term.name, term.summary, term.body_html)
    found = Found(text.title, text.lead, text.headings, text.pieces, about=term.synonyms)
    await writing.put(db, Subject.of("term", term.id), found)


async def index_about(db: AsyncSession, articles: Collection[UUID], lessons: Collection[UUID]) -> None:
    """Let these be found by all names of what is said of them."""
    named: dict[UUID, list[str]] = defaultdict(list)
    of_articles = select(TermArticle.article_id, Term.name, Term.synonyms).join(
        Term, Term.id == TermArticle.term_id
    )
    of_lessons = select(TermLesson.lesson_id, Term.name, Term.synonyms).join(
        Term, Term.id == TermLesson.term_id
    )
    rows = await db.execute(
        of_articles.where(TermArticle.article_id.in_(articles)).union_all(
            of_lessons.where(TermLesson.lesson_id.in_(lessons))
        )
    )
    for subject_id, name, synonyms in sorted(rows, key=lambda row: row[1].lower()):
        named[subject_id].append(names(name, synonyms))
    for kind, ids in (("article", articles), ("lesson", lessons)):
        for subject_id in sorted(ids):
            await writing.set_about(db, Subject.of(kind, subject_id), "\n".join(named[subject_id]))
