"""Reads of muscles and conditions: their pages, what helps with them, and what lies in a region of the body."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles import queries as articles
from app.articles.models import Article
from app.articles.queries import ArticleCard
from app.articles.shown import shown
from app.catalog import outlines
from app.catalog.models import Course, Lesson
from app.catalog.rules import is_slug
from app.catalog.views import OutlineLesson, poster_url
from app.finding import regions
from app.finding.models import Term, TermArticle, TermLesson, TermRegion
from app.finding.regions import Region
from app.finding.rules import names
from app.finding.writing import address
from app.question import Answers, Fact, ask, given

# Checkboxes on one page.
MOST_CHOICES = 60


@dataclass(frozen=True)
class TermCard:
    """A muscle or condition as lists show it. `synonyms`: its other names; `helps`: how much there is that helps."""

    id: UUID
    kind: str
    name: str
    url: str
    summary: str
    synonyms: tuple[str, ...]
    changed_at: datetime
    helps: int = 0
    has_text: bool = False


@dataclass(frozen=True)
class HelpfulLesson:
    """A lesson that helps, with its course's title."""

    lesson: OutlineLesson
    course: str

    @property
    def poster_url(self) -> str | None:
        return poster_url(self.lesson, small=True)


@dataclass(frozen=True)
class Help:
    """What everybody may see of what helps: lessons in their courses' order, articles newest first."""

    lessons: tuple[HelpfulLesson, ...]
    articles: tuple[ArticleCard, ...]

    def __bool__(self) -> bool:
        return bool(self.lessons or self.articles)


async def terms(
    db: AsyncSession, now: datetime, *, kind: str | None = None, region: str | None = None
) -> list[TermCard]:
    """Muscles and conditions by name; of one kind, or in one region, when it is given."""
    wanted = select(Term).order_by(func.lower(Term.name), Term.id)
    if kind is not None:
        wanted = wanted.where(Term.kind == kind)
    if region is not None:
        wanted = wanted.where(Term.id.in_(select(TermRegion.term_id).where(TermRegion.region == region)))
    rows = list(await db.scalars(wanted))
    helps = await _counts(db, now)
    return [card(row, helps.get(row.id, 0)) for row in rows]


def card(term: Term, helps: int = 0) -> TermCard:
    return TermCard(
        id=term.id,
        kind=term.kind,
        name=term.name,
        url=address(term),
        summary=term.summary,
        synonyms=tuple(term.synonyms.splitlines()),
        changed_at=term.changed_at,
        helps=helps,
        has_text=bool(term.body_html.strip()),
    )


async def _counts(db: AsyncSession, now: datetime) -> dict[UUID, int]:
    """By muscle or condition, how many articles and lessons help that everybody may see."""
    rows = await db.execute(
        select(TermArticle.term_id, func.count())
        .join(Article, Article.id == TermArticle.article_id)
        .where(shown(now))
        .group_by(TermArticle.term_id)
        .union_all(
            select(TermLesson.term_id, func.count())
            .join(Lesson, Lesson.id == TermLesson.lesson_id)
            .join(Course, Course.id == Lesson.course_id)
            .where(Lesson.state != "draft", Course.state == "published")
            .group_by(TermLesson.term_id)
        )
    )
    found: dict[UUID, int] = {}
    for term_id, count in rows:
        found[term_id] = found.get(term_id, 0) + count
    return found


async def by_slug(db: AsyncSession, kind: str, slug: str) -> Term | None:
    """The muscle or condition with this address, or None."""
    if not is_slug(slug):
        return None
    found: Term | None = await db.scalar(select(Term).where(Term.kind == kind, Term.slug == slug))
    return found


async def by_id(db: AsyncSession, term_id: UUID) -> Term | None:
    return await db.get(Term, term_id)


async def regions_of(db: AsyncSession, term_id: UUID) -> list[Region]:
    """Where in the body it is, from the head down."""
    keys = await db.scalars(select(TermRegion.region).where(TermRegion.term_id == term_id))
    return [regions.REGIONS[key] for key in regions.known(list(keys))]


async def help_with(db: AsyncSession, term_ids: Collection[UUID], now: datetime) -> Help:
    """What helps with any of these, each once."""
    if not term_ids:
        return Help((), ())
    lesson_ids = set(await db.scalars(select(TermLesson.lesson_id).where(TermLesson.term_id.in_(term_ids))))
    article_ids = list(
        await db.scalars(select(TermArticle.article_id).where(TermArticle.term_id.in_(term_ids)).distinct())
    )
    courses = await outlines.courses(db, now) if lesson_ids else []
    return Help(
        tuple(
            HelpfulLesson(lesson, course.title)
            for course in courses
            for lesson in course.lessons
            if lesson.id in lesson_ids
        ),
        tuple(await articles.published_among(db, article_ids, now)),
    )


async def close_by(
    db: AsyncSession, term: Term, places: Sequence[Region], *, limit: int = 6
) -> list[TermCard]:
    """Others in the same regions, those of the other kind first: a condition's muscles, a muscle's conditions."""
    if not places:
        return []
    shared = select(TermRegion.term_id).where(TermRegion.region.in_([place.key for place in places]))
    rows = await db.scalars(
        select(Term)
        .where(Term.id.in_(shared), Term.id != term.id)
        .order_by(Term.kind == term.kind, func.lower(Term.name), Term.id)
        .limit(limit)
    )
    return [card(row) for row in rows]


async def near(db: AsyncSession, asked: str, *, limit: int = 4) -> list[TermCard]:
    """Muscles and conditions whose names look most like what was asked; the first ones where none does."""
    alike = func.greatest(
        func.word_similarity(asked, func.lower(Term.name)),
        func.word_similarity(asked, func.lower(Term.synonyms)),
    )
    rows = await db.scalars(select(Term).order_by(alike.desc(), func.lower(Term.name)).limit(limit))
    return [card(row) for row in rows]


@dataclass(frozen=True)
class SaidTerm:
    """A muscle or condition as a page about something else names it."""

    id: UUID
    name: str
    url: str


def _said(name: str, of: ColumnElement[bool], link: type[TermArticle] | type[TermLesson]) -> Fact:
    one = func.json_build_array(Term.id, Term.name, Term.kind, Term.slug)
    by_name = select(func.json_agg(aggregate_order_by(one, func.lower(Term.name), Term.id)))
    return Fact(name, by_name.join(link, link.term_id == Term.id).where(of).scalar_subquery())


# What helps with what: by the lesson's or article's id, or by its address.
_LESSON_HERE = select(Lesson.id).join(Course, Course.id == Lesson.course_id)
SAID_OF_LESSON = _said("terms", TermLesson.lesson_id == given("lesson_id"), TermLesson)
SAID_OF_ARTICLE = _said("terms", TermArticle.article_id == given("article_id"), TermArticle)
SAID_OF_ARTICLE_AT = _said(
    "terms",
    TermArticle.article_id == select(Article.id).where(Article.slug == given("slug")).scalar_subquery(),
    TermArticle,
)
SAID_OF_LESSON_AT = _said(
    "terms",
    TermLesson.lesson_id
    == _LESSON_HERE.where(
        Course.slug == given("course_slug"), Lesson.slug == given("lesson_slug")
    ).scalar_subquery(),
    TermLesson,
)


async def said_of_article(db: AsyncSession, article_id: UUID) -> list[SaidTerm]:
    """What the article is about, by name."""
    return said_terms(await ask(db, SAID_OF_ARTICLE, article_id=article_id))


async def said_of_lesson(db: AsyncSession, lesson_id: UUID) -> list[SaidTerm]:
    """What the lesson helps with, by name."""
    return said_terms(await ask(db, SAID_OF_LESSON, lesson_id=lesson_id))


def said_terms(found: Answers) -> list[SaidTerm]:
    """The same, of an answer to one of these facts."""
    return [
        SaidTerm(UUID(term_id), name, f"/{kind}s/{slug}")
        for term_id, name, kind, slug in found["terms"] or ()
    ]


async def chosen(db: AsyncSession, term_id: UUID) -> tuple[list[str], list[str], list[str]]:
    """(regions, lessons, articles) as the form holds them."""
    places = await db.scalars(select(TermRegion.region).where(TermRegion.term_id == term_id))
    lessons = await db.scalars(select(TermLesson.lesson_id).where(TermLesson.term_id == term_id))
    found = await db.scalars(select(TermArticle.article_id).where(TermArticle.term_id == term_id))
    return list(places), [str(one) for one in lessons], [str(one) for one in found]


async def choices(db: AsyncSession) -> list[tuple[str, str]]:
    """(id, name) of every muscle and condition, by name."""
    rows = await db.execute(select(Term.id, Term.name).order_by(func.lower(Term.name), Term.id))
    return [(str(term_id), name) for term_id, name in rows]


async def article_choices(db: AsyncSession, term: Term | None) -> list[tuple[str, str]]:
    """(id, title) of the articles to choose from, by title: all where they are few, else those that are chosen and the
    newest that name it."""
    wanted = select(Article.id, Article.title).order_by(func.lower(Article.title), Article.id)
    count = await db.scalar(select(func.count()).select_from(Article)) or 0
    if count > MOST_CHOICES:
        chosen_ids = select(TermArticle.article_id).where(TermArticle.term_id == (term.id if term else None))
        called = names(term.name, term.synonyms).splitlines() if term else []
        naming = (
            select(Article.id)
            .where(
                or_(*(Article.body_md.icontains(name, autoescape=True) for name in called))
                if called
                else false()
            )
            .order_by(Article.created_at.desc())
            .limit(MOST_CHOICES)
        )
        wanted = wanted.where(or_(Article.id.in_(chosen_ids), Article.id.in_(naming)))
    return [(str(article_id), title) for article_id, title in await db.execute(wanted)]


async def search_studio(db: AsyncSession, words: str, now: datetime) -> list[TermCard]:
    """For the studio's list: those whose names hold the words."""
    wanted = select(Term).order_by(func.lower(Term.name), Term.id)
    if words:
        wanted = wanted.where(
            or_(Term.name.icontains(words, autoescape=True), Term.synonyms.icontains(words, autoescape=True))
        )
    helps = await _counts(db, now)
    return [card(row, helps.get(row.id, 0)) for row in await db.scalars(wanted)]
