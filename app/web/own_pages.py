"""The pages that the teacher writes (about, privacy, imprint), each at an address of one word."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.accounts.permissions import Permission
from app.articles.rules import ResponseDraft
from app.db import Db
from app.errors import NotFound
from app.web.articles import ReplyForm, readable, show
from app.web.guard import MaybeViewer, needs
from app.web.pages import pages_of

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["articles"])


@router.get("/{slug}")
async def own_page(slug: str, request: Request, db: Db, viewer: MaybeViewer) -> Response:
    """GET /{slug}.

    Raises:
        NotFound: no page of that name is published; the former address of an article then leads on.
    """
    found = await readable(db, slug, viewer)
    if found.url != f"/{slug}":
        raise NotFound
    return await show(await pages_of(request, db, viewer), db, found, ReplyForm("", ResponseDraft()))
