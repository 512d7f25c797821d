"""Articles and responses from elsewhere come in as they are, with their dates, states and threads."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles import indexed, tagging
from app.articles.markdown import Rendered
from app.articles.models import Article, ArticleTag, Comment, Tag
from app.catalog.rules import free_slug


@dataclass(frozen=True)
class Arriving:
    """An article as it is to be here. `tags`: (slug, name)."""

    slug: str
    title: str
    summary: str
    body_md: str
    state: str
    is_listed: bool
    author_id: UUID | None
    created_at: datetime
    changed_at: datetime
    published_at: datetime | None
    tags: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """What tells whether somebody has edited it here since: everything that the editor's form can change."""
        return _digest(
            self.title,
            self.summary,
            self.body_md,
            self.state,
            self.published_at,
            [slug for slug, _name in self.tags],
        )


@dataclass(frozen=True)
class ArrivingComment:
    """A response as it is to be here, its parent by its id here."""

    id: UUID
    parent_id: UUID | None
    user_id: UUID | None
    name: str
    email_hash: str
    is_author: bool
    body_md: str
    body_html: str
    state: str
    created_at: datetime


def _digest(
    title: str, summary: str, body_md: str, state: str, published_at: datetime | None, tags: Sequence[str]
) -> str:
    day = published_at.astimezone(UTC).isoformat() if published_at else None
    text = json.dumps([title, summary, body_md, state, day, sorted(tags)])
    return hashlib.sha256(text.encode()).hexdigest()


async def digest_of(db: AsyncSession, article: Article) -> str:
    """The same of an article that is here."""
    tags = await db.scalars(
        select(Tag.slug)
        .join(ArticleTag, ArticleTag.tag_id == Tag.id)
        .where(ArticleTag.article_id == article.id)
    )
    return _digest(
        article.title, article.summary, article.body_md, article.state, article.published_at, list(tags)
    )


async def add(db: AsyncSession, arriving: Arriving, rendered: Rendered) -> Article:
    """A new article; another one that took its address meanwhile keeps it."""
    taken = await db.scalars(
        select(Article.slug).where(Article.slug.startswith(arriving.slug, autoescape=True))
    )
    article = Article(
        id=uuid4(),
        slug=free_slug(arriving.slug, taken),
        created_at=arriving.created_at,
        author_id=arriving.author_id,
    )
    _fill(article, arriving, rendered)
    db.add(article)
    await db.flush()
    await tagging.set_tags(db, article.id, dict(arriving.tags))
    await indexed.index(db, article)
    return article


async def replace(db: AsyncSession, article: Article, arriving: Arriving, rendered: Rendered) -> None:
    """Bring an article to what it is now where it comes from; its address stays."""
    _fill(article, arriving, rendered)
    await tagging.set_tags(db, article.id, dict(arriving.tags))
    await indexed.index(db, article)


async def withdraw(db: AsyncSession, article: Article) -> str:
    """Make a draft of what came in published; answers what tells it from an edited one from here on."""
    article.state, article.published_at = "draft", None
    await db.flush()
    await indexed.index(db, article)
    return await digest_of(db, article)


def _fill(article: Article, arriving: Arriving, rendered: Rendered) -> None:
    article.title = arriving.title
    article.summary = arriving.summary
    article.body_md = arriving.body_md
    article.body_html = rendered.html
    article.word_count = rendered.word_count
    article.state = arriving.state
    article.is_listed = arriving.is_listed
    article.changed_at = arriving.changed_at
    article.published_at = arriving.published_at


async def add_comments(db: AsyncSession, article_id: UUID, comments: Sequence[ArrivingComment]) -> None:
    """Responses whose parents are here or among them, each after its parent."""
    rows = [
        {
            "id": one.id,
            "article_id": article_id,
            "parent_id": one.parent_id,
            "user_id": one.user_id,
            "name": one.name,
            "email": "",
            "email_hash": one.email_hash,
            "is_author": one.is_author,
            "body_md": one.body_md,
            "body_html": one.body_html,
            "state": one.state,
            "ip": "",
            "created_at": one.created_at,
            "moderated_at": None if one.state == "pending" else one.created_at,
        }
        for one in comments
    ]
    # Rows beside the statement: in it, its SQL would be made anew for every article, a tenth of the whole import.
    if rows:
        # (Left out, what is empty would begin another statement at every first response of a thread.)
        await db.execute(insert(Comment).execution_options(render_nulls=True), rows)
