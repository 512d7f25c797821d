"""The studio's muscles and conditions: what they are called, where they are, what helps."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.articles import studio_queries
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, NotFound
from app.finding import queries, writing
from app.finding.models import Term
from app.finding.queries import TermCard
from app.finding.regions import REGIONS
from app.finding.rules import KINDS, TermDraft, check_term
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/body")


@dataclass(frozen=True)
class TermsPage:
    terms: list[TermCard]
    words: str
    deleted: bool


@dataclass(frozen=True)
class TermPage:
    """`term` None: a new one. `said`: what was just done."""

    term: Term | None
    address: str
    draft: TermDraft
    regions: list[tuple[str, str]]
    lessons: list[tuple[str, str]]
    articles: list[tuple[str, str]]
    errors: dict[str, str] = field(default_factory=dict)
    said: str = ""


def _line(typed: str) -> str:
    return " ".join(tidy(typed).split())


def _lines(typed: str) -> str:
    lines = (_line(line) for line in typed.splitlines())
    return "\n".join(dict.fromkeys(line for line in lines if line))


async def term_form(
    kind: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    slug: Annotated[str, Form()] = "",
    synonyms: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
    body_md: Annotated[str, Form()] = "",
    regions: Annotated[list[str] | None, Form()] = None,
    lessons: Annotated[list[str] | None, Form()] = None,
    articles: Annotated[list[str] | None, Form()] = None,
) -> TermDraft:
    """The form as it was sent, without stray spaces."""
    return TermDraft(
        kind=kind,
        name=_line(name),
        slug=slug.strip().lower(),
        synonyms=_lines(synonyms),
        summary=_line(summary),
        body_md=tidy(body_md.replace("\r\n", "\n").replace("\r", "\n")).strip(),
        regions=tuple(regions or ())[: len(REGIONS)],
        lessons=tuple(lessons or ()),
        articles=tuple(articles or ()),
    )


Draft = Annotated[TermDraft, Depends(term_form)]


async def _show(
    page: Pages,
    db: Db,
    term: Term | None,
    draft: TermDraft,
    *,
    errors: dict[str, str] | None = None,
    said: str = "",
) -> Response:
    model = TermPage(
        term=term,
        address=writing.address(term) if term else "",
        draft=draft,
        regions=[(region.key, region.label) for region in REGIONS.values()],
        lessons=await studio_queries.lesson_choices(db),
        articles=await queries.article_choices(db, term),
        errors=errors or {},
        said=said,
    )
    return await page.show("studio/terms/edit.html", model, status=422 if errors else 200)


async def _term(db: Db, term_id: UUID) -> Term:
    term = await queries.by_id(db, term_id)
    if term is None:
        raise NotFound
    return term


@router.get("")
async def terms(page: Page, db: Db, q: str = "", did: str = "") -> Response:
    """GET /studio/body."""
    words = _line(q)[:100]
    model = TermsPage(await queries.search_studio(db, words, utcnow()), words, did == "delete")
    return await page.show("studio/terms/list.html", model)


@router.get("/new")
async def new(page: Page, db: Db, kind: str = "muscle") -> Response:
    """GET /studio/body/new."""
    return await _show(page, db, None, TermDraft(kind=kind if kind in KINDS else "muscle"))


@router.post("")
async def create(page: Page, db: Db, viewer: SignedIn, draft: Draft) -> Response:
    """POST /studio/body: everybody sees it from now on."""
    errors = check_term(draft)
    if errors:
        return await _show(page, db, None, draft, errors=errors)
    try:
        term = await writing.create(db, viewer, draft, utcnow())
    except BadInput as refused:
        return await _show(page, db, None, draft, errors={refused.field or "_": refused.sentence})
    return RedirectResponse(f"/studio/body/{term.id}?did=create", status_code=303)


@router.get("/{term_id}")
async def edit(term_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/body/{id}."""
    term = await _term(db, term_id)
    regions, lessons, articles = await queries.chosen(db, term.id)
    draft = TermDraft(
        kind=term.kind,
        name=term.name,
        slug=term.slug,
        synonyms=term.synonyms,
        summary=term.summary,
        body_md=term.body_md,
        regions=tuple(regions),
        lessons=tuple(lessons),
        articles=tuple(articles),
    )
    return await _show(page, db, term, draft, said=did)


@router.post("/{term_id}")
async def save(term_id: UUID, page: Page, db: Db, viewer: SignedIn, draft: Draft) -> Response:
    """POST /studio/body/{id}."""
    term = await _term(db, term_id)
    errors = check_term(draft)
    if not errors:
        try:
            await writing.save(db, viewer, term, draft, utcnow())
        except BadInput as refused:
            errors = {refused.field or "_": refused.sentence}
    if errors:
        return await _show(page, db, term, draft, errors=errors)
    return RedirectResponse(f"/studio/body/{term.id}?did=save", status_code=303)


@router.post("/{term_id}/delete")
async def delete(term_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/body/{id}/delete: for good."""
    await writing.remove(db, viewer, await _term(db, term_id))
    return RedirectResponse("/studio/body?did=delete", status_code=303)
