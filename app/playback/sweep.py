"""Removes viewings that ended long ago; where members stopped is kept elsewhere."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete

from app import db
from app.jobs import engine
from app.playback.models import Playback

# A tablet that slept for days goes on; no token lives longer than hours.
KEEP = timedelta(days=7)


async def sweep(now: datetime) -> None:
    """Delete viewings that were last renewed more than 7 days ago."""
    async with db.transaction() as session:
        await session.execute(delete(Playback).where(Playback.renewed_at < now - KEEP))


@engine.step()
async def _sweep_playback(at: str) -> None:
    await sweep(datetime.fromisoformat(at))


@engine.scheduled("sweep_playbacks", "37 * * * *")
async def sweep_playbacks(at: datetime, context: Any) -> None:  # noqa: ARG001 (the engine's signature)
    """Once an hour."""
    await _sweep_playback(at.isoformat())
