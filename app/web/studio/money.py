"""The studio's money: what came in, what is disputed, what needs a person."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.billing import watch
from app.billing.watch import Overview
from app.clock import utcnow
from app.db import Db
from app.settings import get_settings
from app.web.pages import Page

router = APIRouter(prefix="/money")


@dataclass(frozen=True)
class MoneyPage:
    """`said`: what was just done (refund, replay)."""

    overview: Overview
    is_buying_on: bool
    said: str = ""


@router.get("")
async def money(page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/money."""
    shown = MoneyPage(await watch.overview(db, utcnow()), get_settings().buying_enabled, did)
    return await page.show("studio/money/overview.html", shown)


@router.post("/again/{letter_id}")
async def again(letter_id: str, db: Db) -> Response:
    """POST /studio/money/again/{id}: ask Stripe about it once more."""
    await watch.replay(db, letter_id, utcnow())
    return RedirectResponse("/studio/money?did=again", 303)
