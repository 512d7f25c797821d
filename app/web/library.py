"""The library: where a member stopped, and what they can watch."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from app.access.queries import facts_for
from app.accounts.permissions import Permission
from app.billing.offers import PlanOffer
from app.billing.queries import stopped_by
from app.catalog import outlines
from app.catalog.views import CourseView, OutlineLesson
from app.clock import utcnow
from app.db import Db
from app.playback import progress
from app.web.course_views import begin_with, can_watch_all, goes_on, offer_for, plans_url
from app.web.guard import SignedIn, needs
from app.web.pages import Page

router = APIRouter(tags=["courses"])


@dataclass(frozen=True)
class LibraryCourse:
    course: CourseView
    done: int
    total: int
    begin: OutlineLesson | None
    is_open: bool

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.total) if self.total else 0


@dataclass(frozen=True)
class LibraryPage:
    """`rests`: why a membership that goes on opens nothing now, in words."""

    watching: list[progress.Watching]
    courses: list[LibraryCourse]
    offer: PlanOffer | None
    join_url: str
    rests: str = ""


@router.get("/library", dependencies=[needs(Permission.MEMBER)])
async def library(page: Page, db: Db, viewer: SignedIn) -> Response:
    """Where the member stopped, and what they can watch."""
    now = utcnow()
    entitlements = await facts_for(db, viewer.user_id)
    finished = await progress.finished(db, viewer.user_id)
    rows = []
    for one in await outlines.courses(db, now):
        is_open = can_watch_all(viewer, one.id, entitlements, now)
        out = [lesson for lesson in one.lessons if lesson.is_out]
        done = sum(lesson.id in finished for lesson in out)
        rows.append(LibraryCourse(one, done, len(out), begin_with(one, finished, is_open=is_open), is_open))
    is_member = any(row.is_open for row in rows)
    rests = goes_on(await stopped_by(db, viewer.user_id)) if entitlements and not is_member else ""
    model = LibraryPage(
        watching=await progress.watching(db, viewer.user_id),
        courses=rows,
        offer=None if is_member or rests else await offer_for(db, None),
        join_url=plans_url("/library"),
        rests=rests,
    )
    return await page.show("library/library.html", model)
