"""The work of imports that staff asked for: the command's own run in a process beside the worker, and what it says."""

import asyncio
import json
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app import db, jobs, storage
from app.accounts import audit
from app.clock import utcnow
from app.i18n import N_
from app.jobs import engine
from app.moving import runs
from app.moving.models import ImportRun
from app.moving.wordpress.media import SITE
from app.settings import get_settings
from app.video.bounded import LEASH
from app.video.removal import delete_folder

log = logging.getLogger("limber.moving")
# A large site whose pictures are fetched takes hours; it goes on where it was when it is asked for again.
LONGEST_S = 24 * 3600
MEMORY_BYTES, FILE_BYTES, NICE = 6 * 2**30, 64 * 2**30, 10
LONGEST_LINE = 4 * 2**20
# While a process of a worker that died still holds the site.
BUSY_CODE = 75
OURS = N_("This ended too early, on our side. Nothing is lost: start it again, and it goes on where it was.")


class StillBusy(Exception):
    """Another process is importing the same site at this moment."""


@engine.workflow("import_run")
async def import_run(run_id: str, turn: int) -> None:
    """One look at an export, or one import. A worker that dies is continued by another: an import goes on."""
    try:
        await _run_import(run_id, turn)
    except Exception:
        log.exception("import %s did not come to its end", run_id)
        await _fail_import(run_id, turn)


@engine.step(tries=3)
async def _fail_import(run_id: str, turn: int) -> None:
    await _end(UUID(run_id), turn, "failed", problem=OURS)


@engine.step(tries=8, first_wait_s=2.0)
async def _run_import(run_id: str, turn: int) -> None:
    await run(UUID(run_id), turn)


async def run(run_id: UUID, turn: int) -> None:
    """
    Raises:
        StillBusy: try again later.
    """
    async with db.transaction() as session:
        row = await session.get(ImportRun, run_id)
    if row is None or row.turn != turn or row.state not in runs.BUSY:
        return
    with tempfile.TemporaryDirectory(prefix="limber-import-") as folder:
        here = Path(folder)
        paths = [await _fetched(run_id, number, name, here) for number, name in enumerate(row.files)]
        report = here / "report.txt"
        words = [*map(str, paths), "--report", str(report), "--json"]
        words += ["--dry-run"] if row.state == "looking" else []
        words += ["--media", SITE] if row.fetches_pictures else []
        # Who sends a file here chooses which host is asked: none of those that only this server can reach.
        words += [] if get_settings().is_loopback else ["--public-only"]
        code, told, said = await _command(run_id, turn, words)
        if code == BUSY_CODE:
            raise StillBusy
        if told is None:
            await _end(
                run_id, turn, "failed", problem=said.rpartition("\n")[2] if code == 1 and said else OURS
            )
            return
        await storage.put(runs.report_key(run_id), report)
    is_look = row.state == "looking"
    await _end(run_id, turn, "looked" if is_look else "done", lines=told["lines"], adds_up=told["adds_up"])


async def _fetched(run_id: UUID, number: int, name: str, folder: Path) -> Path:
    """The file under its own name, which the report tells."""
    place = folder / str(number) / (Path(name).name or "export.xml")
    place.parent.mkdir()
    with place.open("wb") as file:
        async for piece in storage.read(runs.key_of(run_id, number)):
            await asyncio.to_thread(file.write, piece)
    return place


async def _command(run_id: UUID, turn: int, words: list[str]) -> tuple[int, dict[str, Any] | None, str]:
    """Exit code, the report when it came to one, and the last words otherwise.

    A process of its own: parsing and pictures would keep the worker from everything else. It dies with the worker.
    """
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(LONGEST_S)]
    leash += [str(MEMORY_BYTES), str(FILE_BYTES), str(NICE), "--"]
    process = await asyncio.create_subprocess_exec(
        *leash, sys.executable, "-m", "app", "import", "wordpress", *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said = asyncio.ensure_future(process.stderr.read())
    told: dict[str, Any] | None = None
    try:
        async for one in _lines(process.stdout):
            if "lines" in one:
                told = one
            else:
                await _write(run_id, turn, phase=one["phase"], done=one["done"], total=one["total"])
        code = await process.wait()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    finally:
        problem = (await said).decode("utf-8", "replace").strip()
    return code, told, problem[-2000:]


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[Any]:
    async for line in stream:
        try:
            yield json.loads(line)
        except ValueError:
            continue


async def _end(run_id: UUID, turn: int, state: str, **values: Any) -> None:
    await _write(run_id, turn, state=state, ended_at=utcnow(), **values)


async def _write(run_id: UUID, turn: int, **values: Any) -> None:
    async with db.transaction() as session:
        await session.execute(
            update(ImportRun).where(ImportRun.id == run_id, ImportRun.turn == turn).values(**values)
        )


@engine.workflow("remove_import_files")
async def remove_import_files(run_id: str) -> None:
    """What was sent for a run that is no more."""
    await _remove_sent(run_id)


@engine.step(tries=8, first_wait_s=5.0)
async def _remove_sent(run_id: str) -> None:
    await delete_folder(runs.folder_of(UUID(run_id)))


@engine.scheduled("forget_imports", "37 4 * * *")
async def forget_imports(_at: datetime, _context: Any) -> None:
    """Daily: runs whose owner does not come back, and their files."""
    await _forget_old_imports()


@engine.step(tries=3)
async def _forget_old_imports() -> None:
    await forget_old(utcnow())


async def forget_old(now: datetime) -> int:
    """Answers how many there were."""
    async with db.transaction() as session:
        old = list(
            await session.scalars(
                select(ImportRun).where(
                    ImportRun.state.not_in(runs.BUSY), ImportRun.asked_at < now - runs.KEPT_FOR
                )
            )
        )
        for run in old:
            audit.record(session, None, "import.forget", "import", run.id, name=runs.named(run))
            await session.delete(run)
            await jobs.enqueue(
                session,
                "remove_import_files",
                {"run_id": str(run.id)},
                workflow_id=f"remove_import:{run.id}",
            )
    return len(old)
