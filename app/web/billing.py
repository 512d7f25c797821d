"""Buying for members, and the address at which Stripe tells us what happened."""

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access import queries as access
from app.accounts.permissions import Permission, Viewer
from app.billing import arriving, checkout, inbox, new_card, offers, portal, queries
from app.billing.offers import PlanOffer
from app.billing.queries import Membership
from app.catalog import queries as catalog
from app.clock import utcnow
from app.db import Db
from app.earning import visits
from app.errors import Conflict, LimberError, SignInRequired, TooLarge
from app.settings import get_settings
from app.web import origin
from app.web.guard import BriefViewer, needs, needs_briefly
from app.web.origin import CameFrom, carried
from app.web.pages import Page, Pages, safe_next

router = APIRouter(tags=["billing"])

# How long the "activating" page waits before it looks again, by how often it looked; then it stops asking.
WAITS_S = (2, 2, 3, 3, 5, 5, 10, 10, 20, 30)


@dataclass(frozen=True)
class PlansPage:
    """`next`: where the person wanted to go. `membership`: what is paid already. `is_given`: free of charge.

    `currencies`: all in which something is sold; `currency`: the chosen one. `free_lessons`: what plays without paying.
    """

    plans: list[PlanOffer]
    next: str
    is_buying_on: bool
    membership: Membership | None = None
    is_given: bool = False
    best: str = ""
    error: str = ""
    currency: str = ""
    currencies: tuple[str, ...] = ()
    free_lessons: int = 0


@dataclass(frozen=True)
class ActivatingPage:
    """`again_url` is looked at after `wait_s`; None once it has been long."""

    again_url: str
    wait_s: int | None
    return_to: str


async def _plans(
    session: AsyncSession, viewer: Viewer | None, next_path: str, currency: str, error: str = ""
) -> PlansPage:
    now = utcnow()
    paid_in = await queries.currency_of(session, viewer.user_id) if viewer else None
    plans = await offers.offered_plans(session, paid_in or currency)
    membership = await queries.membership_of(session, viewer.user_id, now) if viewer else None
    rights = await access.active_for(session, viewer.user_id, now) if viewer else []
    if viewer and await queries.mirror_of_user(session, viewer.user_id):
        # Once for each member: what is offered is what Stripe's page will say.
        plans = [replace(one, trial_days=0) for one in plans]
    return PlansPage(
        plans=plans,
        next=next_path,
        is_buying_on=get_settings().buying_enabled,
        membership=membership,
        is_given=membership is None and any(one.course_id is None for one in rights),
        best=_best(plans),
        error=error,
        currency=paid_in or (currency if any(currency == one.currency for one in plans) else ""),
        currencies=() if paid_in else tuple(dict.fromkeys(code for one in plans for code in one.currencies)),
        free_lessons=await catalog.count_free(session, now),
    )


def _best(plans: list[PlanOffer]) -> str:
    """The yearly plan that costs less than twelve months of a monthly one in the same currency."""
    for one in plans:
        months = [
            other.amount_cents
            for other in plans
            if other.interval == "month" and other.covers_everything and other.currency == one.currency
        ]
        if (
            one.interval == "year"
            and one.covers_everything
            and months
            and one.amount_cents < 12 * min(months)
        ):
            return one.slug
    return ""


@router.get("/plans", dependencies=[needs(Permission.PUBLIC)])
async def plans(page: Page, db: Db, next: str = "", currency: str = "") -> Response:
    """What can be bought, and for how much."""
    model = await _plans(db, page.viewer, safe_next(next), currency[:3])
    if model.membership is None and not model.is_given and not (page.viewer and page.viewer.is_staff):
        await visits.count(db, origin.stepped_out_of(page.request), utcnow())
    return await page.show("billing/plans.html", model)


@router.get("/join-plan", dependencies=[needs(Permission.PUBLIC)])
async def join_plan(request: Request) -> Response:
    """The same page under its other name."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/plans{query}", 301)


@router.post("/checkout", dependencies=[needs_briefly(Permission.PUBLIC)])
async def start_checkout(
    request: Request,
    viewer: BriefViewer,
    came_from: CameFrom,
    plan: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
    currency: Annotated[str, Form()] = "",
) -> Response:
    """Off to Stripe's page; somebody without an account makes one first, and comes back to the plans."""
    wanted, currency = safe_next(next), currency[:3]
    if viewer is None:
        back = carried("/plans", came_from, next=wanted, currency=currency)
        return RedirectResponse(carried("/join", came_from, next=back), 303)
    try:
        url = await checkout.start(viewer.user_id, plan, wanted, currency or None, came_from)
        return RedirectResponse(url, 303)
    except LimberError as refusal:
        async with db.transaction() as session:
            shown = await _plans(session, viewer, wanted, currency, refusal.sentence)
            return await Pages(request, session, viewer).show(
                "billing/plans.html", shown, status=refusal.status
            )


@router.get("/billing/return", dependencies=[needs_briefly(Permission.MEMBER)])
async def returned(request: Request, viewer: BriefViewer, session_id: str = "", n: int = 0) -> Response:
    """Back from paying: on to the lesson that was wanted, with the right to watch it.

    Raises:
        NotFound: for a session that this member never had.
    """
    if viewer is None:
        raise SignInRequired
    arrival = await arriving.arrive(viewer.user_id, session_id)
    if arrival.state == "entitled":
        return RedirectResponse(arrival.return_to, 303)
    if arrival.state == "open" and arrival.checkout_url:
        return RedirectResponse(arrival.checkout_url, 303)
    again = f"/billing/return?{urlencode({'session_id': session_id, 'n': n + 1})}"
    wait_s = WAITS_S[n] if 0 <= n < len(WAITS_S) else None
    async with db.transaction() as session:
        return await Pages(request, session, viewer).show(
            "billing/activating.html", ActivatingPage(again, wait_s, arrival.return_to)
        )


@router.get("/billing/cancelled", dependencies=[needs(Permission.MEMBER)])
async def cancelled(page: Page, db: Db, attempt: UUID) -> Response:
    """Back from Stripe without having paid: to where the person was.

    Raises:
        NotFound: for a checkout of somebody else.
    """
    assert page.viewer is not None
    return RedirectResponse(await arriving.where_from(db, page.viewer.user_id, attempt), 303)


@router.post("/account/portal", dependencies=[needs_briefly(Permission.MEMBER)])
async def open_portal(viewer: BriefViewer) -> Response:
    """To Stripe's page for card, invoices and cancelling."""
    if viewer is None:
        raise SignInRequired
    try:
        return RedirectResponse(await portal.open_portal(viewer.user_id), 303)
    except Conflict:
        return RedirectResponse("/plans?next=/account", 303)


@router.get("/billing/back", dependencies=[needs_briefly(Permission.MEMBER)])
async def back_from_portal(viewer: BriefViewer, card: bool = False) -> Response:
    """From there to the account page, which tells what is true now. `card`: from the form for a new one."""
    if viewer is None:
        raise SignInRequired
    if card:
        await new_card.back_with_card(viewer.user_id)
    else:
        await portal.back_from_portal(viewer.user_id)
    return RedirectResponse("/account", 303)


@router.post("/webhooks/stripe", dependencies=[needs(Permission.WEBHOOK_SIGNATURE)])
async def stripe_webhook(request: Request, db: Db) -> Response:
    """One delivery of an event: verified on its raw bytes, stored, work enqueued; nothing else.

    Raises:
        BadSignature: 400.
        TooLarge: 413, before the rest is read.
    """
    raw = await _body(request)
    state = await inbox.receive(db, raw, request.headers.get("stripe-signature", ""), utcnow())
    return JSONResponse({"state": state})


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > inbox.MAX_EVENT_BYTES:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)
