"""The first page: the practice's face."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.accounts.permissions import Permission
from app.clock import utcnow
from app.db import Db
from app.practice.front import front
from app.web.guard import needs
from app.web.pages import Page

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["home"])


@router.get("/")
async def home(page: Page, db: Db) -> Response:
    """GET /: who teaches, the latest articles, the courses, where the practice is."""
    return await page.show("home/home.html", await front(db, utcnow()))
