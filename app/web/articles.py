"""Articles for everybody: the list, and one article with its responses and the form under "Leave a Reply"."""

import re
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.routing import Route
from starlette.types import Scope

from app.accounts.permissions import Permission, Viewer
from app.articles import figures, queries, reading, responding, series_queries, threads
from app.articles.markdown import Heading, contents
from app.articles.models import Article, Comment, Tag
from app.articles.queries import ArticleCard, Mention
from app.articles.reading import ARTICLE, RESPONSES, ReadArticle
from app.articles.rules import Errors, ResponseDraft, is_shown, reading_minutes
from app.articles.series_queries import SERIES, Place
from app.catalog.views import poster_url
from app.clock import utcnow
from app.db import Db, session_on, statements
from app.errors import NotFound
from app.finding.queries import SAID_OF_ARTICLE_AT, SaidTerm, said_terms
from app.question import Answers, ask
from app.web import clips
from app.web.article_cards import Filled, Reader, fill
from app.web.guard import declares, needs
from app.web.pages import Page, Pages, opened
from app.web.response_lines import ResponseLine, lines
from app.web.writers import sender_of
from app.web.writing_forms import WORK, new_stamp

router = APIRouter(prefix="/articles", dependencies=[needs(Permission.PUBLIC)], tags=["articles"])

PER_PAGE = 20
# Shorter articles are read without a table of contents.
CONTENTS_FROM = 3
# What its page is made of, beside the cards and clips that its text names.
FACTS = (ARTICLE, RESPONSES, SERIES, SAID_OF_ARTICLE_AT)


@dataclass(frozen=True)
class ArticleListPage:
    articles: list[ArticleCard]
    page: int
    pages: int
    tag: Tag | None = None

    @property
    def address(self) -> str:
        return f"/articles/tag/{self.tag.slug}" if self.tag else "/articles"


@dataclass(frozen=True)
class ReplyForm:
    """The form under "Leave a Reply", with what was typed and what is wrong with it."""

    stamp: str
    draft: ResponseDraft
    parent: Comment | None = None
    errors: Errors = field(default_factory=dict)
    is_held: bool = False


@dataclass(frozen=True)
class ArticlePage:
    """One article. `parts`: its text, and the cards in it; `poster`: the first card's picture, in its full size.

    `picture`: the text's first one as other sites show it: address, width and height.
    """

    article: ReadArticle
    url: str
    parts: tuple[Filled, ...]
    minutes: int
    contents: tuple[Heading, ...]
    author: str | None
    is_shown: bool
    poster: str | None
    series: Place | None
    related: tuple[Mention, ...]
    tags: tuple[Mention, ...]
    terms: list[SaidTerm]
    clips: list[clips.ClipView]
    picture: tuple[str, int, int] | None
    responses: list[ResponseLine]
    response_count: int
    form: ReplyForm
    is_withdrawn: bool = False
    work: tuple[int, int] = WORK

    @property
    def contents_pairs(self) -> list[tuple[str, str]]:
        """(id, text) of the second-level headings: the list beside the text."""
        return [(heading.id, heading.text) for heading in self.contents if heading.level == 2]


PageNumber = Annotated[str, Query(alias="page")]


@router.get("")
async def article_list(page: Page, db: Db, number: PageNumber = "1") -> Response:
    """GET /articles: published articles, the newest first."""
    return await _list(page, db, number, None)


@router.get("/tag/{slug}")
async def tagged(slug: str, page: Page, db: Db, number: PageNumber = "1") -> Response:
    """GET /articles/tag/{slug}: those about one thing.

    Raises:
        NotFound: when no published article is.
    """
    tag = await queries.tag_by_slug(db, slug)
    if tag is None or not await queries.count_published(db, utcnow(), tag=tag.slug):
        raise NotFound
    return await _list(page, db, number, tag)


async def _list(page: Pages, db: Db, number: str, tag: Tag | None) -> Response:
    slug = tag.slug if tag else None
    now = utcnow()
    total = await queries.count_published(db, now, tag=slug)
    pages = max(1, -(-total // PER_PAGE))
    at = min(max(int(number), 1), pages) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    found = await queries.published(db, now, limit=PER_PAGE, offset=(at - 1) * PER_PAGE, tag=slug)
    return await page.show("articles/list.html", ArticleListPage(found, at, pages, tag))


async def readable(db: Db, slug: str, viewer: Viewer | None) -> Article:
    """The article that this viewer may read.

    Raises:
        NotFound: also for drafts, unless the viewer is staff.
    """
    article = await queries.by_slug(db, slug, utcnow(), with_drafts=viewer is not None and viewer.is_staff)
    if article is None:
        raise NotFound
    return article


def purpose_of(article: Article | ReadArticle) -> str:
    """What the stamp of its form is for."""
    return f"respond:{article.id}"


def _own_words(viewer: Viewer | None) -> ResponseDraft:
    return ResponseDraft(viewer.name, viewer.email) if viewer else ResponseDraft()


async def show(
    page: Pages,
    db: Db,
    article: Article,
    form: ReplyForm,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """An article's page, whoever may see it, with `form` under its responses."""
    viewer = page.viewer
    asked = {
        "slug": article.slug,
        "user_id": viewer.user_id if viewer else None,
        "writer": _writer(page.request),
    }
    found = await ask(db, *FACTS, now=utcnow(), **asked)
    return await _show(page, db, found, _Drawn(form), status, headers)


def _writer(request: Request) -> UUID | None:
    """The mark of a guest's browser."""
    return sender_of(request, None).writer


@dataclass(frozen=True)
class _Drawn:
    """What the page shows beside what was found: the form under the responses, what became of one of the reader's, and
    what became of a card's form."""

    form: ReplyForm
    is_withdrawn: bool = False
    told: str = ""


async def _show(
    page: Pages,
    db: AsyncSession,
    found: Answers,
    drawn: _Drawn,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    article = reading.article_of(found)
    assert article is not None
    rows = reading.responses_of(found)
    if threads.has_own(rows):
        headers = {"Cache-Control": "private, no-store", **(headers or {})}
    now = utcnow()
    shown = await clips.shown_in(db, article.body_html)
    text = clips.with_clips(article.body_html, shown)
    parts = await fill(db, text, article.lesson_id, Reader(page.viewer, article.slug, drawn.told), now)
    headings = contents(article.body_html)
    model = ArticlePage(
        article=article,
        url=article.url,
        parts=parts,
        minutes=reading_minutes(article.word_count),
        contents=headings if sum(h.level == 2 for h in headings) >= CONTENTS_FROM else (),
        author=article.author,
        is_shown=is_shown(article.state, article.published_at, now),
        poster=next((poster_url(part.lesson.lesson) for part in parts if part.lesson), None),
        series=series_queries.place_of(found, article.slug),
        related=article.related or await queries.alike(db, article.id, now),
        tags=article.tags,
        terms=said_terms(found),
        clips=shown,
        picture=figures.first_preview(article.body_html),
        responses=lines(threads.build(rows), now),
        response_count=threads.count(rows),
        form=drawn.form,
        is_withdrawn=drawn.is_withdrawn,
    )
    template = "articles/article.html" if article.is_listed else "articles/page.html"
    return await page.show(template, model, status=status, headers=headers)


@declares(Permission.PUBLIC)
async def article(request: Request) -> Response:
    """GET /articles/{slug}; `?reply=<id>` answers one response, `?held=1` says that a new one waits, `?withdrawn=1`
    that one is gone, `?told=` what became of a card's form.

    Raises:
        NotFound: also for drafts, unless the viewer is staff.
    """
    slug, asked = request.path_params["slug"], request.query_params
    async with statements() as db, session_on(db) as session:
        page, found = await opened(request, db, *FACTS, slug=slug, now=utcnow(), writer=_writer(request))
        there = reading.article_of(found)
        if there is None or not _may_read(there, page.viewer):
            raise NotFound
        if there.url != f"/articles/{slug}":
            return RedirectResponse(there.url, status_code=302)
        reply = uuid_or_none(asked.get("reply", ""))
        parent = await responding.parent_of(session, there.id, reply)
        form = ReplyForm(
            new_stamp(purpose_of(there)), _own_words(page.viewer), parent, is_held=bool(asked.get("held"))
        )
        drawn = _Drawn(form, is_withdrawn=bool(asked.get("withdrawn")), told=asked.get("told", ""))
        return await _show(page, session, found, drawn)


def _may_read(article: ReadArticle, viewer: Viewer | None) -> bool:
    is_staff = viewer is not None and viewer.is_staff
    return is_staff or is_shown(article.state, article.published_at, utcnow())


@router.get("/{slug}/responses")
async def responses_address(slug: str) -> Response:
    """Whoever reloads the form's own address lands on the article."""
    return RedirectResponse(f"/articles/{slug}#responses", status_code=303)


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_READ = re.compile(r"/articles/[a-z0-9-]+")


def is_read(scope: Scope) -> bool:
    """Whether somebody reads an article: answered before FastAPI (app/main.py)."""
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and _READ.fullmatch(scope["path"]) is not None
    )


routes = [Route("/articles/{slug}", article, methods=["GET", "HEAD"])]
