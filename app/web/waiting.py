"""What is announced and not there yet: its pages, and the links of the mails about it. A GET changes nothing."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts.links import Purpose
from app.accounts.permissions import Permission
from app.catalog.rules import is_slug
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, Conflict, LinkExpired, NotFound, TooMany
from app.waiting import asking, queries
from app.waiting.standing import Standing
from app.web.ask_forms import Asked, AskForm, Sent, form_for, take
from app.web.auth_links import SECRET, show_dead_link
from app.web.guard import needs
from app.web.pages import Page, Pages

router = APIRouter(tags=["waiting"])
PUBLIC = [needs(Permission.PUBLIC)]
LINK = [needs(Permission.SIGNED_LINK)]


@dataclass(frozen=True)
class ComingPage:
    topics: list[Standing]


@dataclass(frozen=True)
class TopicPage:
    topic: Standing
    form: AskForm


@dataclass(frozen=True)
class WaitPage:
    """A link from a mail. `is_done`: its button was pressed. `others`: for how much else the address waits."""

    token: str
    email: str
    topic: Standing
    others: int = 0
    is_done: bool = False


@router.get("/coming", dependencies=PUBLIC)
async def coming(page: Page, db: Db) -> Response:
    """GET /coming: everything that is announced."""
    return await page.show("waiting/coming.html", ComingPage(await queries.topics(db, utcnow())))


async def _topic(db: Db, slug: str) -> Standing:
    """Raises: NotFound."""
    found = await queries.by_slugs(db, [slug] if is_slug(slug) else [], utcnow())
    if slug not in found:
        raise NotFound
    return found[slug]


async def _show(page: Pages, topic: Standing, asked: Asked, status: int = 200) -> Response:
    form = form_for(page.viewer, topic.slug or "", f"/coming/{topic.slug}", asked)
    return await page.show("waiting/topic.html", TopicPage(topic, form), status=status)


@router.get("/coming/{slug}", dependencies=PUBLIC)
async def topic(slug: str, page: Page, db: Db, told: str = "") -> Response:
    """GET /coming/{slug}: what it will be, and the form; once it is out, the thing itself."""
    found = await _topic(db, slug)
    if found.is_out:
        return RedirectResponse(found.path, 303)
    return await _show(page, found, Asked(told=told))


@router.post("/coming/{slug}", dependencies=PUBLIC)
async def wait_for(slug: str, request: Request, page: Page, db: Db, sent: Sent) -> Response:
    """POST /coming/{slug}: back to the article that the form stands in, or to the topic's page."""
    found = await _topic(db, slug)
    try:
        told = await take(db, request, page.viewer, found.id, slug, sent)
    except Conflict:
        return RedirectResponse(found.path, 303)
    except (BadInput, TooMany) as fault:
        asked = Asked(sent.email, fault.sentence, came_from=sent.came_from)
        return await _show(page, found, asked, fault.status)
    if is_slug(sent.came_from):
        return RedirectResponse(f"/articles/{sent.came_from}?told={slug}:{told}#wait-{slug}", 303)
    return RedirectResponse(f"/coming/{slug}?told={told}", 303)


async def _link(page: Page, db: Db, token: str, purpose: Purpose, *, is_done: bool) -> Response:
    waiting, found = await asking.find(db, token, purpose, utcnow())
    others = await asking.count_others(db, waiting)
    if purpose is Purpose.WAIT and waiting.confirmed_at and not waiting.ended_at:
        # The link was opened before: what was asked then is not asked again.
        is_done = True
    name = "confirm" if purpose is Purpose.WAIT else "end"
    shown = WaitPage(token, waiting.email, found, others, is_done)
    return await page.show(f"waiting/{name}.html", shown, headers=SECRET)


@router.get("/waiting/confirm", dependencies=LINK)
async def confirm_form(page: Page, db: Db, token: str = "") -> Response:
    """GET /waiting/confirm."""
    try:
        return await _link(page, db, token, Purpose.WAIT, is_done=False)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/coming")


@router.post("/waiting/confirm", dependencies=LINK)
async def confirm(page: Page, db: Db, token: Annotated[str, Form()] = "") -> Response:
    """POST /waiting/confirm: the address is on the list."""
    try:
        await asking.confirm(db, token, utcnow())
        return await _link(page, db, token, Purpose.WAIT, is_done=True)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/coming")


@router.get("/waiting/end", dependencies=LINK)
async def end_form(page: Page, db: Db, token: str = "") -> Response:
    """GET /waiting/end."""
    try:
        return await _link(page, db, token, Purpose.UNWAIT, is_done=False)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/contact")


@router.post("/waiting/end", dependencies=LINK)
async def end(page: Page, db: Db, token: str = "", everywhere: Annotated[str, Form()] = "") -> Response:
    """POST /waiting/end?token=…: no more mails. Mail programs send it by themselves.

    Source: RFC 8058, 3.2.
    """
    try:
        await asking.end(db, token, utcnow(), everywhere=bool(everywhere))
        return await _link(page, db, token, Purpose.UNWAIT, is_done=True)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/contact")
