"""A draft, for whoever was sent its link."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.accounts.permissions import Permission
from app.articles import drafts
from app.articles.rules import ResponseDraft, is_shown
from app.clock import utcnow
from app.db import Db
from app.errors import LinkExpired
from app.web.articles import ReplyForm, purpose_of, show
from app.web.auth_links import SECRET, show_dead_link
from app.web.guard import needs
from app.web.pages import Page
from app.web.writing_forms import new_stamp

router = APIRouter(dependencies=[needs(Permission.SIGNED_LINK)], tags=["articles"])


@router.get("/drafts")
async def draft(page: Page, db: Db, token: str = "") -> Response:
    """GET /drafts?token=…: the draft as it is now; once it is published, the article itself."""
    try:
        found = await drafts.read(db, token, utcnow())
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/contact")
    if is_shown(found.state, found.published_at, utcnow()):
        return RedirectResponse(found.url, 303)
    form = ReplyForm(new_stamp(purpose_of(found)), ResponseDraft())
    return await show(page, db, found, form, headers=SECRET)
