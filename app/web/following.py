"""Links about answers to responses: confirm that one wants to hear of them, and stop. A GET changes nothing."""

from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from app.accounts.links import Purpose
from app.accounts.permissions import Permission
from app.articles import following
from app.clock import utcnow
from app.db import Db
from app.errors import LinkExpired
from app.web.auth_links import SECRET, show_dead_link
from app.web.guard import needs
from app.web.pages import Page
from app.web.writers import remember, sender_of

router = APIRouter(prefix="/responses", dependencies=[needs(Permission.SIGNED_LINK)], tags=["articles"])


@dataclass(frozen=True)
class FollowPage:
    """`article_url`: with the response in sight. `is_done`: the button was pressed."""

    token: str
    email: str
    article_title: str
    article_url: str
    is_done: bool = False


async def _show(
    page: Page, db: Db, template: str, token: str, purpose: Purpose, *, is_done: bool
) -> Response:
    follow, article = await following.find(db, token, purpose, utcnow())
    url = f"/articles/{article.slug}#response-{follow.comment_id}"
    shown = FollowPage(token, follow.email, article.title, url, is_done)
    return await page.show(template, shown, headers=SECRET)


@router.get("/follow")
async def follow_form(page: Page, db: Db, token: str = "") -> Response:
    """GET /responses/follow."""
    try:
        return await _show(page, db, "articles/follow.html", token, Purpose.FOLLOW, is_done=False)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/articles")


@router.post("/follow")
async def follow(request: Request, page: Page, db: Db, token: Annotated[str, Form()] = "") -> Response:
    """POST /responses/follow: answers are mailed from now on, and this browser is known to be the address's owner's."""
    writer = sender_of(request, None).writer or uuid4()
    try:
        await following.confirm(db, token, utcnow(), writer=writer)
        answer = await _show(page, db, "articles/follow.html", token, Purpose.FOLLOW, is_done=True)
        remember(answer, writer)
        return answer
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/articles")


@router.get("/unfollow")
async def unfollow_form(page: Page, db: Db, token: str = "") -> Response:
    """GET /responses/unfollow."""
    try:
        return await _show(page, db, "articles/unfollow.html", token, Purpose.UNFOLLOW, is_done=False)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/contact")


@router.post("/unfollow")
async def unfollow(page: Page, db: Db, token: str = "", everywhere: Annotated[str, Form()] = "") -> Response:
    """POST /responses/unfollow?token=…: no more mails. Mail programs send it by themselves.

    Source: RFC 8058, 3.2.
    """
    try:
        await following.end(db, token, utcnow(), everywhere=bool(everywhere))
        return await _show(page, db, "articles/unfollow.html", token, Purpose.UNFOLLOW, is_done=True)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/contact")
