"""Reporting a response: a page for everybody, with one field that may stay empty."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from app.accounts.permissions import Permission
from app.articles import pacing, reporting
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, TooMany
from app.practice.queries import mail_recipients
from app.web.guard import needs
from app.web.pages import Page, Pages
from app.web.writing_forms import client_ip

router = APIRouter(prefix="/responses", dependencies=[needs(Permission.PUBLIC)], tags=["articles"])


@dataclass(frozen=True)
class ReportPage:
    """The response in question. `is_done`: it was reported."""

    response_id: UUID
    name: str
    body_html: Markup
    article_url: str
    reason: str = ""
    error: str = ""
    is_done: bool = False


async def _show(
    page: Pages,
    db: Db,
    response_id: UUID,
    reason: str = "",
    error: str = "",
    status: int = 200,
    *,
    done: bool = False,
) -> Response:
    comment, article = await reporting.find(db, response_id, utcnow())
    shown = ReportPage(
        response_id,
        comment.name,
        Markup(comment.body_html),  # noqa: S704 (sanitised when it was written)
        f"/articles/{article.slug}#response-{response_id}",
        reason,
        error,
        done,
    )
    return await page.show("articles/report.html", shown, status=status)


@router.get("/{response_id}/report")
async def report_form(response_id: UUID, page: Page, db: Db, done: str = "") -> Response:
    """GET /responses/{id}/report."""
    return await _show(page, db, response_id, done=bool(done))


@router.post("/{response_id}/report")
async def report(
    response_id: UUID,
    request: Request,
    page: Page,
    db: Db,
    reason: Annotated[str, Form()] = "",
    website: Annotated[str, Form()] = "",
) -> Response:
    """POST /responses/{id}/report: noted for staff, and marked when the hidden field was filled in."""
    ip, now = client_ip(request), utcnow()
    if not await pacing.may_write(db, "report", ip, now):
        return await _show(page, db, response_id, reason, TooMany().sentence, 429)
    notify, trapped = await mail_recipients(db), bool(website)
    try:
        await reporting.report(db, response_id, reason, ip=ip, notify=notify, now=now, trapped=trapped)
    except BadInput as refusal:
        return await _show(page, db, response_id, reason, refusal.sentence, refusal.status)
    return RedirectResponse(f"/responses/{response_id}/report?done=1", 303)
