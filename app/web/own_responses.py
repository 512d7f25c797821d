"""One's own response, for ten minutes: change it, or take it back. Works for a guest's browser without a script."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts.permissions import Permission
from app.articles import editing, pacing
from app.articles.letting_in import minutes_left
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, TooMany
from app.practice.queries import mail_recipients, suspicion
from app.web.guard import MaybeViewer, needs
from app.web.pages import Page, Pages
from app.web.writers import sender_of

router = APIRouter(prefix="/responses", dependencies=[needs(Permission.PUBLIC)], tags=["articles"])


@dataclass(frozen=True)
class EditPage:
    """`minutes`: for how long it may still be changed. `is_shown`: everybody sees it."""

    response_id: UUID
    article_title: str
    article_url: str
    body: str
    minutes: int
    is_shown: bool
    error: str = ""


async def _show(
    page: Pages,
    db: Db,
    response_id: UUID,
    viewer: MaybeViewer,
    refusal: BadInput | TooMany | None = None,
    body: str = "",
) -> Response:
    now = utcnow()
    comment, article = await editing.find_own(db, response_id, sender_of(page.request, viewer), now)
    shown = EditPage(
        response_id,
        article.title,
        f"/articles/{article.slug}",
        body if refusal else comment.body_md,
        minutes_left(comment.created_at, now),
        comment.state == "approved",
        refusal.sentence if refusal else "",
    )
    headers = {"Cache-Control": "private, no-store"}
    return await page.show(
        "articles/edit.html", shown, status=refusal.status if refusal else 200, headers=headers
    )


@router.get("/{response_id}/edit")
async def edit_form(response_id: UUID, page: Page, db: Db, viewer: MaybeViewer) -> Response:
    """GET /responses/{id}/edit: for who wrote it, and nobody else."""
    return await _show(page, db, response_id, viewer)


@router.post("/{response_id}/edit")
async def edit(
    response_id: UUID,
    request: Request,
    page: Page,
    db: Db,
    viewer: MaybeViewer,
    body: Annotated[str, Form()] = "",
) -> Response:
    """POST /responses/{id}/edit."""
    sender, now = sender_of(request, viewer), utcnow()
    if not sender.is_staff and not await pacing.may_write(db, "edit", sender.ip, now):
        return await _show(page, db, response_id, viewer, TooMany(), body)
    try:
        comment, article = await editing.edit(
            db,
            response_id,
            sender,
            body,
            notify=await mail_recipients(db),
            suspicion=await suspicion(db),
            now=now,
        )
    except BadInput as refusal:
        return await _show(page, db, response_id, viewer, refusal, body)
    return RedirectResponse(f"/articles/{article.slug}#response-{comment.id}", 303)


@router.post("/{response_id}/withdraw")
async def withdraw(response_id: UUID, request: Request, db: Db, viewer: MaybeViewer) -> Response:
    """POST /responses/{id}/withdraw: its words are gone at once."""
    article = await editing.withdraw(db, response_id, sender_of(request, viewer), utcnow())
    return RedirectResponse(f"/articles/{article.slug}?withdrawn=1#responses", 303)
