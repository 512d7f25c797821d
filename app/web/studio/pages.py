"""The studio's pages: what the teacher writes beside articles, with a text to begin with for the usual ones."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.articles import writing
from app.articles.rules import ArticleDraft
from app.articles.studio_queries import PageLine, own_pages
from app.articles.sweep import KEEP_IP
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.i18n import N_, _
from app.practice.navigation import WELL_KNOWN
from app.settings import get_settings
from app.templating import environment
from app.waiting.rules import KEPT_AFTER, UNANSWERED
from app.web.guard import SignedIn
from app.web.pages import Page

router = APIRouter(prefix="/pages")

# Slug → title and what it is for; the texts are in templates/beginnings/.
BEGINNINGS = {
    "about": (N_("About me"), N_("Who you are, how you work and whom you can help.")),
    "privacy": (N_("Privacy"), N_("What this site stores about people, why, and for how long.")),
    "terms": (N_("Terms"), N_("What members get, what they pay, and how they stop.")),
    "imprint": (N_("Imprint"), N_("Who is responsible for the site. Some countries demand it.")),
}
assert tuple(BEGINNINGS) == WELL_KNOWN


@dataclass(frozen=True)
class Beginning:
    """A usual page that is not there yet."""

    slug: str
    title: str
    purpose: str


@dataclass(frozen=True)
class PagesPage:
    pages: list[PageLine]
    missing: tuple[Beginning, ...]


@router.get("")
async def pages(page: Page, db: Db) -> Response:
    """GET /studio/pages."""
    found = await own_pages(db)
    there = {one.slug for one in found}
    missing = tuple(
        Beginning(slug, _(title), _(purpose))
        for slug, (title, purpose) in BEGINNINGS.items()
        if slug not in there
    )
    return await page.show("studio/pages/list.html", PagesPage(found, missing))


@router.post("/{slug}")
async def begin(slug: str, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/pages/{slug}: a draft with the text to begin with; the one that is there, when there is one.

    Raises:
        NotFound: there is no text for it.
    """
    if slug not in BEGINNINGS:
        raise NotFound
    there = {one.slug: one.id for one in await own_pages(db)}
    if slug in there:
        return RedirectResponse(f"/studio/articles/{there[slug]}", status_code=303)
    settings = get_settings()
    text = (
        environment()
        .get_template(f"beginnings/{slug}.txt")
        .render(
            practice=page.facts,
            sells=settings.buying_enabled,
            session_days=settings.session_days,
            ip_days=KEEP_IP.days,
            told_days=KEPT_AFTER.days,
            unanswered_days=UNANSWERED.days,
            base_url=settings.base_url,
        )
    )
    # Its usual address; an article that has it keeps it, and the page gets the next one.
    draft = ArticleDraft(title=_(BEGINNINGS[slug][0]), body_md=text.strip() + "\n", is_page=True)
    made = await writing.create(db, viewer, draft, utcnow(), slug=slug)
    return RedirectResponse(f"/studio/articles/{made.id}", status_code=303)
