"""Encode the chunks of a film: each one run, put in place when whole."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from app.video import graph, hls, mp4
from app.video.bounded import scaled
from app.video.chunks import Chunk
from app.video.ffmpeg import BOUNDS, ffmpeg, reading
from app.video.ladder import Ladder
from app.video.renditions import Rendition
from app.video.source import BREAKS_OFF, DISK_FULL, EncodingFailed, Source, Unusable, faulty, writing

ATTEMPT = ".attempt-"
FRESH = ".fresh-"
LEAST_FREE_BYTES = 8 * 2**20
CPU_PER_FILM_S = 60


async def encode_chunk(
    path: Path,
    source: Source,
    ladder: Ladder,
    chunk: Chunk,
    work: Path,
    on_percent: Callable[[int], None] | None = None,
) -> Path:
    """Write every rung of one chunk of `path` under `work` and return its folder, `work/chunk-N`.

    Each call works in a folder of its own, and the first to finish puts it in place by one rename: a second
    call, a restart after kill -9, and two workers at once all end with one whole result. A result that is
    there already is returned at once. Its segments are numbered and timed as in the whole film.

    Raises:
        Unusable: see `ffmpeg`; or the film has fewer pictures than it says.
        EncodingFailed: see `ffmpeg`.
    """
    place = work / f"chunk-{chunk.number}"
    reader = [*graph.entering(chunk), *graph.unbroken(source), *reading(path, source.demuxer)]
    arguments = [*reader, *graph.picture_arguments(source, ladder, chunk)]

    def settle(folder: Path) -> None:
        _check_frames(folder / ladder.lowest.folder, source, chunk)
        for rung in ladder.rungs:
            _move_in_time(folder / rung.folder, chunk)

    folders = [rung.folder for rung in ladder.rungs]
    length_s = chunk.length_s(source.duration_s)
    return await encoded(place, folders, arguments, length_s, on_percent, settle)


async def encoded(
    place: Path,
    folders: Sequence[str],
    arguments: Sequence[str],
    film_s: float,
    on_percent: Callable[[int], None] | None,
    settle: Callable[[Path], None] = lambda _folder: None,
) -> Path:
    """Run ffmpeg in a folder of its own, `settle` what it wrote, and put that in `place`, unless it is there already.

    `folders` are those of the renditions that it writes. Raises: as `encode_chunk`.
    """
    if await asyncio.to_thread(place.is_dir):
        return place
    with writing():
        attempt, lock = await asyncio.to_thread(new_attempt, place.parent, folders)
    try:
        await ffmpeg(
            arguments,
            film_s=film_s,
            bounds=scaled(BOUNDS, film_s, CPU_PER_FILM_S),
            on_percent=on_percent,
            cwd=attempt,
        )
        await asyncio.to_thread(check_written, attempt, folders)
        with writing():
            await asyncio.to_thread(settle, attempt)
            await asyncio.to_thread(put_in_place, attempt, place)
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)
        os.close(lock)
    return place


def _check_frames(folder: Path, source: Source, chunk: Chunk) -> None:
    if chunk.frames is None:
        return
    rendition = Rendition.load(folder)
    init = rendition.init
    parts = [mp4.fragment(folder / segment.uri, init) for segment in rendition.segments]
    frames = sum(part.samples for part in parts)
    if frames != chunk.frames:
        found_s = chunk.start_s + frames * chunk.rate[1] / chunk.rate[0]
        raise Unusable(BREAKS_OFF, found=found_s, stated=source.duration_s)


def _move_in_time(folder: Path, chunk: Chunk) -> None:
    """ffmpeg times a chunk from 0; in the film its first picture is number `first_frame`."""
    if chunk.first_frame == 0:
        return
    rendition = Rendition.load(folder)
    ticks = chunk.first_frame_s * mp4.timescale(rendition.init)
    if ticks.denominator != 1:
        raise faulty("the clock of a rung does not fit its rate", f"{rendition.folder.name}: {ticks}")
    for number, segment in enumerate(rendition.segments):
        mp4.move(folder / segment.uri, int(ticks), chunk.first_segment + number)


def put_in_place(folder: Path, place: Path) -> None:
    """Rename `folder` to `place`; when a finished one is there already, that one stays."""
    try:
        folder.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def new_attempt(work: Path, folders: Sequence[str]) -> tuple[Path, int]:
    """A folder for this attempt and the lock on it, which lives as long as this process does."""
    work.mkdir(parents=True, exist_ok=True)
    _sweep(work)
    fresh = Path(tempfile.mkdtemp(prefix=FRESH, dir=work))
    lock = os.open(fresh, os.O_RDONLY)
    with contextlib.suppress(OSError):  # not every network file system has locks; then nothing is swept
        fcntl.flock(lock, fcntl.LOCK_EX)
    for folder in folders:
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


def check_written(attempt: Path, folders: Sequence[str]) -> None:
    """ffmpeg's HLS writer ends well and says nothing when the disk was full (tried with 9.0.2 on 1 MB)."""
    try:
        for folder in folders:
            rendition = Rendition.load(attempt / folder)
            for segment in rendition.segments:
                mp4.fragment(rendition.folder / segment.uri, rendition.init)
    except (OSError, hls.Unreadable, mp4.Malformed) as error:
        if shutil.disk_usage(attempt).free < LEAST_FREE_BYTES:
            raise EncodingFailed(DISK_FULL, detail=str(error)) from error
        raise faulty("what ffmpeg wrote is not whole", str(error)) from error
