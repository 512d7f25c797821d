"""Muscles and conditions are written, and said of articles and lessons; each change leaves an audit entry."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.articles import old_addresses
from app.articles.markdown import render_article
from app.articles.models import Article
from app.catalog.models import Lesson
from app.catalog.rules import free_slug, slugify
from app.errors import BadInput
from app.finding import indexed, regions
from app.finding.models import Term, TermArticle, TermLesson, TermRegion
from app.finding.rules import TermDraft
from app.i18n import _


async def create(db: AsyncSession, viewer: Viewer, draft: TermDraft, now: datetime) -> Term:
    """A new muscle or condition, which everybody sees from now on.

    Raises:
        BadInput: (field "slug") when another one has that address.
    """
    term = Term(id=uuid4(), created_at=now)
    await _fill(db, term, draft, now)
    audit.record(db, viewer.user_id, "term.create", "term", term.id, name=term.name)
    return term


async def save(db: AsyncSession, viewer: Viewer, term: Term, draft: TermDraft, now: datetime) -> None:
    """Write what the form holds. The old address leads to the new one.

    Raises:
        BadInput: (field "slug") when another one has that address.
    """
    before = address(term)
    await _fill(db, term, draft, now)
    if before != address(term):
        await old_addresses.remember_target(db, [before], address(term))
    audit.record(db, viewer.user_id, "term.save", "term", term.id, name=term.name)


async def remove(db: AsyncSession, viewer: Viewer, term: Term) -> None:
    """Delete it for good; the articles and lessons stay, and are found by its names no more."""
    articles, lessons = await _said_of(db, term.id)
    audit.record(db, viewer.user_id, "term.delete", "term", term.id, name=term.name)
    await db.delete(term)
    await db.flush()
    await indexed.index_about(db, articles, lessons)


def address(term: Term) -> str:
    """The path of its page."""
    return f"/{term.kind}s/{term.slug}"


async def _fill(db: AsyncSession, term: Term, draft: TermDraft, now: datetime) -> None:
    had = await _said_of(db, term.id)
    term.slug = await _slug(db, term, draft)
    term.kind, term.name, term.synonyms, term.summary = draft.kind, draft.name, draft.synonyms, draft.summary
    term.body_md, term.body_html = draft.body_md, render_article(draft.body_md).html
    term.changed_at = now
    db.add(term)
    await db.flush()
    await db.execute(delete(TermRegion).where(TermRegion.term_id == term.id))
    db.add_all(TermRegion(term_id=term.id, region=key) for key in regions.known(draft.regions))
    await _say_of(db, term.id, draft)
    await indexed.index_term(db, term)
    have = await _said_of(db, term.id)
    await indexed.index_about(db, had[0] | have[0], had[1] | have[1])


async def _slug(db: AsyncSession, term: Term, draft: TermDraft) -> str:
    rows = await db.execute(select(Term.slug, Term.name).where(Term.id != term.id))
    taken: dict[str, str] = dict(row for row in rows)
    if draft.slug:
        if draft.slug in taken:
            sentence = _("“%(title)s” has this address already. Please choose another one.")
            raise BadInput(sentence % {"title": taken[draft.slug]}, field="slug")
        return draft.slug
    return free_slug(slugify(draft.name) or draft.kind, taken)


async def _said_of(db: AsyncSession, term_id: UUID) -> tuple[set[UUID], set[UUID]]:
    """(articles, lessons) that it is said of."""
    articles = await db.scalars(select(TermArticle.article_id).where(TermArticle.term_id == term_id))
    lessons = await db.scalars(select(TermLesson.lesson_id).where(TermLesson.term_id == term_id))
    return set(articles), set(lessons)


def _uuids(texts: Iterable[str]) -> list[UUID]:
    """Those that are ids, each once."""
    found = []
    for text in dict.fromkeys(texts):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


async def _say_of(db: AsyncSession, term_id: UUID, draft: TermDraft) -> None:
    """The chosen articles and lessons, without those that are gone by now."""
    await db.execute(delete(TermArticle).where(TermArticle.term_id == term_id))
    await db.execute(delete(TermLesson).where(TermLesson.term_id == term_id))
    articles = await db.scalars(select(Article.id).where(Article.id.in_(_uuids(draft.articles))))
    lessons = await db.scalars(select(Lesson.id).where(Lesson.id.in_(_uuids(draft.lessons))))
    db.add_all(TermArticle(term_id=term_id, article_id=one) for one in articles)
    db.add_all(TermLesson(term_id=term_id, lesson_id=one) for one in lessons)
    await db.flush()


async def say_of_article(db: AsyncSession, article_id: UUID, terms: Sequence[str]) -> None:
    """Make these (ids as text) what the article is about."""
    await db.execute(delete(TermArticle).where(TermArticle.article_id == article_id))
    known = await db.scalars(select(Term.id).where(Term.id.in_(_uuids(terms))))
    db.add_all(TermArticle(term_id=one, article_id=article_id) for one in known)
    await db.flush()
    await indexed.index_about(db, {article_id}, set())


async def say_of_lesson(db: AsyncSession, lesson_id: UUID, terms: Sequence[str]) -> None:
    """Make these (ids as text) what the lesson helps with."""
    await db.execute(delete(TermLesson).where(TermLesson.lesson_id == lesson_id))
    known = await db.scalars(select(Term.id).where(Term.id.in_(_uuids(terms))))
    db.add_all(TermLesson(term_id=one, lesson_id=lesson_id) for one in known)
    await db.flush()
    await indexed.index_about(db, set(), {lesson_id})
