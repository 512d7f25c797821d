"""The studio's page of which article earned which sign-up, trial and payment."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from app.clock import utcnow
from app.db import Db
from app.earning import queries
from app.earning.queries import ArticleLine
from app.web.pages import Page

router = APIRouter(prefix="/money/articles")

PERIODS_DAYS = (28, 90, 365)


@dataclass(frozen=True)
class EarningPage:
    lines: list[ArticleLine]
    days: int
    periods: tuple[int, ...] = PERIODS_DAYS


@router.get("")
async def earning(page: Page, db: Db, days: str = "") -> Response:
    """GET /studio/money/articles?days=28."""
    chosen = next((one for one in PERIODS_DAYS if str(one) == days), PERIODS_DAYS[0])
    now = utcnow()
    lines = await queries.by_article(db, now - timedelta(days=chosen), now)
    return await page.show("studio/money/articles.html", EarningPage(lines, chosen))
