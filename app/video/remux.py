"""Copy the pictures of a film that cannot be entered in the middle into Matroska, which can, without encoding them."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from app.video.bounded import scaled
from app.video.chunks import starts
from app.video.encode import LEAST_FREE_BYTES, new_attempt, put_in_place
from app.video.ffmpeg import BOUNDS, ffmpeg, reading
from app.video.graph import beside
from app.video.ladder import plan
from app.video.source import DISK_FULL, EncodingFailed, Source, Unusable, VideoError, faulty, writing

log = logging.getLogger("limber.video")
DEMUXER = "matroska"
FOLDER = "copy"
FILM = "film.mkv"
FACTS = "facts.json"
# A wait for another process of this machine that makes the same copy.
LOOK_S = 0.5
CPU_PER_FILM_S = 1
# Matroska counts in thousandths of a second.
TICK = Fraction(1, 1000)
ROUNDING = TICK * 6 / 10
# Its rounding and a chunk's: so much nearer or farther a picture may come to stand.
UNSURE = TICK * 12 / 10
# What was tried and found exact, film by film (ADR 12): by container, the codes of the picture.
TRIED = {
    "mpegts": frozenset({"h264", "hevc", "mpeg2video", "mpeg1video"}),
    "mpeg": frozenset({"mpeg2video", "mpeg1video"}),
    "avi": frozenset({"mjpeg", "dvvideo", "rawvideo", "huffyuv"}),
    "asf": frozenset({"wmv1", "wmv2"}),
    "flv": frozenset({"flv", "flv1", "h264"}),
    "mxf": frozenset({"mpeg2video", "h264", "dnxhd"}),
    "ogg": frozenset({"theora"}),
    "dv": frozenset({"dvvideo"}),
}
# Camcorders tell the time of a picture's first field only.
SHOWN = r"setts=pts=if(eq(PTS\,NOPTS)\,PREV_OUTPTS+DURATION\,PTS)"
# In a list no time of showing may be bent by what ffmpeg guesses about decoding.
UNDECODED = "dts=-1000000000"


@dataclass(frozen=True)
class Copy:
    """What a copy holds: so many pictures, and a digest of when each is shown. Two copies of a film are the same."""

    pictures: int
    digest: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        return cls(**facts)


def wants_copy(source: Source) -> bool:
    """Whether a film would be cut into chunks if only its container could be entered in the middle, as its copy can."""
    return source.video_codec in TRIED.get(source.demuxer, ()) and len(starts(source.picture_s)) > 1


def as_copied(source: Source) -> Source:
    """The same film as it is read from its copy."""
    return replace(source, demuxer=DEMUXER, video_index=0)


async def try_copy(
    path: Path, source: Source, work: Path, on_percent: Callable[[int], None] | None = None
) -> Copy | None:
    """What the copy of a film holds that wants one; None when it wants none, or none can be made that is exact.

    Raises:
        EncodingFailed: there is no space left for it.
    """
    if not wants_copy(source):
        return None
    try:
        _film, copy = await copied(path, source, work, on_percent)
    except VideoError as error:
        if error.message == DISK_FULL:
            raise
        log.info("no exact copy of a film, so it is encoded as one chunk: %s", error.detail or error.message)
        return None
    return copy


async def same_copy(path: Path, source: Source, work: Path, expected: Copy) -> Path:
    """This machine's copy of the film at `path`, made unless it is there.

    Raises:
        EncodingFailed: it is not the same as the copy by which the film was planned, or there is no space left.
    """
    try:
        film, copy = await copied(path, source, work)
    except Unusable as error:
        raise faulty("a film that was copied once cannot be copied again", error.detail) from error
    if copy != expected:
        await asyncio.to_thread(shutil.rmtree, film.parent, ignore_errors=True)
        raise faulty("two copies of a film differ", f"{copy}, {expected}")
    return film


async def copied(
    path: Path, source: Source, work: Path, on_percent: Callable[[int], None] | None = None
) -> tuple[Path, Copy]:
    """The copy of a film's pictures at `work/copy`, and what it holds. One process of a machine makes it.

    It keeps the film's own clock: a picture that is shown 1.5 s after the film begins has 1.5 s there too.

    Raises:
        Unusable: see `ffmpeg`.
        EncodingFailed: see `ffmpeg`; or the copy is not exact.
    """
    place = work / FOLDER
    async with _alone(work):
        if not await asyncio.to_thread(place.is_dir):
            await _make(path, source, place, on_percent)
    facts = await asyncio.to_thread((place / FACTS).read_text)
    return place / FILM, Copy.from_json(json.loads(facts))


@asynccontextmanager
async def _alone(work: Path) -> AsyncIterator[None]:
    """One process of this machine at a time; the lock goes with its process."""
    with writing():
        await asyncio.to_thread(work.mkdir, parents=True, exist_ok=True)
        lock = os.open(work / f"{FOLDER}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while not _locked(lock):  # noqa: ASYNC110 (another process ends it, and no event crosses processes)
            await asyncio.sleep(LOOK_S)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Not every network file system has locks: then two may copy, and the first to finish puts it in place.
        return True
    return True


async def _make(path: Path, source: Source, place: Path, on_percent: Callable[[int], None] | None) -> None:
    with writing():
        attempt, lock = await asyncio.to_thread(new_attempt, place.parent, [])
        free = await asyncio.to_thread(shutil.disk_usage, attempt)
    try:
        if free.free < source.size_bytes + LEAST_FREE_BYTES:
            # Told before the disk is full, because others write to it too.
            raise EncodingFailed(
                DISK_FULL, detail=f"{free.free} bytes free for a copy of {source.size_bytes}"
            )
        await _copy(path, source, attempt, on_percent)
        copy = await asyncio.to_thread(_compared, attempt, Fraction(*plan(source).rate))
        with writing():
            await asyncio.to_thread((attempt / FACTS).write_text, json.dumps(copy.to_json()))
            await asyncio.to_thread(put_in_place, attempt, place)
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)
        os.close(lock)


async def _copy(path: Path, source: Source, folder: Path, on_percent: Callable[[int], None] | None) -> None:
    """Write the copy, and two lists of when each picture is shown: as ffmpeg read it, and as it stands there."""
    bounds = scaled(BOUNDS, source.duration_s, CPU_PER_FILM_S)
    picture = ["-map", f"0:{source.video_index}", "-c", "copy"]
    plain = ["-map_metadata", "-1", "-map_chapters", "-1", "-bitexact"]
    await ffmpeg(
        [*_order(source), *reading(path, source.demuxer),
         *picture, "-bsf:v", SHOWN, *plain, "-f", DEMUXER, FILM,
         *picture, "-bsf:v", f"{SHOWN}:{UNDECODED}", "-f", "framecrc", "source.txt",
         *beside(source, source.audio_index)],
        film_s=source.duration_s, bounds=bounds, on_percent=on_percent, cwd=folder,
    )  # fmt: skip
    await ffmpeg(
        ["-copyts", *reading(folder / FILM, DEMUXER),
         "-map", "0:0", "-c", "copy", "-bsf:v", f"setts=pts=PTS:{UNDECODED}", "-f", "framecrc", "copy.txt"],
        film_s=source.duration_s, bounds=bounds, cwd=folder,
    )  # fmt: skip


def _order(source: Source) -> list[str]:
    """AVI and MPEG-PS leave out when a picture is shown; ffmpeg finds it out, but with H.264 one picture late."""
    return [] if source.video_codec in ("h264", "hevc") else ["-fflags", "+genpts"]


def _compared(folder: Path, rate: Fraction) -> Copy:
    """What the copy in `folder` holds, whose pictures are to be counted at `rate`.

    Raises:
        EncodingFailed: the copy does not hold each picture of the source at its time.
    """
    before, after = folder / "source.txt", folder / "copy.txt"
    (tick, shown), (_, held) = _times(before), _times(after)
    if not shown or len(shown) != len(held):
        raise faulty("a copy is not exact", f"{len(held)} of {len(shown)} pictures were copied")
    moved = sum(abs(a - b) > ROUNDING for a, b in zip(shown, held, strict=True))
    if moved:
        raise faulty("a copy is not exact", f"{moved} of {len(shown)} pictures are shown at another time")
    if tick != TICK and (TICK * rate).numerator != 1 and (unsure := _unsure(shown, rate)) > len(shown) / 100:
        raise faulty(
            "a copy is not exact", f"{unsure} of {len(shown)} pictures are between two of the stream's"
        )
    before.unlink()
    after.unlink()
    text = ",".join(str(time) for time in held)
    return Copy(pictures=len(held), digest=hashlib.sha256(text.encode()).hexdigest())


def _unsure(shown: list[Fraction], rate: Fraction) -> int:
    """How many pictures lie so near to the middle between two of the stream's that rounding decides which they are."""
    # Where each field stands for itself its picture is shown when the first is.
    fields = 2 if len(shown) > (max(shown) - min(shown)) * rate * 3 / 2 else 1
    return sum(abs((time * rate) % 1 - Fraction(1, 2)) < UNSURE * rate for time in shown[::fields])


def _times(listed: Path) -> tuple[Fraction, list[Fraction]]:
    """The file's unit of time, and when each picture is shown, in seconds and in the order of the file.

    Source: ffmpeg's framecrc: `stream, dts, pts, duration, size, checksum`, after `#tb 0: 1/90000`.
    """
    base = Fraction(1)
    found: list[Fraction] = []
    with listed.open() as lines:
        for line in lines:
            if line.startswith("#tb 0:"):
                base = Fraction(line.partition(":")[2].strip())
            elif not line.startswith("#"):
                with contextlib.suppress(ValueError):
                    found.append(int(line.split(",")[2]) * base)
    return base, found
