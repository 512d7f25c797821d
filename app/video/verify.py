"""Prove that what was encoded is whole before anybody may watch it: ffmpeg's exit code proves nothing."""

import asyncio
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.video import hls, mp4
from app.video.ffmpeg import ffmpeg, reading_feed
from app.video.ladder import GOP_S, Ladder
from app.video.packaging import Track
from app.video.renditions import Rendition
from app.video.source import BREAKS_OFF, FAULTY, EncodingFailed, Source, Unusable
from app.video.source import faulty as _faulty

# A tenth of a second, and what adding up thousands of lengths may be wrong by.
SLACK_S = 0.1 + 1e-6
SAME_START_S = 0.005


@dataclass(frozen=True)
class _Measured:
    """One rendition by its own samples, not by what a playlist says. Times in seconds."""

    name: str
    start_s: float
    duration_s: float
    samples: int
    keys_s: tuple[float, ...]


async def verify_chunk(place: Path, ladder: Ladder) -> None:
    """Check every rung of a chunk against the others, and decode the lowest from end to end.

    A faulty chunk is thrown away, so that the next try begins afresh instead of finding it again.

    Raises:
        EncodingFailed: it has a fault of our own making.
    """
    try:
        rungs = [await asyncio.to_thread(_measure, place, rung.folder) for rung in ladder.rungs]
        _check_alignment(rungs)
        lowest = await asyncio.to_thread(Rendition.load, place / ladder.lowest.folder)
        await _decode(lowest, rungs[-1])
    except EncodingFailed as error:
        if error.message == FAULTY:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        raise


def check_lengths(tracks: Iterable[Track], source: Source, ladder: Ladder) -> None:
    """Compare the length of each whole rendition with the source's.

    Raises:
        Unusable: the source breaks off.
        EncodingFailed: one is longer than its source.
    """
    slack_s = max(SLACK_S, 1.5 * ladder.frame_s)
    for track in tracks:
        missing_s = source.duration_s - track.duration_s
        if missing_s > slack_s:
            raise Unusable(BREAKS_OFF, found=track.duration_s, stated=source.duration_s)
        if missing_s < -slack_s:
            raise _faulty(f"{track.folder} is {-missing_s:.1f} s too long")


def check_switching(rungs: Sequence[Track]) -> None:
    """A player may go from one rung to another at every segment: all rungs have the same ones.

    Raises:
        EncodingFailed: they do not.
    """
    top = rungs[0]
    for rung in rungs[1:]:
        if len(rung.segments) != len(top.segments):
            raise _faulty(f"{rung.folder} and {top.folder} differ in segments")
        at_s = top_s = 0.0
        for segment, other in zip(rung.segments, top.segments, strict=True):
            if abs(at_s - top_s) > SAME_START_S:
                raise _faulty(f"{rung.folder} and {top.folder} differ", f"{segment.uri}: {at_s}, {top_s} s")
            at_s += segment.duration_s
            top_s += other.duration_s


def _measure(place: Path, folder: str) -> _Measured:
    try:
        rendition = Rendition.load(place / folder)
        init = rendition.init
        ticks = mp4.timescale(init)
        parts = [mp4.fragment(rendition.folder / segment.uri, init) for segment in rendition.segments]
    except (OSError, hls.Unreadable, mp4.Malformed) as error:
        raise _faulty(f"{folder} is not whole", str(error)) from error
    if not parts:
        raise _faulty(f"{folder} is empty")
    if not all(part.first_is_key for part in parts):
        raise _faulty(f"a segment of {folder} cannot be started from")
    at = parts[0].decode_start
    for part, segment in zip(parts, rendition.segments, strict=True):
        if part.decode_start != at:
            raise _faulty(f"{folder} has a gap", f"{segment.uri}: {part.decode_start} instead of {at}")
        at += part.duration
    return _Measured(
        name=folder,
        start_s=parts[0].decode_start / ticks,
        duration_s=(at - parts[0].decode_start) / ticks,
        samples=sum(part.samples for part in parts),
        keys_s=tuple(tick / ticks for part in parts for tick in part.key_ticks),
    )


def _check_alignment(rungs: list[_Measured]) -> None:
    top = rungs[0]
    for rung in rungs[1:]:
        if rung.samples != top.samples:
            raise _faulty(f"{rung.name} and {top.name} differ in pictures", f"{rung.samples}, {top.samples}")
        if any(abs(a - b) > 0.001 for a, b in zip(rung.keys_s, top.keys_s, strict=False)):
            raise _faulty(f"key frames of {rung.name} and {top.name} differ")
        if len(rung.keys_s) != len(top.keys_s):
            raise _faulty(f"key frames of {rung.name} and {top.name} differ in number")
    steps = [b - a for a, b in zip(top.keys_s, top.keys_s[1:], strict=False)]
    if steps and max(steps) > 1.5 * GOP_S:
        raise _faulty("key frames are too far apart", f"{max(steps):.3f} s")


async def _decode(lowest: Rendition, measured: _Measured) -> None:
    try:
        ran = await ffmpeg(
            ["-xerror", *reading_feed("mov"), "-map", "0:v", "-fps_mode", "passthrough", "-f", "null", "-"],
            film_s=lowest.duration_s,
            feed=lowest.joined(),
        )
    except Unusable as error:
        # What ffmpeg reads here is our own work: the teacher's film is not at fault.
        raise _faulty(f"{measured.name} does not decode", str(error)) from error
    if ran.last_words or ran.frames != measured.samples:
        raise _faulty(f"{measured.name} does not decode", f"{ran.frames} pictures. {ran.last_words}")
