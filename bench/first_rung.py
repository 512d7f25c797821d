"""`first-rung`: the share of a ten-minute film's encode after which its beginning can be watched in every rung."""

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from bench import films
from bench.resume import begin, kill, until
from bench.workers import start_worker
from bench.workshop import workshop

GOAL = 0.15
LENGTH_S = 600
HEIGHT_PX = 480
ENDS_WITHIN_S = 1200


async def begun(video_id: UUID) -> bool:
    from app import db
    from app.video.models import Video

    async with db.transaction() as session:
        return (await session.get_one(Video, video_id)).begun_version > 0


def rungs_shown(stream: Path) -> int:
    """Rungs of the master playlist whose own playlist names a segment that is there."""
    shown = 0
    for line in (stream / "master.m3u8").read_text().splitlines():
        if line and not line.startswith("#"):
            playlist = stream / line
            named = [each for each in playlist.read_text().splitlines() if each and not each.startswith("#")]
            shown += bool(named) and (playlist.parent / named[0]).is_file()
    return shown


async def measured(database_url: str, media: Path, film: Path) -> tuple[float, float, int]:
    """Seconds until the beginning was shown, until the end, and in how many rungs it began."""
    from app import db

    db.open_database(database_url, pool_size=2)
    worker = start_worker(database_url)
    try:
        video_id, began = await begin(film, films.smaller(films.film(30), 180))
        while not await begun(video_id):
            if time.monotonic() - began > ENDS_WITHIN_S:
                raise RuntimeError("the beginning was never shown")
            await asyncio.sleep(0.05)
        first_s, rungs = time.monotonic() - began, rungs_shown(media / "videos" / str(video_id) / "1")
        if await until(video_id, {"ready", "failed"}, within_s=ENDS_WITHIN_S) != "ready":
            raise RuntimeError("the film failed")
        return first_s, time.monotonic() - began, rungs
    finally:
        kill(worker)
        await db.close_database()


def run() -> dict[str, Any]:
    """One worker; three to six minutes."""
    film = films.smaller(films.film(LENGTH_S), HEIGHT_PX)
    with workshop() as (database_url, folder):
        first_s, whole_s, rungs = asyncio.run(measured(database_url, folder / "media", film))
    ratio = first_s / whole_s
    return {
        "ratio": round(ratio, 3),
        "goal": GOAL,
        "met": ratio <= GOAL and rungs > 1,
        "first_s": round(first_s, 1),
        "whole_s": round(whole_s, 1),
        "rungs": rungs,
    }
