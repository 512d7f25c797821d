"""The way in: one search page, the body on which one points, and a page for each muscle and condition."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from app.access.queries import facts_for
from app.accounts.permissions import Permission
from app.accounts.rules import tidy
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.finding import queries, searching
from app.finding.figure import FIGURES, HEIGHT, WIDTH, Figure
from app.finding.models import Term
from app.finding.queries import Help, TermCard
from app.finding.regions import REGIONS, Region
from app.finding.rules import ASKED_CHARS
from app.finding.searching import KINDS, MOST, PAGE, PAGES, Asking, Results
from app.i18n import N_
from app.web.guard import needs
from app.web.pages import Page, Pages

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["finding"])

KIND_WORDS = {
    "article": N_("Articles"),
    "lesson": N_("Lessons"),
    "course": N_("Courses"),
    "spoken": N_("Said in lessons"),
    "term": N_("Muscles and conditions"),
}


@dataclass(frozen=True)
class SearchPage:
    """`near`: muscles and conditions to try where nothing was found. `kinds`: (kind, its name, how many)."""

    asked: str
    kind: str
    results: Results
    kinds: tuple[tuple[str, str, int], ...]
    page: int
    pages: int
    near: list[TermCard]

    @property
    def most(self) -> int:
        return 2 * MOST

    def address(self, kind: str, page: int = 1) -> str:
        """The same question among one kind."""
        pairs = {"q": self.asked, "kind": kind, "page": str(page) if page > 1 else ""}
        return f"/search?{urlencode({name: value for name, value in pairs.items() if value})}"

    @property
    def this(self) -> str:
        return self.address(self.kind)


@router.get("/search")
async def search(
    page: Page, db: Db, q: str = "", kind: str = "", number: Annotated[str, Query(alias="page")] = "1"
) -> Response:
    """GET /search: what this reader finds; a transcript only of lessons that they may watch."""
    asked = " ".join(tidy(q[: 2 * ASKED_CHARS]).split())[:ASKED_CHARS]
    chosen = kind if kind in KINDS else ""
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 1
    at = min(max(at, 1), PAGES)
    viewer = page.viewer
    entitlements = await facts_for(db, viewer.user_id) if viewer else []
    who = Asking(viewer, tuple(entitlements), utcnow())
    results = await searching.search(db, asked, who, kind=chosen, page=at) if asked else Results()
    total = results.counts.get(chosen, 0) if chosen else results.total
    model = SearchPage(
        asked=asked,
        kind=chosen,
        results=results,
        kinds=tuple((one, KIND_WORDS[one], results.counts.get(one, 0)) for one in KINDS),
        page=at,
        pages=min(max(1, -(-total // PAGE)), PAGES),
        near=[] if results.hits else await queries.near(db, asked.lower()),
    )
    # What a member may watch is in it: no cache but the browser's own may keep it.
    return await page.show("finding/search.html", model, headers={"X-Robots-Tag": "noindex"})


@dataclass(frozen=True)
class BodyMap:
    """The drawing, and which of its regions are coloured."""

    chosen: frozenset[str]
    figures: tuple[Figure, ...] = FIGURES
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class BodyPage:
    """The body, and what is known of the `region` that was chosen."""

    map: BodyMap
    regions: tuple[Region, ...]
    region: Region | None
    muscles: list[TermCard]
    conditions: list[TermCard]
    help: Help


@router.get("/body")
async def body(page: Page, db: Db, region: str = "") -> Response:
    """GET /body: point to where it hurts; `?region=hip` shows what there is about it."""
    chosen = REGIONS.get(region)
    if region and chosen is None:
        return RedirectResponse("/body", status_code=303)
    found = await queries.terms(db, utcnow(), region=chosen.key if chosen else None)
    ids = [one.id for one in found] if chosen else []
    model = BodyPage(
        map=BodyMap(frozenset([chosen.key] if chosen else [])),
        regions=tuple(REGIONS.values()),
        region=chosen,
        muscles=[one for one in found if one.kind == "muscle"],
        conditions=[one for one in found if one.kind == "condition"],
        help=await queries.help_with(db, ids, utcnow()),
    )
    return await page.show("finding/body.html", model)


@dataclass(frozen=True)
class TermsPage:
    kind: str
    terms: list[TermCard]


@dataclass(frozen=True)
class TermPage:
    """A muscle or condition, and what helps. `is_bare`: there is nothing to read yet."""

    term: Term
    card: TermCard
    body: Markup | None
    regions: list[Region]
    map: BodyMap
    help: Help
    close_by: list[TermCard]

    @property
    def is_bare(self) -> bool:
        return not (self.body or self.help)


async def _terms(page: Pages, db: Db, kind: str) -> Response:
    return await page.show(
        "finding/terms.html", TermsPage(kind, await queries.terms(db, utcnow(), kind=kind))
    )


async def _term(page: Pages, db: Db, kind: str, slug: str) -> Response:
    term = await queries.by_slug(db, kind, slug)
    if term is None:
        raise NotFound
    places = await queries.regions_of(db, term.id)
    model = TermPage(
        term=term,
        card=queries.card(term),
        # Sanitised when it was saved.
        body=Markup(term.body_html) if term.body_html.strip() else None,  # noqa: S704
        regions=places,
        map=BodyMap(frozenset(place.key for place in places)),
        help=await queries.help_with(db, [term.id], utcnow()),
        close_by=await queries.close_by(db, term, places),
    )
    return await page.show("finding/term.html", model)


@router.get("/muscles")
async def muscles(page: Page, db: Db) -> Response:
    """GET /muscles: every muscle, by name."""
    return await _terms(page, db, "muscle")


@router.get("/conditions")
async def conditions(page: Page, db: Db) -> Response:
    """GET /conditions: every condition, by name."""
    return await _terms(page, db, "condition")


@router.get("/muscles/{slug}")
async def muscle(slug: str, page: Page, db: Db) -> Response:
    """GET /muscles/{slug}: what it is, and what helps."""
    return await _term(page, db, "muscle", slug)


@router.get("/conditions/{slug}")
async def condition(slug: str, page: Page, db: Db) -> Response:
    """GET /conditions/{slug}: what it is, and what helps."""
    return await _term(page, db, "condition", slug)
