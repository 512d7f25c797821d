"""The studio's page that moves those who pay an old price of a plan to its new one."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.billing import plans, price_moves
from app.billing.plan_models import Plan
from app.billing.price_moves import NOTICE, MoveView, OldPrice
from app.clock import current_zone, utcnow
from app.db import Db
from app.errors import BadInput, Conflict, LimberError
from app.i18n import _
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/plans")


@dataclass(frozen=True)
class MoveForm:
    """What was typed. `starts_on`: YYYY-MM-DD, where the practice is."""

    starts_on: str = ""
    words: str = ""


@dataclass(frozen=True)
class MovePage:
    """`prices`: the old ones that somebody pays. `planned`: the move that is under way."""

    plan: Plan
    prices: list[OldPrice]
    planned: MoveView | None
    form: MoveForm
    earliest: str
    said: str = ""
    errors: dict[str, str] = field(default_factory=dict)


async def _show(
    page: Pages, db: Db, plan_id: UUID, form: MoveForm, said: str = "", refusal: LimberError | None = None
) -> Response:
    errors = {}
    if refusal is not None:
        errors = {(refusal.field if isinstance(refusal, BadInput) else None) or "_": refusal.sentence}
    shown = MovePage(
        plan=await plans.find(db, plan_id),
        prices=await price_moves.old_prices(db, plan_id),
        planned=await price_moves.planned(db, plan_id),
        form=form,
        earliest=_earliest().isoformat(),
        said=said,
        errors=errors,
    )
    return await page.show("studio/plans/move.html", shown, status=refusal.status if refusal else 200)


def _earliest() -> date:
    """The first day that is long enough ahead from its morning on."""
    soonest = (utcnow() + NOTICE).astimezone(current_zone())
    return date.fromordinal(soonest.date().toordinal() + 1)


@router.get("/{plan_id}/move")
async def move_form(plan_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/plans/{id}/move."""
    return await _show(page, db, plan_id, MoveForm(starts_on=_earliest().isoformat()), did)


@router.post("/{plan_id}/move")
async def begin_move(
    plan_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    starts_on: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/plans/{id}/move: everybody who pays an old price is written to."""
    form = MoveForm(starts_on.strip()[:20], tidy(words)[:2000])
    try:
        await price_moves.begin(db, viewer.user_id, plan_id, _midnight(form.starts_on), form.words, utcnow())
    except (BadInput, Conflict) as refusal:
        return await _show(page, db, plan_id, form, refusal=refusal)
    return RedirectResponse(f"/studio/plans/{plan_id}/move?did=move", 303)


@router.post("/{plan_id}/move/stop")
async def stop_move(plan_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/plans/{id}/move/stop: whoever was not moved yet keeps the old price, and hears so."""
    await price_moves.stop(db, viewer.user_id, plan_id)
    return RedirectResponse(f"/studio/plans/{plan_id}/move?did=stop", 303)


def _midnight(text: str) -> datetime:
    """The beginning of that day where the practice is.

    Raises:
        BadInput: for what is no day.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput(_("Write the day as year, month, day: 2027-01-31."), field="starts_on") from None
    return datetime.combine(day, time(), current_zone())
