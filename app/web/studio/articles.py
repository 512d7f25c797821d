"""The studio's articles: the list, and what is done with one. The editor's page: `article_editor`."""

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.articles import studio_queries as queries
from app.articles import writing
from app.articles.queries import tags_of
from app.articles.rules import (
    ArticleDraft,
    check_article,
)
from app.clock import current_zone, for_field, utcnow
from app.db import Db
from app.errors import BadInput
from app.finding import queries as finding
from app.finding.writing import say_of_article
from app.i18n import _
from app.web.guard import SignedIn
from app.web.pages import Page
from app.web.studio import article_editor as editor
from app.web.studio.article_editor import Do, Draft, Find, Terms
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


def _did(do: str) -> str:
    return do if do in ("publish", "now") else "save"


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
    return await editor.show(page, db, None, ArticleDraft(is_page=bool(of)))


@router.post("/preview")
async def preview(page: Page, db: Db, draft: Draft) -> Response:
    """POST /studio/articles/preview: the text as readers will see it, as a fragment."""
    return await page.show("studio/articles/_preview.html", await editor.as_read(page, db, draft))


@router.post("/related")
async def related(
    page: Page, db: Db, draft: Draft, find: Find = "", own: Annotated[str, Form()] = ""
) -> Response:
    """POST /studio/articles/related: what may be ticked, for the words looked for, as a fragment."""
    return await page.show("studio/articles/_related.html", await editor.related(db, draft, find, own))


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
        return await editor.show(page, db, None, draft, terms=terms, preview=True)
    if arranged := editor.arranged(draft, do, find):
        return await editor.show(page, db, None, arranged, terms=terms, find=find)
    errors = check_article(draft, publishing=do == "publish", zone=current_zone())
    if errors:
        return await editor.show(page, db, None, draft, terms=terms, errors=errors)
    now = utcnow()
    try:
        article = await writing.create(db, viewer, draft, now, current_zone())
    except BadInput as refused:
        return await editor.show(
            page, db, None, draft, terms=terms, errors={refused.field or "_": refused.sentence}
        )
    await say_of_article(db, article.id, terms)
    if do == "publish":
        writing.publish(db, viewer, article, now)
    return RedirectResponse(f"/studio/articles/{article.id}?did={_did(do)}", status_code=303)


@router.get("/{article_id}")
async def edit(article_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/articles/{id}."""
    article = await editor.found(db, article_id)
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
    return await editor.show(page, db, article, draft, terms=about, said=did)


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
    article = await editor.found(db, article_id)
    if do == "preview":
        return await editor.show(page, db, article, draft, terms=terms, preview=True)
    if arranged := editor.arranged(draft, do, find):
        return await editor.show(page, db, article, arranged, terms=terms, find=find)
    if do == "now":
        draft = replace(draft, day="")
    goes_out = do in ("publish", "now") or article.state == "published"
    errors = check_article(draft, publishing=goes_out, zone=current_zone())
    if not draft.slug:
        errors.setdefault("slug", _("Please give the article an address."))
    if errors:
        return await editor.show(page, db, article, draft, terms=terms, errors=errors)
    now = utcnow()
    try:
        await writing.save(db, viewer, article, draft, now, current_zone())
    except BadInput as refused:
        return await editor.show(
            page, db, article, draft, terms=terms, errors={refused.field or "_": refused.sentence}
        )
    await say_of_article(db, article.id, terms)
    if do in ("publish", "now"):
        writing.publish(db, viewer, article, now)
    return RedirectResponse(f"/studio/articles/{article.id}?did={_did(do)}", status_code=303)


@router.post("/{article_id}/unpublish")
async def unpublish(article_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/articles/{id}/unpublish."""
    article = await editor.found(db, article_id)
    writing.unpublish(db, viewer, article)
    return RedirectResponse(f"/studio/articles/{article.id}?did=unpublish", status_code=303)


@router.post("/{article_id}/delete")
async def delete(article_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/articles/{id}/delete: drafts only.

    Raises:
        Conflict: for a published article.
    """
    await writing.remove(db, viewer, await editor.found(db, article_id))
    return RedirectResponse("/studio/articles?did=delete", status_code=303)
