"""The studio's page of why members left."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from app.billing import leaving_answers, stay_offers
from app.billing.leaving_answers import WORDS, Answers
from app.billing.stay_offers import Outcome
from app.clock import utcnow
from app.db import Db
from app.i18n import _
from app.web.pages import Page

router = APIRouter(prefix="/money/leaving")


@dataclass(frozen=True)
class LeavingPage:
    """`words`: reason → as members read it; `offers`: what became of the offer to stay."""

    answers: Answers
    words: dict[str, str]
    offers: Outcome


@router.get("")
async def leaving(page: Page, db: Db) -> Response:
    """GET /studio/money/leaving."""
    words = {reason: _(said) for reason, said in WORDS.items()}
    shown = LeavingPage(await leaving_answers.answers(db, utcnow()), words, await stay_offers.outcome(db))
    return await page.show("studio/money/leaving.html", shown)
