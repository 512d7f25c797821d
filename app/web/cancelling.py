"""Stopping and resting, from the account page: apart, because Stripe is asked while nothing is open."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app import db
from app.accounts.permissions import Permission
from app.accounts.rules import tidy
from app.billing import cancelling, pausing, stay_offers
from app.billing.cancelling import REASONS, Leaving
from app.clock import utcnow
from app.errors import BadInput, LimberError, NotFound
from app.i18n import _
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import pages_of

router = APIRouter(prefix="/account", tags=["account"])
MEMBER = [needs_briefly(Permission.MEMBER)]


@dataclass(frozen=True)
class CancelPage:
    """What cancelling does, and one question that nobody has to answer. `reasons`: (value, words)."""

    leaving: Leaving
    reasons: list[tuple[str, str]]
    reason: str = ""
    words: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PausePage:
    """`choices`: months, and the day of the next payment after them. `paid_through`: until when lessons play.

    `is_offered`: instead of cancelling.
    """

    plan_name: str
    paid_through: datetime | None
    choices: list[tuple[int, datetime]]
    is_offered: bool
    error: str = ""


@router.get("/cancel", dependencies=MEMBER)
async def cancel_form(request: Request, viewer: BriefSignedIn) -> Response:
    """GET /account/cancel."""
    return await _cancel_page(request, viewer)


async def _cancel_page(
    request: Request,
    viewer: BriefSignedIn,
    reason: str = "",
    words: str = "",
    refusal: LimberError | None = None,
) -> Response:
    async with db.transaction() as session:
        page = await pages_of(request, session, viewer)
        try:
            found = await cancelling.leaving(session, viewer.user_id, utcnow())
        except NotFound:
            return RedirectResponse("/account", 303)
        name = refusal.field if isinstance(refusal, BadInput) else None
        shown = CancelPage(
            leaving=found,
            reasons=[(value, _(said)) for value, said in REASONS.items()],
            reason=reason,
            words=words,
            errors={name or "_": refusal.sentence} if refusal else {},
        )
        status = refusal.status if refusal else 200
        return await page.show("account/cancel.html", shown, status=status)


@router.post("/cancel", dependencies=MEMBER)
async def cancel(
    request: Request,
    viewer: BriefSignedIn,
    when: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> Response:
    """POST /account/cancel: at the end of what is paid, or now."""
    said = tidy(words)
    try:
        await cancelling.cancel(
            viewer.user_id, at_once=when == "now", reason=reason, words=said, now=utcnow()
        )
    except NotFound:
        return RedirectResponse("/account", 303)
    except LimberError as refusal:
        return await _cancel_page(request, viewer, reason, said, refusal)
    return RedirectResponse("/account?done=cancelled", 303)


@router.post("/cancel/stay", dependencies=MEMBER)
async def stay_for_less(request: Request, viewer: BriefSignedIn) -> Response:
    """POST /account/cancel/stay: not cancelled, and less to pay for a while."""
    try:
        await stay_offers.take_discount(viewer.user_id, utcnow())
    except NotFound:
        return RedirectResponse("/account/cancel", 303)
    except LimberError as refusal:
        return await _cancel_page(request, viewer, refusal=refusal)
    return RedirectResponse("/account?done=less", 303)


@router.get("/pause", dependencies=MEMBER)
async def pause_form(request: Request, viewer: BriefSignedIn, offered: bool = False) -> Response:
    """GET /account/pause."""
    return await _pause_page(request, viewer, is_offered=offered)


async def _pause_page(
    request: Request, viewer: BriefSignedIn, refusal: LimberError | None = None, *, is_offered: bool
) -> Response:
    async with db.transaction() as session:
        page = await pages_of(request, session, viewer)
        try:
            found, choices = await pausing.choices(session, viewer.user_id)
        except NotFound:
            return RedirectResponse("/account", 303)
        shown = PausePage(
            plan_name=found.plan.name,
            paid_through=found.facts.current_period_end_at,
            choices=choices,
            is_offered=is_offered,
            error=refusal.sentence if refusal else "",
        )
        return await page.show("account/pause.html", shown, status=refusal.status if refusal else 200)


@router.post("/pause", dependencies=MEMBER)
async def pause(
    request: Request,
    viewer: BriefSignedIn,
    months: Annotated[int, Form()] = 0,
    offered: Annotated[bool, Form()] = False,
) -> Response:
    """POST /account/pause."""
    try:
        await pausing.pause(viewer.user_id, months, utcnow(), is_offered=offered)
    except NotFound:
        return RedirectResponse("/account", 303)
    except LimberError as refusal:
        return await _pause_page(request, viewer, refusal, is_offered=offered)
    return RedirectResponse("/account?done=paused", 303)


@router.post("/resume", dependencies=MEMBER)
async def resume(viewer: BriefSignedIn) -> Response:
    """POST /account/resume."""
    try:
        await pausing.resume(viewer.user_id, utcnow())
    except NotFound:
        return RedirectResponse("/account", 303)
    except pausing.Refused:
        return RedirectResponse("/account?done=rests", 303)
    return RedirectResponse("/account?done=resumed", 303)
