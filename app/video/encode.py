"""Encode a source into every rendition of its ladder: one run, put in place when whole."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.video import graph, hls, mp4
from app.video.bounded import scaled
from app.video.ffmpeg import BOUNDS, ffmpeg, reading, threads
from app.video.ladder import Ladder
from app.video.renditions import Rendition
from app.video.source import DISK_FULL, EncodingFailed, Source, faulty, writing

ENCODED = "encoded"
ATTEMPT = ".attempt-"
FRESH = ".fresh-"
LEAST_FREE_BYTES = 8 * 2**20
CPU_PER_FILM_S = 60


async def encode(
    path: Path,
    source: Source,
    ladder: Ladder,
    work: Path,
    on_percent: Callable[[int], None] | None = None,
) -> Path:
    """Write every rendition of `path` under `work` and return the folder, `work/encoded`.

    Each call works in a folder of its own, and the first to finish puts it in place by one rename: a second
    call, a restart after kill -9, and two workers at once all end with one whole result. A result that is
    there already is returned at once.

    Raises:
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    place = work / ENCODED
    if await asyncio.to_thread(place.is_dir):
        return place
    with writing():
        attempt, lock = await asyncio.to_thread(_new_attempt, work, ladder)
    try:
        await ffmpeg(
            [*reading(path, source.demuxer), *graph.arguments(source, ladder, threads())],
            film_s=source.duration_s,
            bounds=scaled(BOUNDS, source.duration_s, CPU_PER_FILM_S),
            on_percent=on_percent,
            cwd=attempt,
        )
        await asyncio.to_thread(check_written, attempt, ladder)
        with writing():
            await asyncio.to_thread(put_in_place, attempt, place)
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)
        os.close(lock)
    return place


def put_in_place(folder: Path, place: Path) -> None:
    """Rename `folder` to `place`; when a finished one is there already, that one stays."""
    try:
        folder.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def _new_attempt(work: Path, ladder: Ladder) -> tuple[Path, int]:
    """A folder for this attempt and the lock on it, which lives as long as this process does."""
    work.mkdir(parents=True, exist_ok=True)
    _sweep(work)
    fresh = Path(tempfile.mkdtemp(prefix=FRESH, dir=work))
    lock = os.open(fresh, os.O_RDONLY)
    with contextlib.suppress(OSError):  # not every network file system has locks; then nothing is swept
        fcntl.flock(lock, fcntl.LOCK_EX)
    for folder in _folders(ladder):
        (fresh / folder).mkdir()
    # Locked before it has the name that a sweep looks for.
    return fresh.rename(work / fresh.name.replace(FRESH, ATTEMPT)), lock


def _sweep(work: Path) -> None:
    """Remove what attempts of dead workers left: it can be gigabytes, and the disk may be why they died."""
    for left in work.glob(f"{ATTEMPT}*"):
        with contextlib.suppress(OSError):
            lock = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)


def _folders(ladder: Ladder) -> list[str]:
    return [*(rung.folder for rung in ladder.rungs), graph.AUDIO_FOLDER]


def check_written(attempt: Path, ladder: Ladder) -> None:
    """ffmpeg's HLS writer ends well and says nothing when the disk was full (tried with 9.0.2 on 1 MB)."""
    try:
        for folder in _folders(ladder):
            rendition = Rendition.load(attempt / folder)
            for segment in rendition.segments:
                mp4.fragment(rendition.folder / segment.uri, rendition.init)
    except (OSError, hls.Unreadable, mp4.Malformed) as error:
        if shutil.disk_usage(attempt).free < LEAST_FREE_BYTES:
            raise EncodingFailed(DISK_FULL, detail=str(error)) from error
        raise faulty("what ffmpeg wrote is not whole", str(error)) from error
