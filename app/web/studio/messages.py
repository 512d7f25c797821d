"""The studio's inbox: messages from the contact page, to be marked when they are dealt with."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from app.articles import inbox_queries as queries
from app.articles import messaging
from app.articles.models import ContactMessage
from app.clock import utcnow
from app.db import Db
from app.web.guard import SignedIn
from app.web.pages import Page

router = APIRouter(prefix="/messages")


@dataclass(frozen=True)
class MessagesPage:
    """`just` is the message that was marked last, with a way to take that back; `done`, how many were at once.

    `suspects`: form fields that name the open ones on this page that may be spam.
    """

    messages: list[ContactMessage]
    is_handled: bool
    open_count: int
    handled_count: int
    page: int
    pages: int
    just: UUID | None
    done: int
    suspects: list[tuple[str, UUID]]


@router.get("")
async def messages(
    page: Page,
    db: Db,
    state: str = "open",
    just: str = "",
    done: str = "",
    number: Annotated[str, Query(alias="page")] = "1",
) -> Response:
    """GET /studio/messages?state=open."""
    is_handled = state == "handled"
    open_count, handled_count = await queries.message_counts(db)
    pages = max(1, -(-(handled_count if is_handled else open_count) // queries.PAGE))
    at = min(max(_count(number), 1), pages)
    found = await queries.messages(db, handled=is_handled, page=at)
    try:
        marked = UUID(just) if just else None
    except ValueError:
        marked = None
    suspects = [("id", row.id) for row in found if row.is_trapped and not is_handled]
    model = MessagesPage(
        found, is_handled, open_count, handled_count, at, pages, marked, _count(done), suspects
    )
    return await page.show("studio/messages/list.html", model)


def _count(words: str) -> int:
    """A small number from an address; 0 for anything else."""
    return int(words) if words.isascii() and words.isdigit() and len(words) < 6 else 0


@router.post("/spam")
async def suspects_handled(
    db: Db,
    viewer: SignedIn,
    ids: Annotated[list[UUID] | None, Form(alias="id", max_length=queries.PAGE)] = None,
) -> Response:
    """POST /studio/messages/spam: those of one page that may be spam need nothing."""
    done = await messaging.handle_trapped(db, viewer, ids or [], utcnow())
    return RedirectResponse(f"/studio/messages?done={done}", status_code=303)


@router.post("/{message_id}/handled")
async def handled(message_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/messages/{id}/handled."""
    await messaging.set_handled(db, viewer, message_id, handled=True, now=utcnow())
    return RedirectResponse(f"/studio/messages?just={message_id}", status_code=303)


@router.post("/{message_id}/open")
async def reopen(message_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/messages/{id}/open: it still needs something."""
    await messaging.set_handled(db, viewer, message_id, handled=False, now=utcnow())
    return RedirectResponse("/studio/messages", status_code=303)
