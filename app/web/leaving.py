"""A member deletes the account: apart from its other pages, because Stripe is asked while nothing is open."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app import db
from app.accounts import rules, throttle
from app.accounts.permissions import Permission
from app.billing.queries import Membership, membership_of
from app.clock import utcnow
from app.errors import BadInput, LimberError, TooMany
from app.practice import leaving
from app.web.guard import BriefSignedIn, clear_session_cookie, needs, needs_briefly
from app.web.pages import Page, Pages

router = APIRouter(tags=["account"])
MEMBER = [needs_briefly(Permission.MEMBER)]


@dataclass(frozen=True)
class LeavePage:
    """What goes: `membership` None: nothing is paid. `responses`: how many stay without a name."""

    membership: Membership | None
    responses: int
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DeletedPage:
    """Nothing to know any more."""


@router.get("/account/deleted", dependencies=[needs(Permission.PUBLIC)])
async def deleted(page: Page) -> Response:
    """GET /account/deleted: where somebody arrives whose account has just gone."""
    return await page.show("account/deleted.html", DeletedPage())


@router.get("/account/delete", dependencies=MEMBER)
async def leave_form(request: Request, viewer: BriefSignedIn) -> Response:
    """GET /account/delete."""
    return await _show(request, viewer)


@router.post("/account/delete", dependencies=MEMBER)
async def leave(request: Request, viewer: BriefSignedIn, current: Annotated[str, Form()] = "") -> Response:
    """POST /account/delete: for good."""
    now = utcnow()
    try:
        async with db.transaction() as session:
            allowed = await throttle.allow(session, [rules.reauthentication_bucket(viewer.user_id)], now)
        if not allowed:
            raise TooMany
        await leaving.leave(viewer.user_id, current, now)
    except LimberError as refusal:
        return await _show(request, viewer, refusal)
    response = RedirectResponse("/account/deleted", 303)
    clear_session_cookie(response)
    return response


async def _show(request: Request, viewer: BriefSignedIn, refusal: LimberError | None = None) -> Response:
    errors = {}
    if refusal is not None:
        name = refusal.field if isinstance(refusal, BadInput) else None
        errors = {name or "_": refusal.sentence}
    async with db.transaction() as session:
        shown = LeavePage(
            membership=await membership_of(session, viewer.user_id, utcnow()),
            responses=await leaving.count_responses(session, viewer.user_id),
            errors=errors,
        )
        return await Pages(request, session, viewer).show(
            "account/delete.html", shown, status=refusal.status if refusal else 200
        )
