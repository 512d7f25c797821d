"""Encode a source into every rendition of its ladder: one run, put in place when whole."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.video import graph
from app.video.bounded import scaled
from app.video.ffmpeg import BOUNDS, ffmpeg, reading
from app.video.ladder import Ladder
from app.video.source import Source

ENCODED = "encoded"
ATTEMPT = ".attempt-"
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
    attempt = await asyncio.to_thread(_new_attempt, work, ladder)
    try:
        await ffmpeg(
            [*reading(path, source.demuxer), *graph.arguments(source, ladder)],
            film_s=source.duration_s,
            bounds=scaled(BOUNDS, source.duration_s, CPU_PER_FILM_S),
            on_percent=on_percent,
            cwd=attempt,
        )
        await asyncio.to_thread(put_in_place, attempt, place)
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)
    return place


def put_in_place(folder: Path, place: Path) -> None:
    """Rename `folder` to `place`; when a finished one is there already, that one stays."""
    with contextlib.suppress(FileExistsError, OSError):
        folder.rename(place)
    if not place.is_dir():
        raise FileNotFoundError(place)


def _new_attempt(work: Path, ladder: Ladder) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    attempt = Path(tempfile.mkdtemp(prefix=ATTEMPT, dir=work))
    for folder in (*(rung.folder for rung in ladder.rungs), graph.AUDIO_FOLDER):
        (attempt / folder).mkdir()
    return attempt
