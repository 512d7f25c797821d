"""The studio's page of why members left."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from app.billing import leaving_answers
from app.billing.cancelling import REASONS
from app.billing.leaving_answers import Answers
from app.clock import utcnow
from app.db import Db
from app.i18n import _
from app.web.pages import Page

router = APIRouter(prefix="/money/leaving")


@dataclass(frozen=True)
class LeavingPage:
    """`words`: reason → as members read it."""

    answers: Answers
    words: dict[str, str]


@router.get("")
async def leaving(page: Page, db: Db) -> Response:
    """GET /studio/money/leaving."""
    words = {reason: _(said) for reason, said in REASONS.items()}
    shown = LeavingPage(await leaving_answers.answers(db, utcnow()), words)
    return await page.show("studio/money/leaving.html", shown)
