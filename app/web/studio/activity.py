"""The studio's trail: which member of staff did what, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.accounts import queries
from app.db import Db
from app.web.pages import Page
from app.web.studio.deed_words import deed, place
from app.web.studio.paging import page_number

router = APIRouter(prefix="/activity")


@dataclass(frozen=True)
class DeedLine:
    """`actor` None: the command line, or an account that is gone. `url` None: there is nothing to open."""

    at: datetime
    actor: str | None
    words: str
    url: str | None


@dataclass(frozen=True)
class ActivityPage:
    deeds: list[DeedLine]
    page: int
    pages: int


@router.get("")
async def activity(page: Page, db: Db, number: Annotated[str, Query(alias="page")] = "1") -> Response:
    """GET /studio/activity: the newest first."""
    found = await queries.deeds(db, page_number(number))
    lines = [DeedLine(row.entry.at, row.actor, deed(row.entry), place(row.entry)) for row in found.rows]
    return await page.show("studio/activity.html", ActivityPage(lines, found.page, found.pages))
