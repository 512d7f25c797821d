"""A series: its articles in the order in which they are read."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from app.accounts.permissions import Permission
from app.articles import series_queries as queries
from app.articles.models import Series
from app.articles.queries import ArticleCard
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.web.guard import needs
from app.web.pages import Page

router = APIRouter(prefix="/series", dependencies=[needs(Permission.PUBLIC)], tags=["articles"])


@dataclass(frozen=True)
class SeriesPage:
    series: Series
    parts: list[ArticleCard]


@router.get("/{slug}")
async def series(slug: str, page: Page, db: Db) -> Response:
    """GET /series/{slug}.

    Raises:
        NotFound: also when nothing in it can be read yet.
    """
    found = await queries.by_slug(db, slug)
    parts = await queries.parts_shown(db, found.id, utcnow()) if found else []
    if found is None or not parts:
        raise NotFound
    return await page.show("articles/series.html", SeriesPage(found, parts))
