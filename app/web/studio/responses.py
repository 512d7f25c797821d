"""The studio's responses: what is held, what was decided, how to take it back, and how to answer."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from app.articles import bans, moderating
from app.articles import inbox_queries as queries
from app.articles.letting_in import CAUSES
from app.articles.models import Comment
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput
from app.i18n import _
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/responses")

STATES = ("pending", "approved", "spam", "removed")
TABS = (*STATES, "reported")
DEEDS = (*moderating.OUTCOMES, "ban")


@dataclass(frozen=True)
class Done:
    """What was just decided, so that it can be taken back: the states before, by id, and the new bans."""

    action: str
    before: dict[UUID, str]
    bans: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class ResponsesPage:
    """`reply_error` and `reply_words` belong to the response `reply_to`. `reasons`: why readers reported which."""

    state: str
    counts: dict[str, int]
    lines: list[queries.ResponseLine]
    page: int
    pages: int
    done: Done | None = None
    said: str = ""
    unread: int = 0
    error: str = ""
    reply_to: UUID | None = None
    reply_error: str = ""
    reply_words: str = ""
    reasons: dict[UUID, list[queries.Reason]] = field(default_factory=dict)

    @staticmethod
    def cause(response: Comment) -> str:
        """Why it is not shown, in words; empty where nothing is noted."""
        return _(CAUSES[response.cause]) if response.cause in CAUSES else ""

    @staticmethod
    def safe(body_html: str) -> Markup:
        """A response's words: sanitised when they were written."""
        return Markup(body_html)  # noqa: S704


def _uuids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _seen(texts: list[str]) -> dict[UUID, int]:
    """Read `<id>.<edits>`: which response, and how often it had been edited when the page was made."""
    found = {}
    for text in texts:
        raw, _dot, edits = text.partition(".")
        for key in _uuids([raw]):
            found[key] = int(edits) if edits.isascii() and edits.isdigit() and len(edits) < 6 else 0
    return found


def _before(texts: list[str]) -> dict[UUID, str]:
    """Read `<id>.<state>` pairs."""
    pairs = [text.partition(".") for text in texts[: moderating.MOST_AT_ONCE]]
    return {key: state for raw, _dot, state in pairs if state in STATES for key in _uuids([raw])}


async def _queue(
    page: Pages,
    db: Db,
    state: str,
    number: int,
    status: int = 200,
    reply_to: UUID | None = None,
    **more: object,
) -> Response:
    counts = await queries.response_counts(db)
    pages = max(1, -(-counts[state] // queries.PAGE))
    at = min(max(number, 1), pages)
    lines = await queries.response_page(db, state, page=at)
    if reply_to is not None and all(line.comment.id != reply_to for line in lines):
        # A refused reply keeps its words, also when its response stands on another page of the queue.
        answered = await queries.response_line(db, reply_to)
        lines = [answered, *lines] if answered else lines
    reasons = await queries.report_reasons(db, [line.comment.id for line in lines])
    model = ResponsesPage(state, counts, lines, at, pages, reply_to=reply_to, reasons=reasons, **more)  # type: ignore[arg-type]
    return await page.show("studio/responses/list.html", model, status=status)


def _state(text: str) -> str:
    return text if text in TABS else "pending"


@router.get("")
async def responses(request: Request, page: Page, db: Db, state: str = "pending", did: str = "") -> Response:
    """GET /studio/responses?state=pending: the queue, with a way to take the last decision back."""
    number = request.query_params.get("page", "1")
    before = _before(request.query_params.getlist("was"))
    banned = tuple(_uuids(request.query_params.getlist("ban")))
    done = Done(did, before, banned) if did in DEEDS and (before or banned) else None
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    unread = request.query_params.get("unread", "")
    left = int(unread) if unread.isascii() and unread.isdigit() and len(unread) < 4 else 0
    return await _queue(page, db, _state(state), at, done=done, said=did, unread=left)


@router.post("/moderate")
async def moderate(
    request: Request,
    page: Page,
    db: Db,
    viewer: SignedIn,
    action: Annotated[str, Form()] = "",
    state: Annotated[str, Form()] = "pending",
) -> Response:
    """POST /studio/responses/moderate: `action` is `approve` for the ticked ones, or `approve:<id>.<edits>` for one."""
    verb, _colon, single = action.partition(":")
    form = await request.form()
    seen = _seen([single] if single else [str(value) for value in form.getlist("id")])
    try:
        decided = await moderating.moderate(
            db, viewer, list(seen), "spam" if verb == "ban" else verb, utcnow(), seen=seen
        )
    except BadInput as refused:
        return await _queue(page, db, _state(state), 1, 422, error=refused.sentence)
    made = await bans.ban_writers(db, viewer, list(seen), "", utcnow()) if verb == "ban" else []
    return decided_address(_state(state), verb, decided, made)


def decided_address(state: str, verb: str, decided: moderating.Decided, made: list[UUID]) -> Response:
    """Back to the queue, with what it takes to undo this."""
    query = [
        ("state", state),
        ("did", verb),
        *(("was", f"{key}.{was}") for key, was in decided.before.items()),
        *(("ban", str(key)) for key in made),
        *([("unread", decided.unread)] if decided.unread else []),
    ]
    return RedirectResponse(f"/studio/responses?{urlencode(query)}", status_code=303)


@router.post("/undo")
async def undo(
    request: Request,
    db: Db,
    viewer: SignedIn,
    action: Annotated[str, Form()] = "",
    state: Annotated[str, Form()] = "pending",
) -> Response:
    """POST /studio/responses/undo: give the responses back the state they had."""
    form = await request.form()
    before = _before([str(value) for value in form.getlist("was")])
    if action == "ban":
        lifted = [str(value) for value in form.getlist("ban")][: moderating.MOST_AT_ONCE]
        await bans.lift(db, viewer, _uuids(lifted), utcnow())
    await moderating.undo(db, viewer, before, "spam" if action == "ban" else action, utcnow())
    return RedirectResponse(f"/studio/responses?state={_state(state)}&did=undo", status_code=303)


@router.post("/{response_id}/reply")
async def reply(
    response_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    body: Annotated[str, Form()] = "",
    state: Annotated[str, Form()] = "pending",
    seen: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/responses/{id}/reply: shown at once; a held response is approved by it."""
    read = _seen([f"{response_id}.{seen}"])[response_id] if seen else None
    try:
        await moderating.answer(db, viewer, response_id, body, utcnow(), seen=read)
    except BadInput as refused:
        return await _queue(
            page,
            db,
            _state(state),
            1,
            422,
            reply_to=response_id,
            reply_error=refused.sentence,
            reply_words=body,
        )
    return RedirectResponse(f"/studio/responses?state={_state(state)}&did=reply", status_code=303)
