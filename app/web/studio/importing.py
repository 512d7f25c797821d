"""The studio's way in from WordPress: send the export, read what would become of it, import it."""

from dataclasses import dataclass
from uuid import UUID

from babel.numbers import format_decimal
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.clock import utcnow
from app.db import Db
from app.errors import LimberError
from app.i18n import current_locale
from app.moving import runs
from app.moving.models import ImportRun
from app.video.words import size
from app.web import stored
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/import")


@dataclass(frozen=True)
class ImportsPage:
    """`error`: why the files that were sent just now were not taken."""

    runs: list[ImportRun]
    largest: str
    error: str = ""


@dataclass(frozen=True)
class Part:
    """A section of a report: its heading, which tells a number, and the lines under it."""

    heading: str
    lines: list[str]


@dataclass(frozen=True)
class RunPage:
    run: ImportRun
    name: str
    size: str
    parts: list[Part]
    error: str = ""

    @property
    def is_busy(self) -> bool:
        """Whether to look again soon."""
        return self.run.state in runs.BUSY

    @property
    def done(self) -> str:
        return format_decimal(self.run.done, locale=current_locale())

    @property
    def total(self) -> str:
        return format_decimal(self.run.total, locale=current_locale())


def parts_of(lines: list[str]) -> list[Part]:
    """The report's lines, as the page shows them: blank ones part the sections."""
    parts: list[Part] = []
    is_new = True
    for line in lines:
        if not line.strip():
            is_new = True
        elif is_new or not line.startswith(" "):
            parts.append(Part(line.strip(), []))
            is_new = False
        else:
            parts[-1].lines.append(line.strip())
    return parts


async def show_list(page: Pages, db: Db, refusal: LimberError | None = None) -> Response:
    """The page to begin at, and what was refused just now."""
    shown = ImportsPage(
        await runs.latest(db), size(runs.LARGEST_BYTES), refusal.sentence if refusal is not None else ""
    )
    return await page.show(
        "studio/importing/list.html", shown, status=refusal.status if refusal is not None else 200
    )


@router.get("")
async def imports(page: Page, db: Db) -> Response:
    """GET /studio/import."""
    return await show_list(page, db)


@router.get("/{run_id}")
async def one(run_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/import/{id}: how far it is, and its report."""
    return await _show(page, await runs.find(db, run_id))


@router.get("/{run_id}/report.txt")
async def report(run_id: UUID, db: Db) -> Response:
    """GET /studio/import/{id}/report.txt: with every line of every list."""
    run = await runs.find(db, run_id)
    return await stored.file(runs.report_key(run.id), "text/plain; charset=utf-8", "private, no-store")


@router.post("/{run_id}/start")
async def start(run_id: UUID, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/import/{id}/start: import what was looked at."""
    try:
        await runs.start(db, viewer.user_id, run_id, utcnow())
    except LimberError as refusal:
        return await _show(page, await runs.find(db, run_id), refusal)
    return RedirectResponse(f"/studio/import/{run_id}", 303)


@router.post("/{run_id}/forget")
async def forget(run_id: UUID, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/import/{id}/forget: remove it and its file from the list; what was imported stays."""
    try:
        await runs.forget(db, viewer.user_id, run_id)
    except LimberError as refusal:
        return await _show(page, await runs.find(db, run_id), refusal)
    return RedirectResponse("/studio/import", 303)


async def _show(page: Pages, run: ImportRun, refusal: LimberError | None = None) -> Response:
    shown = RunPage(
        run,
        runs.named(run),
        size(run.size_bytes),
        parts_of(run.lines),
        refusal.sentence if refusal is not None else "",
    )
    return await page.show(
        "studio/importing/run.html", shown, status=refusal.status if refusal is not None else 200
    )
