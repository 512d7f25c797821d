"""The contact page: addresses, numbers to tap, and a form that reaches the teacher."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts.permissions import Permission, Viewer
from app.articles import messaging, pacing
from app.articles.rules import Errors, MessageDraft, check_message
from app.clock import utcnow
from app.db import Db
from app.errors import TooMany
from app.practice.queries import mail_recipients
from app.web.guard import MaybeViewer, needs
from app.web.pages import Page
from app.web.writing_forms import WORK, client_ip, has_worked, new_stamp, pace_error

router = APIRouter(prefix="/contact", dependencies=[needs(Permission.PUBLIC)], tags=["contact"])

PURPOSE = "contact"


@dataclass(frozen=True)
class ContactPage:
    """`work`: what a guest's browser is asked to do (`writing_forms.WORK`)."""

    stamp: str
    draft: MessageDraft
    work: tuple[int, int] | None
    errors: Errors = field(default_factory=dict)


def _fresh(viewer: Viewer | None, draft: MessageDraft, errors: Errors) -> ContactPage:
    return ContactPage(new_stamp(PURPOSE), draft, None if viewer else WORK, errors)


@router.get("")
async def contact(page: Page, viewer: MaybeViewer) -> Response:
    """GET /contact."""
    draft = MessageDraft(viewer.name, viewer.email) if viewer else MessageDraft()
    return await page.show("contact/contact.html", _fresh(viewer, draft, {}))


@router.get("/sent")
async def sent(page: Page) -> Response:
    """GET /contact/sent: the message was taken."""
    return await page.show("contact/sent.html")


@router.post("")
async def send(
    request: Request,
    page: Page,
    db: Db,
    viewer: MaybeViewer,
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    phone: Annotated[str, Form()] = "",
    body: Annotated[str, Form()] = "",
    stamp: Annotated[str, Form()] = "",
    website: Annotated[str, Form()] = "",
    proof: Annotated[str, Form()] = "",
) -> Response:
    """POST /contact: keep the message and mail it on, or show the form again with what was typed."""
    draft = MessageDraft(name, email, phone, body).tidy()
    errors, status = check_message(draft), 422
    if not errors and viewer is None and (sentence := pace_error(PURPOSE, stamp)):
        errors["_"] = sentence
    now = utcnow()
    if not errors and not await pacing.may_write(db, "contact", client_ip(request), now):
        errors["_"], status = TooMany().sentence, 429
    if errors:
        return await page.show("contact/contact.html", _fresh(viewer, draft, errors), status=status)
    await messaging.send(
        db,
        draft,
        trapped=bool(website),
        is_worked=await has_worked(db, viewer, stamp, proof),
        notify=await mail_recipients(db),
        now=now,
    )
    return RedirectResponse("/contact/sent", status_code=303)
