"""Changes to articles: create, save, publish, unpublish, delete; each leaves an audit entry."""

from datetime import UTC, datetime, tzinfo
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.articles import indexed, old_addresses, revisions, tagging
from app.articles.markdown import render_article
from app.articles.models import Article, ArticleRelation, ArticleRevision
from app.articles.rules import ArticleDraft, is_scheduled, publication_day
from app.catalog.models import Lesson
from app.catalog.rules import free_slug, slugify
from app.clock import for_field, typed_moment
from app.errors import BadInput, Conflict
from app.i18n import _

MOST_RELATED = 5


async def create(
    db: AsyncSession,
    viewer: Viewer,
    draft: ArticleDraft,
    now: datetime,
    zone: tzinfo = UTC,
    *,
    slug: str = "",
) -> Article:
    """A new draft; its day, if it has one, is read in `zone`. Without a slug, one is made from `slug`, else from the
    title.

    Raises:
        BadInput: (field "slug") when another article has that address.
    """
    article = Article(id=uuid4(), author_id=viewer.user_id, created_at=now, state="draft")
    await _fill(db, article, draft, now, slug)
    article.published_at = _day(article, draft, now, zone)
    db.add(article)
    await db.flush()
    await revisions.keep(db, article, viewer.user_id, now)
    await _relate(db, article.id, draft.related)
    await tagging.set_typed(db, article.id, draft.tag_names)
    await indexed.index(db, article)
    audit.record(db, viewer.user_id, "article.create", "article", article.id, title=article.title)
    return article


async def save(
    db: AsyncSession,
    viewer: Viewer,
    article: Article,
    draft: ArticleDraft,
    now: datetime,
    zone: tzinfo = UTC,
) -> None:
    """Write what the editor's form holds; its day is read in `zone`.

    Raises:
        BadInput: (field "slug") when another article has that address.
    """
    before, before_url = article.slug, article.url
    was_shown = article.published_at is not None and article.published_at <= now
    # What came from elsewhere (an import) has no revision yet.
    await revisions.keep(db, article, None, article.changed_at)
    await _fill(db, article, draft, now)
    article.published_at = _day(article, draft, now, zone)
    await revisions.keep(db, article, viewer.user_id, now)
    await _relate(db, article.id, draft.related)
    await tagging.set_typed(db, article.id, draft.tag_names)
    await indexed.index(db, article)
    moved = {"slug_before": before} if before != article.slug else {}
    if article.url != before_url and was_shown:
        await old_addresses.remember(db, [before_url], article_id=article.id)
    audit.record(db, viewer.user_id, "article.save", "article", article.id, title=article.title, **moved)


async def restore(
    db: AsyncSession, viewer: Viewer, article: Article, revision: ArticleRevision, now: datetime
) -> None:
    """Let the article say what it said then; its address, lesson and related articles stay. What it said until now is
    kept, too."""
    await revisions.keep(db, article, None, article.changed_at)
    rendered = render_article(revision.body_md)
    article.title, article.summary, article.body_md = revision.title, revision.summary, revision.body_md
    article.body_html, article.word_count = rendered.html, rendered.word_count
    article.changed_at = now
    await revisions.keep(db, article, viewer.user_id, now)
    await indexed.index(db, article)
    audit.record(db, viewer.user_id, "article.restore", "article", article.id, title=article.title)


def publish(db: AsyncSession, viewer: Viewer, article: Article, now: datetime) -> None:
    """Show it to everybody: now, or on the day that it has when that is later. The first publication's day is kept
    when it is published again."""
    article.state = "published"
    article.published_at = article.published_at or now
    deed = "schedule" if is_scheduled(article.state, article.published_at, now) else "publish"
    audit.record(db, viewer.user_id, f"article.{deed}", "article", article.id, title=article.title)


def unpublish(db: AsyncSession, viewer: Viewer, article: Article) -> None:
    """Make it a draft again; its responses stay with it."""
    article.state = "draft"
    audit.record(db, viewer.user_id, "article.unpublish", "article", article.id, title=article.title)


async def remove(db: AsyncSession, viewer: Viewer, article: Article) -> None:
    """Delete a draft and its responses for good.

    Raises:
        Conflict: for a published article.
    """
    if article.state != "draft":
        raise Conflict(_("Please make it a draft first; then it can be deleted."))
    audit.record(db, viewer.user_id, "article.delete", "article", article.id, title=article.title)
    await db.delete(article)


async def _fill(
    db: AsyncSession, article: Article, draft: ArticleDraft, now: datetime, wanted: str = ""
) -> None:
    rendered = render_article(draft.body_md)
    article.slug = await _slug(db, article.id, draft, wanted)
    article.is_listed = not draft.is_page
    article.title = draft.title
    article.summary = draft.summary
    article.body_md = draft.body_md
    article.body_html = rendered.html
    article.word_count = rendered.word_count
    article.lesson_id = await _lesson(db, draft.lesson)
    article.changed_at = now


def _day(article: Article, draft: ArticleDraft, now: datetime, zone: tzinfo) -> datetime | None:
    """What `rules.publication_day` says; the field holds minutes only, so what was left as it is keeps its seconds."""
    kept = article.published_at
    typed = kept if draft.day == for_field(kept, zone) else typed_moment(draft.day, zone)
    return publication_day(article.state, kept, typed if draft.day else None, now)


async def _slug(db: AsyncSession, article_id: UUID, draft: ArticleDraft, wanted: str) -> str:
    """The address asked for, or a free one made of the title."""
    if draft.slug:
        other = await db.scalar(
            select(Article.title).where(Article.slug == draft.slug, Article.id != article_id)
        )
        if other is not None:
            sentence = _("“%(title)s” has this address already. Please choose another one.")
            raise BadInput(sentence % {"title": other}, field="slug")
        return draft.slug
    base = wanted or slugify(draft.title) or "article"
    taken = await db.scalars(
        select(Article.slug).where(Article.slug.startswith(base, autoescape=True), Article.id != article_id)
    )
    return free_slug(base, taken)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _lesson(db: AsyncSession, text: str) -> UUID | None:
    """The chosen lesson's id; a lesson that is gone by now is none."""
    wanted = _uuid(text)
    if wanted is None:
        return None
    found: UUID | None = await db.scalar(select(Lesson.id).where(Lesson.id == wanted))
    return found


async def _relate(db: AsyncSession, article_id: UUID, related: tuple[str, ...]) -> None:
    """Set the related articles in their order, without repetitions, itself, or ones that are gone."""
    wanted = list(dict.fromkeys(found for text in related if (found := _uuid(text)) and found != article_id))
    known = set(await db.scalars(select(Article.id).where(Article.id.in_(wanted)))) if wanted else set()
    await db.execute(delete(ArticleRelation).where(ArticleRelation.article_id == article_id))
    chosen = [related_id for related_id in wanted if related_id in known][:MOST_RELATED]
    db.add_all(
        ArticleRelation(article_id=article_id, related_id=related_id, position=position)
        for position, related_id in enumerate(chosen)
    )
    await db.flush()
