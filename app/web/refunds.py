"""Giving money back, in the studio: apart from its other pages, because Stripe is asked while nothing is open."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app import db
from app.accounts.permissions import Permission
from app.billing import refunds
from app.billing.amounts import read_amount, write_amount
from app.billing.refunds import Preview
from app.catalog import outlines
from app.clock import utcnow
from app.errors import BadInput, LimberError
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import Pages

router = APIRouter(prefix="/studio/money/payments", tags=["studio"])


@dataclass(frozen=True)
class RefundPage:
    """`loses`: what the member could not watch any more, by title; `None` among `preview.loses` is every course."""

    preview: Preview
    loses: list[str]
    amount: str
    errors: dict[str, str] = field(default_factory=dict)


@router.get("/{charge_id}", dependencies=[needs_briefly(Permission.STAFF)])
async def payment(charge_id: str, request: Request, viewer: BriefSignedIn) -> Response:
    """GET /studio/money/payments/{charge}: one payment, and what giving it back would do."""
    found = await refunds.preview(charge_id)
    return await _show(request, viewer, found, write_amount(found.left_cents, found.charge.currency))


@router.post("/{charge_id}/refund", dependencies=[needs_briefly(Permission.STAFF)])
async def refund(
    charge_id: str,
    request: Request,
    viewer: BriefSignedIn,
    amount: Annotated[str, Form()] = "",
    already: Annotated[int, Form()] = 0,
    ends_subscription: Annotated[bool, Form()] = False,
) -> Response:
    """POST /studio/money/payments/{charge}/refund."""
    found = await refunds.preview(charge_id)
    try:
        cents = read_amount(amount, found.charge.currency)
        await refunds.give_back(
            viewer.user_id, charge_id, cents or 0, already, ends_subscription=ends_subscription
        )
    except LimberError as refusal:
        return await _show(request, viewer, found, amount[:20], refusal)
    return RedirectResponse(f"/studio/members/{found.user_id}?done=refunded", 303)


async def _show(
    request: Request,
    viewer: BriefSignedIn,
    found: Preview,
    amount: str,
    refusal: LimberError | None = None,
) -> Response:
    async with db.transaction() as session:
        courses = await outlines.courses(session, utcnow(), with_drafts=True)
        titles: dict[UUID | None, str] = {one.id: one.title for one in courses}
        errors = {}
        if refusal is not None:
            name = refusal.field if isinstance(refusal, BadInput) else None
            errors = {name or "_": refusal.sentence}
        shown = RefundPage(
            preview=found,
            loses=[titles[one] for one in found.loses if one in titles],
            amount=amount,
            errors=errors,
        )
        return await Pages(request, session, viewer).show(
            "studio/money/payment.html", shown, status=refusal.status if refusal else 200
        )
