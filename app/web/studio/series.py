"""The studio's series: what they are called, and which articles they hold in which order."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from app.articles import series as changes
from app.articles import series_queries as queries
from app.articles.models import Series
from app.articles.rules import Errors, SeriesDraft, check_series
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, NotFound
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/series")


@dataclass(frozen=True)
class SeriesListPage:
    every: list[queries.SeriesLine]
    did: str = ""


@dataclass(frozen=True)
class SeriesPage:
    """One series, or a new one (`series` None). `choices`: articles that are in no series."""

    series: Series | None
    draft: SeriesDraft
    parts: list[queries.PartLine] = field(default_factory=list)
    choices: list[tuple[str, str]] = field(default_factory=list)
    errors: Errors = field(default_factory=dict)
    did: str = ""

    @property
    def address(self) -> str:
        return f"/studio/series/{self.series.id}" if self.series else "/studio/series"


async def series_form(
    title: Annotated[str, Form()] = "",
    slug: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
) -> SeriesDraft:
    """The form about a series, as it was sent."""
    return SeriesDraft(title, slug, summary).tidy()


Sent = Annotated[SeriesDraft, Depends(series_form)]


async def _show(
    page: Pages,
    db: Db,
    series: Series | None,
    draft: SeriesDraft,
    errors: Errors | None = None,
    did: str = "",
) -> Response:
    model = SeriesPage(
        series=series,
        draft=draft,
        parts=await queries.parts(db, series.id) if series else [],
        choices=await queries.free_articles(db) if series else [],
        errors=errors or {},
        did=did,
    )
    return await page.show("studio/series/series.html", model, status=422 if errors else 200)


@router.get("")
async def every(page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/series."""
    return await page.show("studio/series/list.html", SeriesListPage(await queries.every(db), did))


@router.get("/new")
async def new(page: Page, db: Db) -> Response:
    """GET /studio/series/new."""
    return await _show(page, db, None, SeriesDraft())


@router.post("")
async def create(page: Page, db: Db, viewer: SignedIn, draft: Sent) -> Response:
    """POST /studio/series."""
    errors = check_series(draft)
    if errors:
        return await _show(page, db, None, draft, errors)
    try:
        made = await changes.create(db, viewer, draft, utcnow())
    except BadInput as refused:
        return await _show(page, db, None, draft, {refused.field or "_": refused.sentence})
    return RedirectResponse(f"/studio/series/{made.id}?did=create", 303)


@router.get("/{series_id}")
async def one(series_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/series/{id}."""
    found = await changes.find(db, series_id)
    return await _show(page, db, found, SeriesDraft(found.title, found.slug, found.summary), did=did)


@router.post("/{series_id}")
async def save(series_id: UUID, page: Page, db: Db, viewer: SignedIn, draft: Sent) -> Response:
    """POST /studio/series/{id}."""
    found = await changes.find(db, series_id)
    errors = check_series(draft)
    if errors:
        return await _show(page, db, found, draft, errors)
    try:
        await changes.save(db, viewer, found, draft)
    except BadInput as refused:
        return await _show(page, db, found, draft, {refused.field or "_": refused.sentence})
    return RedirectResponse(f"/studio/series/{found.id}?did=save", 303)


@router.post("/{series_id}/delete")
async def delete(series_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/series/{id}/delete: its articles stay."""
    await changes.remove(db, viewer, await changes.find(db, series_id))
    return RedirectResponse("/studio/series?did=delete", 303)


@router.post("/{series_id}/parts")
async def add(series_id: UUID, db: Db, viewer: SignedIn, article: Annotated[str, Form()] = "") -> Response:
    """POST /studio/series/{id}/parts: an article more, at the end."""
    found = await changes.find(db, series_id)
    try:
        await changes.add(db, viewer, found, UUID(article))
    except ValueError:
        return RedirectResponse(f"/studio/series/{series_id}#parts", 303)
    return RedirectResponse(f"/studio/series/{series_id}?did=arrange#parts", 303)


@router.post("/{series_id}/parts/{article_id}/{deed}")
async def arrange(series_id: UUID, article_id: UUID, deed: str, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/series/{id}/parts/{id}/{up|down|out}."""
    found = await changes.find(db, series_id)
    if deed in ("up", "down"):
        await changes.move(db, viewer, found, article_id, -1 if deed == "up" else 1)
    elif deed == "out":
        await changes.take_out(db, viewer, found, article_id)
    else:
        raise NotFound
    return RedirectResponse(f"/studio/series/{series_id}?did=arrange#parts", 303)
