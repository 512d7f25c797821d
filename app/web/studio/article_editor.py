"""The editor of an article: its form as it was sent, and its page with everything that may be chosen beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Request
from fastapi.responses import Response

from app.accounts.rules import tidy
from app.articles import drafts, writing
from app.articles import studio_queries as queries
from app.articles.markdown import render_article
from app.articles.models import Article
from app.articles.rules import ArticleDraft, Errors, PictureDraft, is_scheduled, is_shown, reading_minutes
from app.catalog.rules import moved
from app.clock import current_zone, utcnow
from app.db import Db
from app.errors import NotFound
from app.finding import queries as finding
from app.waiting import queries as waiting
from app.web import clips
from app.web.article_cards import Filled, Reader, fill
from app.web.pages import Pages


@dataclass(frozen=True)
class RelatedChoices:
    """What may be ticked under "This article can also be helpful to you": those chosen, in order, and those found.

    `words`: what was looked for, empty when nothing was.
    """

    chosen: list[tuple[str, str]]
    found: list[tuple[str, str]]
    words: str
    most: int = writing.MOST_RELATED


@dataclass(frozen=True)
class Preview:
    """The text as readers will see it, its cards as the teacher does."""

    parts: tuple[Filled, ...]
    minutes: int
    word_count: int


@dataclass(frozen=True)
class EditorPage:
    """`article` None: a new one. `lines`: what to write for a card, and which. `picture`: what was typed beside one.

    `draft_link`: shows a draft to whoever has it; `said`: what was just done, in a word the template knows.
    """

    article: Article | None
    draft: ArticleDraft
    related: RelatedChoices
    lesson_choices: list[tuple[str, str]]
    lines: list[tuple[str, str]]
    term_choices: list[tuple[str, str]]
    terms: tuple[str, ...] = ()
    errors: Errors = field(default_factory=dict)
    preview: Preview | None = None
    said: str = ""
    draft_link: str = ""
    time_zone: str = "UTC"
    is_scheduled: bool = False
    picture: PictureDraft = field(default_factory=PictureDraft)

    @property
    def address(self) -> str:
        return f"/studio/articles/{self.article.id}" if self.article else "/studio/articles"


async def article_form(
    request: Request,
    title: Annotated[str, Form()] = "",
    slug: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
    body_md: Annotated[str, Form()] = "",
    lesson: Annotated[str, Form()] = "",
    tags: Annotated[str, Form()] = "",
    day: Annotated[str, Form()] = "",
    is_page: Annotated[bool, Form()] = False,
) -> ArticleDraft:
    """The editor's form as it was sent."""
    chosen = (await request.form()).getlist("related")
    related = tuple(value for value in chosen if isinstance(value, str) and value)
    return ArticleDraft(title, slug, summary, body_md, related, lesson, tags, day, is_page).tidy()


Draft = Annotated[ArticleDraft, Depends(article_form)]
Terms = Annotated[list[str], Form(default_factory=list)]
Do = Annotated[str, Form()]
Find = Annotated[str, Form()]


def arranged(draft: ArticleDraft, do: str, find: str) -> ArticleDraft | None:
    """The form as it is to be shown again, where it was sent only to look for related articles or to move one up.

    Enter in the field that searches means nothing else.
    """
    if (risen := do.removeprefix("up-")) in draft.related:
        return replace(draft, related=tuple(moved(list(draft.related), risen, -1)))
    return draft if do == "find" or (do == "enter" and find.strip()) else None


async def as_read(page: Pages, db: Db, draft: ArticleDraft) -> Preview:
    """What is typed, as its readers will see it."""
    rendered = render_article(draft.body_md)
    try:
        lesson = UUID(draft.lesson)
    except ValueError:
        lesson = None
    html = clips.with_clips(rendered.html, await clips.shown_in(db, rendered.html))
    parts = await fill(db, html, lesson, Reader(page.viewer, draft.slug), utcnow())
    return Preview(parts, reading_minutes(rendered.word_count), rendered.word_count)


async def related(db: Db, draft: ArticleDraft, find: str, own: str) -> RelatedChoices:
    """What may be ticked; `own`: the article's id, which is not related to itself."""
    chosen = [one for one in await queries.article_titles(db, draft.related) if one[0] != own]
    words = " ".join(tidy(find).split())[:100]
    taken = [own, *(one for one, _title in chosen)]
    found = await queries.article_choices(db, words, but=taken) if words else []
    return RelatedChoices(chosen, found, words)


async def show(
    page: Pages,
    db: Db,
    article: Article | None,
    draft: ArticleDraft,
    *,
    errors: Errors | None = None,
    terms: Sequence[str] = (),
    preview: bool = False,
    said: str = "",
    picture: PictureDraft | None = None,
    find: str = "",
) -> Response:
    """The editor's page, with what was typed."""
    now = utcnow()
    model = EditorPage(
        article=article,
        draft=draft,
        related=await related(db, draft, find, str(article.id) if article else ""),
        lesson_choices=await queries.lesson_choices(db),
        lines=await _lines(db, now),
        term_choices=await finding.choices(db),
        terms=tuple(terms),
        errors=errors or {},
        preview=await as_read(page, db, draft) if preview else None,
        said=said,
        picture=picture or PictureDraft(),
        draft_link=drafts.link(article, now) if article and not _is_shown(article, now) else "",
        time_zone=str(current_zone()).replace("_", " "),
        is_scheduled=article is not None and is_scheduled(article.state, article.published_at, now),
    )
    return await page.show("studio/articles/edit.html", model, status=422 if errors else 200)


async def _lines(db: Db, now: datetime) -> list[tuple[str, str]]:
    topics = [(f"::topic {topic.slug}", topic.title) for topic in await waiting.topics(db, now)]
    return await queries.lesson_lines(db) + topics


def _is_shown(article: Article, now: datetime) -> bool:
    return is_shown(article.state, article.published_at, now)


async def found(db: Db, article_id: UUID) -> Article:
    """The article, whatever its state.

    Raises:
        NotFound: when there is none.
    """
    article = await queries.article(db, article_id)
    if article is None:
        raise NotFound
    return article
