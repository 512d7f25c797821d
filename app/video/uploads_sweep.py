"""Hourly: remove uploads that were left alone, and what crashes left in work folders."""

import asyncio
import logging
import shutil
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import db
from app.clock import utcnow
from app.errors import LimberError
from app.jobs import engine
from app.settings import get_settings
from app.video import uploads
from app.video.models import Upload
from app.video.transcode import FOLDER

log = logging.getLogger("limber.video")
# Longer than the longest encode: a folder this old belongs to nobody.
STALE_S = 3 * 24 * 3600


@engine.scheduled("sweep_uploads", "17 * * * *")
async def sweep_uploads(_at: datetime, _context: Any) -> None:
    """Expired uploads free their space; finished ones only lose their row."""
    await sweep()


@engine.step(tries=2)
async def sweep() -> int:
    """Remove what has expired and answer how many uploads that were. One under way is left for the next time."""
    async with db.transaction() as session:
        expired = list(await session.scalars(select(Upload.id).where(Upload.expires_at <= utcnow())))
    removed = 0
    for upload_id in expired:
        async with db.try_lock(uploads.lock_name(upload_id)) as held:
            if held:
                with suppress(LimberError):
                    await uploads.remove(upload_id)
                    removed += 1
    await asyncio.to_thread(_sweep_folders, get_settings().data_dir / FOLDER)
    if removed:
        log.info("removed %d uploads that were left alone", removed)
    return removed


def _sweep_folders(folder: Path) -> None:
    if not folder.is_dir():
        return
    for place in folder.iterdir():
        if time.time() - place.stat().st_mtime > STALE_S:
            shutil.rmtree(place, ignore_errors=True)
