"""What an article's page shows of the article, asked by its address together with the rest of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.articles.models import Article, ArticleRelation, ArticleTag, Comment, Tag
from app.articles.paths import address
from app.articles.queries import Mention
from app.articles.shown import shown
from app.articles.threads import ResponseRow
from app.question import Answers, Fact, given, known, moment, moment_told


@dataclass(frozen=True)
class ReadArticle:
    """An article with what stands around its text. `author` None: the account is gone. `related`: published ones, in
    the author's order."""

    id: UUID
    slug: str
    is_listed: bool
    title: str
    summary: str
    body_html: str
    word_count: int
    state: str
    lesson_id: UUID | None
    changed_at: datetime
    published_at: datetime | None
    author: str | None
    tags: tuple[Mention, ...]
    related: tuple[Mention, ...]

    @property
    def url(self) -> str:
        return address(self.slug, self.is_listed)


def _tags() -> ScalarSelect[Any]:
    named = func.json_build_array(Tag.slug, Tag.name)
    return (
        select(func.json_agg(aggregate_order_by(named, func.lower(Tag.name), Tag.id)))
        .join(ArticleTag, ArticleTag.tag_id == Tag.id)
        .where(ArticleTag.article_id == Article.id)
        .correlate(Article)
        .scalar_subquery()
    )


def _related() -> ScalarSelect[Any]:
    other = aliased(Article)
    card = func.json_build_array(other.slug, other.is_listed, other.title, other.summary)
    return (
        select(func.json_agg(aggregate_order_by(card, ArticleRelation.position)))
        .select_from(other)
        .join(ArticleRelation, ArticleRelation.related_id == other.id)
        .where(ArticleRelation.article_id == Article.id, shown(given("now"), other))
        .correlate(Article)
        .scalar_subquery()
    )


def _article() -> ScalarSelect[Any]:
    author = select(User.name).where(User.id == Article.author_id).correlate(Article).scalar_subquery()
    whole = func.json_build_array(
        Article.id,
        Article.slug,
        Article.is_listed,
        Article.title,
        Article.summary,
        Article.body_html,
        Article.word_count,
        Article.state,
        Article.lesson_id,
        Article.changed_at,
        Article.published_at,
        author,
        _tags(),
        _related(),
    )
    return select(whole).where(Article.slug == given("slug")).scalar_subquery()


def _own() -> ColumnElement[bool]:
    """What this reader wrote, unless staff or they themselves took it away."""
    wrote = or_(Comment.user_id == given("user_id"), Comment.writer == given("writer"))
    # Compared with nobody it is NULL.
    return func.coalesce(and_(wrote, Comment.state.in_(("approved", "pending", "spam"))), false())


def _responses() -> ScalarSelect[Any]:
    is_mine = _own()
    seen = or_(Comment.state == "approved", is_mine)
    one = func.json_build_array(
        Comment.id,
        Comment.parent_id,
        case((seen, Comment.name), else_=literal("")),
        case((seen, Comment.body_html), else_=literal("")),
        Comment.is_author,
        Comment.state,
        Comment.created_at,
        is_mine,
        Comment.edits > 0,
    )
    return (
        select(func.json_agg(aggregate_order_by(one, Comment.created_at, Comment.id)))
        .join(Article, Article.id == Comment.article_id)
        .where(Article.slug == given("slug"))
        .scalar_subquery()
    )


# By `slug` and `now`.
ARTICLE = Fact("article", _article())
# By `slug`, and by who reads: `user_id` and `writer` (the mark of a guest's browser), or None.
RESPONSES = Fact("responses", _responses())


def article_of(found: Answers) -> ReadArticle | None:
    """The article of an answer to `ARTICLE`, whatever its state."""
    told = found[ARTICLE.name]
    if told is None:
        return None
    (
        article_id,
        slug,
        is_listed,
        title,
        summary,
        body_html,
        word_count,
        state,
        lesson_id,
        changed_at,
        published_at,
        author,
        tags,
        related,
    ) = told
    return ReadArticle(
        id=UUID(article_id),
        slug=slug,
        is_listed=is_listed,
        title=title,
        summary=summary,
        body_html=body_html,
        word_count=word_count,
        state=state,
        lesson_id=known(lesson_id),
        changed_at=moment_told(changed_at),
        published_at=moment(published_at),
        author=author,
        tags=tuple(Mention(f"/articles/tag/{word}", name) for word, name in tags or ()),
        related=tuple(Mention(address(*at), name, words) for *at, name, words in related or ()),
    )


def responses_of(found: Answers) -> Sequence[ResponseRow]:
    """Every response in the order of writing. Those that are neither approved nor the reader's own come without name
    and words, to keep threads whole."""
    return [
        ResponseRow(one, answered, name, html, is_author, state, moment_told(at), is_mine, is_edited)
        for one, answered, name, html, is_author, state, at, is_mine, is_edited in found[RESPONSES.name] or ()
    ]
