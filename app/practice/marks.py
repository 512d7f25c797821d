"""Marks of public pages: equal marks say that every row a page was drawn from is as it was. Exact, and one question.

A mark holds, for each table that a page reads, how many of its rows concern the page, and the sum of their `xmin`: the
transaction that wrote each. Whatever is changed or added gets a higher number than all that were there before, so with
as many rows the sum can only grow. Nothing has to be told when something changes, and no change waits for another.
What comes out by itself on its day is in the mark as the next such day.
"""

from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import DeclarativeBase

from app.accounts.models import User
from app.articles.models import Article, ArticleRelation, ArticleTag, Comment, Series, SeriesPart, Tag
from app.billing.plan_models import Plan, PlanAmount, PlanCourse, PlanPrice
from app.catalog.models import Course, Lesson, Section
from app.clock import utcnow
from app.db import Querying
from app.finding.models import Term, TermArticle, TermLesson
from app.practice.models import Location, Practice
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video
from app.waiting.models import Topic

_SLUG, _NOW = bindparam("slug", type_=Text), bindparam("now", type_=DateTime(timezone=True))


def _of(model: type[DeclarativeBase], *where: ColumnElement[bool]) -> ColumnElement[Any]:
    """ "count:sum" of the rows that concern the page; all of them without `where`."""
    name = model.__tablename__
    numbers = func.concat(
        func.count(), ":", func.sum(literal_column(f"{name}.xmin::text::bigint")).cast(Text)
    )
    return select(numbers).select_from(model).where(*where).scalar_subquery()


def _next_day(day: Any) -> ColumnElement[Any]:
    """When the next lesson or article comes out by itself; before and after are two marks."""
    return select(func.coalesce(cast(func.min(day), Text), "")).where(day > _NOW).scalar_subquery()


# What stands at the head and the foot of every page.
_FRAME = (_of(Practice), _of(Location), _of(Article, ~Article.is_listed))
# Everything that is taught and sold: outlines, posters, prices, and what it helps with.
_TAUGHT = (
    _of(Course),
    _of(Section),
    _of(Lesson),
    _of(Video, Video.id.in_(select(Lesson.video_id))),
    _of(CaptionTrack),
    _of(Chapter),
    _of(Term),
    _of(TermArticle),
    _of(TermLesson),
    _of(Plan),
    _of(PlanPrice),
    _of(PlanAmount),
    _of(PlanCourse),
    _of(Topic),
    _next_day(Lesson.available_at),
    _next_day(Article.published_at),
)
_ID = select(Article.id).where(Article.slug == _SLUG).scalar_subquery()
_AUTHOR = select(Article.author_id).where(Article.slug == _SLUG).scalar_subquery()
_RELATED = select(ArticleRelation.related_id).where(ArticleRelation.article_id == _ID)
_TAGS = select(ArticleTag.tag_id).where(ArticleTag.article_id == _ID)
_PARTS = select(SeriesPart.article_id)
_ARTICLE = (
    _of(Article, Article.slug == _SLUG),
    _of(Comment, Comment.article_id == _ID),
    _of(User, User.id == _AUTHOR),
    _of(ArticleRelation, ArticleRelation.article_id == _ID),
    _of(Article, Article.id.in_(_RELATED)),
    _of(ArticleTag, ArticleTag.article_id == _ID),
    _of(Tag, Tag.id.in_(_TAGS)),
    _of(Series),
    _of(SeriesPart),
    _of(Article, Article.id.in_(_PARTS)),
    # What its places may show: any lesson, and what is in the making.
    _of(Article, Article.id.in_(select(Topic.article_id))),
    *_TAUGHT,
)
_ARTICLES_MARK = select(func.concat_ws("|", *_FRAME, *_ARTICLE))
_COURSES_MARK = select(func.concat_ws("|", *_FRAME, *_TAUGHT))


async def article_mark(db: Querying, slug: str) -> str:
    """Of one article's page, or of a page of the teacher's own."""
    return str(await db.scalar(_ARTICLES_MARK, {"slug": slug, "now": utcnow()}))


async def courses_mark(db: Querying) -> str:
    """Of every course's and every lesson's page: there are few of them, and they change seldom."""
    return str(await db.scalar(_COURSES_MARK, {"now": utcnow()}))
