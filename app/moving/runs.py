"""Imports that staff ask for in the studio: the file is looked at first, and taken over once they say so."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts import audit
from app.errors import BadInput, Conflict, NotFound
from app.i18n import _
from app.moving.models import ImportRun

BUSY = ("looking", "importing")
# What was not imported by then was forgotten by its owner.
KEPT_FOR = timedelta(days=7)
SHOWN = 10
MOST_FILES = 20
LARGEST_BYTES = 2 * 10**9


def key_of(run_id: UUID, number: int) -> str:
    """Where the run's file `number` (from 0) is stored, XML or an archive of it."""
    return f"{folder_of(run_id)}/{number}.xml"


def folder_of(run_id: UUID) -> str:
    return f"imports/{run_id}"


def report_key(run_id: UUID) -> str:
    """Where the whole report is stored; once imported, that of the import."""
    return f"{folder_of(run_id)}/report.txt"


def named(run: ImportRun) -> str:
    """What a run is called: its files."""
    return ", ".join(run.files)[:200]


def check_files(sizes: Sequence[tuple[str, int]]) -> None:
    """
    Raises:
        BadInput: there is none, too many, or an empty one.
    """
    if not sizes:
        raise BadInput(_("Choose the file that WordPress gave you."), field="files")
    if len(sizes) > MOST_FILES:
        raise BadInput(_("At most %(n)s files at once.") % {"n": MOST_FILES}, field="files")
    for name, size in sizes:
        if size == 0:
            raise BadInput(_("%(name)s is empty.") % {"name": name}, field="files")


async def look(
    db: AsyncSession,
    actor_id: UUID,
    run_id: UUID,
    files: Sequence[tuple[str, int]],
    now: datetime,
    *,
    fetches_pictures: bool,
) -> ImportRun:
    """Have stored files looked at: a run that writes nothing but its report."""
    run = ImportRun(
        id=run_id,
        asked_by_id=actor_id,
        files=[name[:200] for name, _size in files],
        size_bytes=sum(size for _name, size in files),
        fetches_pictures=fetches_pictures,
        asked_at=now,
    )
    db.add(run)
    await db.flush()
    audit.record(db, actor_id, "import.look", "import", run_id, name=named(run))
    await _enqueue(db, run)
    return run


async def start(db: AsyncSession, actor_id: UUID, run_id: UUID, now: datetime) -> ImportRun:
    """Take over what was looked at; after a failure, once more.

    Raises:
        NotFound: there is no such run.
        Conflict: it is under way, or it was imported already.
    """
    run = await locked(db, run_id)
    if run.state in BUSY:
        raise Conflict(_("This is under way already."))
    if run.state == "done":
        raise Conflict(_("This was imported already. Send the file again to import what is new in it."))
    run.state, run.phase, run.done, run.total = "importing", "read", 0, 0
    run.problem, run.turn, run.ended_at, run.asked_at = "", run.turn + 1, None, now
    run.asked_by_id = actor_id
    audit.record(db, actor_id, "import.start", "import", run_id, name=named(run))
    await db.flush()
    await _enqueue(db, run)
    return run


async def forget(db: AsyncSession, actor_id: UUID, run_id: UUID) -> None:
    """Remove a run and its files; what it has imported stays.

    Raises:
        NotFound: there is no such run.
        Conflict: it is under way.
    """
    run = await locked(db, run_id)
    if run.state in BUSY:
        raise Conflict(_("This is under way. Please wait until it has ended."))
    audit.record(db, actor_id, "import.forget", "import", run_id, name=named(run))
    await db.delete(run)
    await db.flush()
    await jobs.enqueue(
        db, "remove_import_files", {"run_id": str(run_id)}, workflow_id=f"remove_import:{run_id}"
    )


async def latest(db: AsyncSession) -> list[ImportRun]:
    """The last few, the newest first."""
    return list(await db.scalars(select(ImportRun).order_by(ImportRun.asked_at.desc()).limit(SHOWN)))


async def find(db: AsyncSession, run_id: UUID) -> ImportRun:
    """
    Raises:
        NotFound: there is no such run.
    """
    run = await db.get(ImportRun, run_id)
    if run is None:
        raise NotFound
    return run


async def locked(db: AsyncSession, run_id: UUID) -> ImportRun:
    """
    Raises:
        NotFound: there is no such run.
    """
    run = await db.get(ImportRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound
    return run


async def _enqueue(db: AsyncSession, run: ImportRun) -> None:
    await jobs.enqueue(
        db,
        "import_run",
        {"run_id": str(run.id), "turn": run.turn},
        workflow_id=f"import:{run.id}:{run.turn}",
    )
