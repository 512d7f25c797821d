"""The first page: the practice's face."""

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.access import queries as access
from app.accounts.permissions import Permission
from app.articles import old_addresses
from app.clock import utcnow
from app.db import Db
from app.practice.front import front
from app.web.guard import needs
from app.web.pages import Page

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["home"])


@router.get("/")
async def home(page: Page, db: Db, request: Request) -> Response:
    """GET /: who teaches, the latest articles, the courses, the practice. `/?p=12` was an article in WordPress."""
    if request.url.query and (found := await old_addresses.find(db, "/", request.url.query)):
        return RedirectResponse(found, status_code=301)
    now = utcnow()
    shown = await front(db, now)
    if page.viewer:
        rights = await access.active_for(db, page.viewer.user_id, now)
        if any(one.course_id is None for one in rights):
            # Who may watch everything is asked for no money.
            shown = replace(shown, offer=None)
    return await page.show("home/home.html", shown)
