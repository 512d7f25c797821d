"""The studio's rehearsal: a member's life played before going live, in a business that is thrown away."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from app.billing import rehearsals
from app.billing.rehearsal_models import BillingRehearsal
from app.clock import utcnow
from app.db import Db
from app.errors import LimberError
from app.settings import get_settings
from app.web.guard import SignedIn
from app.web.pages import Page

router = APIRouter(prefix="/money/rehearsal")


@dataclass(frozen=True)
class RehearsalPage:
    """`last`: the one that was asked for last. `has_test_key`: it can be played at Stripe's test mode too."""

    last: BillingRehearsal | None
    has_test_key: bool
    error: str = ""

    @property
    def is_playing(self) -> bool:
        """Whether to look again soon."""
        return self.last is not None and self.last.state == "playing"


async def _show(page: Page, db: Db, refusal: LimberError | None = None) -> Response:
    key = get_settings().stripe_secret_key
    has_test_key = key.startswith(("sk_test_", "rk_test_")) and not get_settings().is_demo
    shown = RehearsalPage(
        await rehearsals.latest(db), has_test_key, refusal.sentence if refusal is not None else ""
    )
    return await page.show("studio/money/rehearsal.html", shown, status=refusal.status if refusal else 200)


@router.get("")
async def rehearsal(page: Page, db: Db) -> Response:
    """GET /studio/money/rehearsal."""
    return await _show(page, db)


@router.post("")
async def begin(page: Page, db: Db, viewer: SignedIn, at_stripe: Annotated[bool, Form()] = False) -> Response:
    """POST /studio/money/rehearsal: have one played."""
    try:
        await rehearsals.begin(db, viewer.user_id, utcnow(), at_stripe=at_stripe)
    except LimberError as refusal:
        return await _show(page, db, refusal)
    return RedirectResponse("/studio/money/rehearsal", 303)
