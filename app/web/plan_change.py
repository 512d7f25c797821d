"""Another plan, from the account page: apart from its other pages, because Stripe is asked while nothing is open."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app import db
from app.accounts.permissions import Permission
from app.billing import changing
from app.billing.changing import ChangePreview, Choice
from app.errors import LimberError
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import Pages

router = APIRouter(prefix="/account/plan", tags=["account"])
MEMBER = [needs_briefly(Permission.MEMBER)]


@dataclass(frozen=True)
class ChoicePage:
    """The plans that a member may change to."""

    choice: Choice
    error: str = ""


@dataclass(frozen=True)
class ChangePage:
    """What one change costs, before it is made. `at`: Unix seconds of the moment that it was counted for."""

    preview: ChangePreview
    at: int


@router.get("", dependencies=MEMBER)
async def choose(request: Request, viewer: BriefSignedIn) -> Response:
    """GET /account/plan."""
    return await _choices(request, viewer)


async def _choices(request: Request, viewer: BriefSignedIn, refusal: LimberError | None = None) -> Response:
    async with db.transaction() as session:
        shown = ChoicePage(
            await changing.choices(session, viewer.user_id), refusal.sentence if refusal else ""
        )
        return await Pages(request, session, viewer).show(
            "account/plan.html", shown, status=refusal.status if refusal else 200
        )


@router.get("/{slug}", dependencies=MEMBER)
async def look(slug: str, request: Request, viewer: BriefSignedIn) -> Response:
    """GET /account/plan/{slug}: what it costs."""
    try:
        found = await changing.preview(viewer.user_id, slug)
    except LimberError as refusal:
        return await _choices(request, viewer, refusal)
    async with db.transaction() as session:
        shown = ChangePage(found, int(found.at.timestamp()))
        return await Pages(request, session, viewer).show("account/plan_change.html", shown)


@router.post("/stay", dependencies=MEMBER)
async def stay(request: Request, viewer: BriefSignedIn) -> Response:
    """POST /account/plan/stay: the cancellation is taken back."""
    try:
        await changing.stay(viewer.user_id)
    except LimberError as refusal:
        return await _choices(request, viewer, refusal)
    return RedirectResponse("/account?done=stayed", 303)


@router.post("/{slug}", dependencies=MEMBER)
async def change(
    slug: str, request: Request, viewer: BriefSignedIn, at: Annotated[int, Form()] = 0
) -> Response:
    """POST /account/plan/{slug}: counted for the moment that was shown."""
    counted = datetime.fromtimestamp(min(max(at, 0), 2**32), UTC)
    try:
        if not await changing.is_recent(counted):
            return RedirectResponse(f"/account/plan/{slug}", 303)
        is_shown = await changing.change(viewer.user_id, slug, counted)
    except LimberError as refusal:
        return await _choices(request, viewer, refusal)
    return RedirectResponse(f"/account?done={'plan' if is_shown else 'plan-soon'}", 303)
