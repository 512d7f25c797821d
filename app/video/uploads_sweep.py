"""Hourly: finish what arrived whole, remove what was left alone, and what crashes left on the disk."""

import asyncio
import logging
import shutil
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app import db
from app.clock import utcnow
from app.errors import LimberError
from app.jobs import engine
from app.settings import get_settings
from app.storage import StorageDown
from app.video import upload_files, upload_finish, upload_removal
from app.video.models import Upload
from app.video.parts import FOLDER
from app.video.upload_standing import lock_name

log = logging.getLogger("limber.video")
# Longer than the longest encode: a folder this old belongs to nobody.
STALE_S = 3 * 24 * 3600
# Longer than between an upload's row and its file, whichever was made or removed first.
ORPHAN_S = 24 * 3600


@engine.scheduled("sweep_uploads", "17 * * * *")
async def sweep_uploads(_at: datetime, _context: Any) -> None:
    """Expired uploads free their space; finished ones only lose their row."""
    await _sweep_uploads()


@engine.step(tries=2)
async def _sweep_uploads() -> None:
    await finish_whole()
    await remove_expired()
    await remove_leftovers()


async def finish_whole() -> int:
    """Make videos of uploads whose last byte came, but whose server was killed before it could; answers how many."""
    async with db.transaction() as session:
        whole = list(
            await session.scalars(
                select(Upload.id).where(
                    Upload.finished_at.is_(None), Upload.offset_bytes == Upload.length_bytes
                )
            )
        )
    finished = 0
    for upload_id in whole:
        async with db.try_lock(lock_name(upload_id)) as held:
            if held:
                try:
                    finished += await upload_finish.finish(upload_id) is not None
                except FileNotFoundError:
                    # Its file is on another machine, or lost; it expires like any other.
                    log.warning("upload %s is whole, but its file is not here", upload_id)
                except StorageDown:
                    log.warning("upload %s is whole, but the storage does not answer", upload_id)
    return finished


async def remove_expired() -> int:
    """Remove what has expired and answer how many uploads that were. One under way is left for the next time."""
    async with db.transaction() as session:
        expired = list(await session.scalars(select(Upload.id).where(Upload.expires_at <= utcnow())))
    removed = 0
    for upload_id in expired:
        async with db.try_lock(lock_name(upload_id)) as held:
            if held and await _is_expired(upload_id):
                with suppress(LimberError):
                    await upload_removal.remove(upload_id)
                    removed += 1
    if removed:
        log.info("removed %d uploads that were left alone", removed)
    return removed


async def _is_expired(upload_id: UUID) -> bool:
    """Asked under the lock: a request that was under way may have gone on with it meanwhile."""
    async with db.transaction() as session:
        row = await session.get(Upload, upload_id)
    return row is not None and row.expires_at <= utcnow()


async def remove_leftovers() -> None:
    """Files of uploads that no row knows, and folders of encodes that nobody works in any more."""
    async with db.transaction() as session:
        known = {str(upload_id) for upload_id in await session.scalars(select(Upload.id))}
    await asyncio.to_thread(_remove_files, upload_files.folder(), known)
    await asyncio.to_thread(_remove_folders, get_settings().data_dir / FOLDER)


def _age_s(path: Path) -> float:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return 0.0


def _remove_files(folder: Path, known: set[str]) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.stem not in known and _age_s(path) > ORPHAN_S:
            path.unlink(missing_ok=True)


def _remove_folders(folder: Path) -> None:
    if not folder.is_dir():
        return
    for place in folder.iterdir():
        if _age_s(place) > STALE_S:
            shutil.rmtree(place, ignore_errors=True)
