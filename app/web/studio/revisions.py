"""An article's earlier texts, in the studio: a list, what changed since, and the way back."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.articles import revisions, writing
from app.articles import studio_queries as queries
from app.articles.differences import Piece, differences
from app.articles.models import Article, ArticleRevision
from app.articles.revisions import RevisionLine
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.web.guard import SignedIn
from app.web.pages import Page

router = APIRouter(prefix="/articles/{article_id}/revisions")


@dataclass(frozen=True)
class RevisionsPage:
    article: Article
    lines: list[RevisionLine]


@dataclass(frozen=True)
class RevisionPage:
    """An earlier text, and how it became the one of today. `parts`: what differs, by the name of its field."""

    article: Article
    revision: ArticleRevision
    parts: dict[str, list[Piece]]


async def _article(db: Db, article_id: UUID) -> Article:
    article = await queries.article(db, article_id)
    if article is None:
        raise NotFound
    return article


@router.get("")
async def revision_list(article_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/articles/{id}/revisions."""
    article = await _article(db, article_id)
    shown = RevisionsPage(article, await revisions.lines(db, article_id))
    return await page.show("studio/articles/revisions.html", shown)


@router.get("/{revision_id}")
async def revision(article_id: UUID, revision_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/articles/{id}/revisions/{id}: what has changed since."""
    article = await _article(db, article_id)
    then = await revisions.find(db, article_id, revision_id)
    parts = {
        name: differences(getattr(then, name), getattr(article, name))
        for name in ("title", "summary", "body_md")
    }
    shown = RevisionPage(article, then, {name: pieces for name, pieces in parts.items() if pieces})
    return await page.show("studio/articles/revision.html", shown)


@router.post("/{revision_id}/restore")
async def restore(article_id: UUID, revision_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/articles/{id}/revisions/{id}/restore."""
    article = await _article(db, article_id)
    then = await revisions.find(db, article_id, revision_id)
    await writing.restore(db, viewer, article, then, utcnow())
    return RedirectResponse(f"/studio/articles/{article_id}?did=restore", 303)
