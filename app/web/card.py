"""A new card: from a mailed link, without signing in, and from the account. Apart, because Stripe is asked."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app import db as database
from app.accounts.permissions import Permission
from app.billing import new_card
from app.billing.new_card import CardLink, Owing
from app.clock import utcnow
from app.db import Db
from app.errors import LimberError, LinkExpired
from app.web.auth_links import SECRET, show_dead_link
from app.web.guard import BriefSignedIn, BriefViewer, needs, needs_briefly
from app.web.pages import Page, Pages, pages_of

router = APIRouter(tags=["billing"])
LINK = [needs(Permission.SIGNED_LINK)]
MEMBER = [needs_briefly(Permission.MEMBER)]


@dataclass(frozen=True)
class CardPage:
    """The mailed link, before its button was pressed. `link` None: Stripe was asked in vain (`error`)."""

    token: str
    link: CardLink | None
    error: str = ""


@dataclass(frozen=True)
class CardDonePage:
    """Back from Stripe's form. `owing` None: Stripe did not say in time."""

    token: str
    owing: Owing | None
    error: str = ""


@router.get("/billing/card", dependencies=LINK)
async def card(page: Page, db: Db, token: str = "") -> Response:
    """GET /billing/card: one button, since mail scanners open every link; nothing happens at Stripe."""
    try:
        link = await new_card.read_link(db, token, utcnow())
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/account")
    shown = CardPage(token, link)
    return await page.show("billing/card.html", shown, headers=SECRET)


@router.post("/billing/card", dependencies=LINK)
async def to_the_form(request: Request, viewer: BriefViewer, token: Annotated[str, Form()] = "") -> Response:
    """POST /billing/card: to Stripe's form for a new card, and to nothing else."""
    try:
        return RedirectResponse(await new_card.open_by_link(token, utcnow()), 303, headers=SECRET)
    except LimberError as refusal:
        async with database.transaction() as session:
            page = await pages_of(request, session, viewer)
            if isinstance(refusal, LinkExpired):
                return await show_dead_link(page, refusal, "/account")
            shown = CardPage(token, None, refusal.sentence)
            return await page.show("billing/card.html", shown, status=refusal.status, headers=SECRET)


@router.get("/billing/card/done", dependencies=LINK)
async def done(request: Request, viewer: BriefViewer, token: str = "") -> Response:
    """GET /billing/card/done: Stripe's form leads here; what is owed still can be paid with one click."""
    try:
        owing: Owing | None = await new_card.arrive(token, utcnow())
    except LinkExpired as gone:
        async with database.transaction() as session:
            return await show_dead_link(await pages_of(request, session, viewer), gone, "/account")
    except LimberError:
        owing = None
    async with database.transaction() as session:
        return await _done(await pages_of(request, session, viewer), CardDonePage(token, owing), 200)


async def _done(page: Pages, shown: CardDonePage, status: int) -> Response:
    return await page.show("billing/card_done.html", shown, status=status, headers=SECRET)


@router.post("/billing/card/pay", dependencies=LINK)
async def pay(request: Request, viewer: BriefViewer, token: Annotated[str, Form()] = "") -> Response:
    """POST /billing/card/pay: what is owed, with the card on file."""
    try:
        await new_card.pay_by_link(token, utcnow())
    except LimberError as refusal:
        async with database.transaction() as session:
            page = await pages_of(request, session, viewer)
            if isinstance(refusal, LinkExpired):
                return await show_dead_link(page, refusal, "/account")
            return await _done(page, CardDonePage(token, None, refusal.sentence), refusal.status)
    return RedirectResponse(f"/billing/card/done?token={token}", 303, headers=SECRET)


@router.post("/account/card", dependencies=MEMBER)
async def card_of_member(viewer: BriefSignedIn) -> Response:
    """POST /account/card: to Stripe's form for a new card."""
    return RedirectResponse(await new_card.open_for(viewer.user_id), 303)


@router.post("/account/card/pay", dependencies=MEMBER)
async def pay_of_member(viewer: BriefSignedIn) -> Response:
    """POST /account/card/pay: what is owed, with the card on file."""
    try:
        await new_card.pay_for(viewer.user_id, utcnow())
    except new_card.Refused:
        return RedirectResponse("/account?done=unpaid", 303)
    return RedirectResponse("/account?done=paid", 303)
