"""The studio's articles: the list, and the editor with its preview."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.articles import drafts, writing
from app.articles import studio_queries as queries
from app.articles.markdown import render_article
from app.articles.models import Article
from app.articles.queries import tags_of
from app.articles.rules import (
    ArticleDraft,
    Errors,
    PictureDraft,
    check_article,
    is_scheduled,
    is_shown,
    reading_minutes,
)
from app.catalog.rules import moved
from app.clock import current_zone, for_field, utcnow
from app.db import Db
from app.errors import BadInput, NotFound
from app.finding import queries as finding
from app.finding.writing import say_of_article
from app.i18n import _
from app.waiting import queries as waiting
from app.web import clips
from app.web.article_cards import Filled, Reader, fill
from app.web.guard import SignedIn
from app.web.pages import Page, Pages
from app.web.studio.paging import page_number

router = APIRouter(prefix="/articles")


@dataclass(frozen=True)
class ArticlesPage:
    listing: queries.ArticleListing
    words: str
    state: str
    deleted: bool

    @property
    def url(self) -> str:
        """The list's address with its search, for the pages."""
        asked = {name: value for name, value in (("q", self.words), ("state", self.state)) if value}
        return f"/studio/articles?{urlencode(asked)}" if asked else "/studio/articles"


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


def _arranged(draft: ArticleDraft, do: str, find: str) -> ArticleDraft | None:
    """The form as it is to be shown again, where it was sent only to look for related articles or to move one up.

    Enter in the field that searches means nothing else.
    """
    if (risen := do.removeprefix("up-")) in draft.related:
        return replace(draft, related=tuple(moved(list(draft.related), risen, -1)))
    return draft if do == "find" or (do == "enter" and find.strip()) else None


def _did(do: str) -> str:
    return do if do in ("publish", "now") else "save"


async def _preview(page: Pages, db: Db, draft: ArticleDraft) -> Preview:
    rendered = render_article(draft.body_md)
    try:
        lesson = UUID(draft.lesson)
    except ValueError:
        lesson = None
    html = clips.with_clips(rendered.html, await clips.shown_in(db, rendered.html))
    parts = await fill(db, html, lesson, Reader(page.viewer, draft.slug), utcnow())
    return Preview(parts, reading_minutes(rendered.word_count), rendered.word_count)


async def _related(db: Db, draft: ArticleDraft, find: str, own: str) -> RelatedChoices:
    chosen = [one for one in await queries.article_titles(db, draft.related) if one[0] != own]
    words = " ".join(tidy(find).split())[:100]
    taken = [own, *(one for one, _title in chosen)]
    found = await queries.article_choices(db, words, but=taken) if words else []
    return RelatedChoices(chosen, found, words)


async def editor(
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
        related=await _related(db, draft, find, str(article.id) if article else ""),
        lesson_choices=await queries.lesson_choices(db),
        lines=await _lines(db, now),
        term_choices=await finding.choices(db),
        terms=tuple(terms),
        errors=errors or {},
        preview=await _preview(page, db, draft) if preview else None,
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


@router.get("")
async def articles(
    page: Page,
    db: Db,
    q: str = "",
    state: str = "",
    did: str = "",
    number: Annotated[str, Query(alias="page")] = "1",
) -> Response:
    """GET /studio/articles?q=&state=&page=."""
    wanted, words = state if state in ("draft", "scheduled", "published") else "", tidy(q).strip()[:100]
    listing = await queries.articles(db, utcnow(), words=words, state=wanted, page=page_number(number))
    return await page.show("studio/articles/list.html", ArticlesPage(listing, words, wanted, did == "delete"))


@router.get("/new")
async def new(page: Page, db: Db, of: Annotated[str, Query(alias="page")] = "") -> Response:
    """GET /studio/articles/new; `?page=1`: a page."""
    return await editor(page, db, None, ArticleDraft(is_page=bool(of)))


@router.post("/preview")
async def preview(page: Page, db: Db, draft: Draft) -> Response:
    """POST /studio/articles/preview: the text as readers will see it, as a fragment."""
    return await page.show("studio/articles/_preview.html", await _preview(page, db, draft))


@router.post("/related")
async def related(
    page: Page, db: Db, draft: Draft, find: Find = "", own: Annotated[str, Form()] = ""
) -> Response:
    """POST /studio/articles/related: what may be ticked, for the words looked for, as a fragment."""
    return await page.show("studio/articles/_related.html", await _related(db, draft, find, own))


@router.post("")
async def create(
    page: Page,
    db: Db,
    viewer: SignedIn,
    draft: Draft,
    terms: Terms,
    do: Do = "save",
    find: Find = "",
) -> Response:
    """POST /studio/articles: a new draft, published at once when the button says so."""
    if do == "preview":
        return await editor(page, db, None, draft, terms=terms, preview=True)
    if arranged := _arranged(draft, do, find):
        return await editor(page, db, None, arranged, terms=terms, find=find)
    errors = check_article(draft, publishing=do == "publish", zone=current_zone())
    if errors:
        return await editor(page, db, None, draft, terms=terms, errors=errors)
    now = utcnow()
    try:
        article = await writing.create(db, viewer, draft, now, current_zone())
    except BadInput as refused:
        return await editor(
            page, db, None, draft, terms=terms, errors={refused.field or "_": refused.sentence}
        )
    await say_of_article(db, article.id, terms)
    if do == "publish":
        writing.publish(db, viewer, article, now)
    return RedirectResponse(f"/studio/articles/{article.id}?did={_did(do)}", status_code=303)


@router.get("/{article_id}")
async def edit(article_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/articles/{id}."""
    article = await found(db, article_id)
    related = await queries.related_ids(db, article.id)
    draft = ArticleDraft(
        title=article.title,
        slug=article.slug,
        summary=article.summary,
        body_md=article.body_md,
        related=tuple(str(related_id) for related_id in related),
        lesson=str(article.lesson_id or ""),
        tags=", ".join(tag.name for tag in await tags_of(db, article.id)),
        day=for_field(article.published_at, current_zone()),
        is_page=not article.is_listed,
    )
    about = [str(one.id) for one in await finding.said_of_article(db, article.id)]
    return await editor(page, db, article, draft, terms=about, said=did)


@router.post("/{article_id}")
async def save(
    article_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    draft: Draft,
    terms: Terms,
    do: Do = "save",
    find: Find = "",
) -> Response:
    """POST /studio/articles/{id}: save, publish (on its day, or now), or look at it first; nothing typed is lost."""
    article = await found(db, article_id)
    if do == "preview":
        return await editor(page, db, article, draft, terms=terms, preview=True)
    if arranged := _arranged(draft, do, find):
        return await editor(page, db, article, arranged, terms=terms, find=find)
    if do == "now":
        draft = replace(draft, day="")
    goes_out = do in ("publish", "now") or article.state == "published"
    errors = check_article(draft, publishing=goes_out, zone=current_zone())
    if not draft.slug:
        errors.setdefault("slug", _("Please give the article an address."))
    if errors:
        return await editor(page, db, article, draft, terms=terms, errors=errors)
    now = utcnow()
    try:
        await writing.save(db, viewer, article, draft, now, current_zone())
    except BadInput as refused:
        return await editor(
            page, db, article, draft, terms=terms, errors={refused.field or "_": refused.sentence}
        )
    await say_of_article(db, article.id, terms)
    if do in ("publish", "now"):
        writing.publish(db, viewer, article, now)
    return RedirectResponse(f"/studio/articles/{article.id}?did={_did(do)}", status_code=303)


@router.post("/{article_id}/unpublish")
async def unpublish(article_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/articles/{id}/unpublish."""
    article = await found(db, article_id)
    writing.unpublish(db, viewer, article)
    return RedirectResponse(f"/studio/articles/{article.id}?did=unpublish", status_code=303)


@router.post("/{article_id}/delete")
async def delete(article_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/articles/{id}/delete: drafts only.

    Raises:
        Conflict: for a published article.
    """
    await writing.remove(db, viewer, await found(db, article_id))
    return RedirectResponse("/studio/articles?did=delete", status_code=303)
