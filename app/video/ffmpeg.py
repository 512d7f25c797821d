"""The one way to start ffmpeg: guarded, bounded, with progress, and with a sentence when it fails."""

import os
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from app.i18n import N_
from app.video.bounded import Bounds, Ended, run
from app.video.source import DISK_FULL, EncodingFailed, Unusable, VideoError

BOUNDS = Bounds(cpu_s=300, wall_s=1800, stall_s=180)
# Memory grows with threads, and so would a bound on it: past eight, more workers gain more than more threads.
MOST_THREADS = 8
GUARD = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-stats_period", "0.5", "-y")

STALLED = N_("Converting this film stood still, so it was stopped. We will try again.")
SLOW = N_("Converting this film took far too long, so it was stopped. We will try again.")
STOPPED = N_("Converting this film was interrupted. We will try again.")
MEMORY = N_("Converting this film needs more memory than this machine gives it. We will try again.")
UNREADABLE = N_(
    "This film could not be read to its end: the file is damaged. Please export or copy it again."
)
BROKE = N_("This film could not be converted. Please export it as MP4 with H.264 and send it again.")


@dataclass(frozen=True)
class Ran:
    """What a finished run reported: pictures written, seconds of film written, and its last words, if any."""

    frames: int
    out_s: float
    last_words: str


@cache
def binary() -> str:
    """The absolute path of ffmpeg: the bundled one, or the operator's by IMAGEIO_FFMPEG_EXE."""
    return str(Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve())


def threads() -> int:
    """How many threads a decoder, a filter graph and an encoder may each have."""
    return min(os.cpu_count() or 1, MOST_THREADS)


def reading(path: Path, demuxer: str) -> list[str]:
    """Arguments that read a source: its reader is forced, and nothing but this file may be opened."""
    words = ["-threads", str(threads()), "-protocol_whitelist", "file", "-f", demuxer]
    return [*words, "-i", f"file:{path.resolve()}"]


def reading_feed(demuxer: str) -> list[str]:
    """Arguments that read what `run(feed=…)` writes."""
    return ["-protocol_whitelist", "pipe", "-f", demuxer, "-i", "pipe:0"]


async def ffmpeg(
    arguments: Sequence[str],
    *,
    film_s: float,
    bounds: Bounds = BOUNDS,
    on_percent: Callable[[int], None] | None = None,
    feed: AsyncIterable[bytes] | None = None,
    cwd: Path | None = None,
) -> Ran:
    """Run ffmpeg and call `on_percent` whenever the whole percentage of `film_s` that is done grows.

    Cancelling the caller kills ffmpeg. Relative output paths start at `cwd`.

    Raises:
        Unusable: the film is at fault.
        EncodingFailed: time, memory or space ran out, or it was killed; another try can help.
    """
    progress = _Progress(film_s, on_percent)
    argv = [binary(), *GUARD, "-filter_complex_threads", str(threads()), "-progress", "pipe:1", *arguments]
    ended = await run(argv, bounds, on_line=progress.take, feed=feed, cwd=cwd)
    if not ended.ok:
        raise failure(ended)
    return Ran(frames=progress.frames, out_s=progress.out_s, last_words=ended.last_words)


class _Progress:
    """Reads ffmpeg's `-progress` lines."""

    def __init__(self, film_s: float, on_percent: Callable[[int], None] | None) -> None:
        self.film_s = max(film_s, 0.001)
        self.on_percent = on_percent
        self.percent = 0
        self.frames = 0
        self.out_s = 0.0

    def take(self, line: str) -> bool:
        """Whether the line shows that more is done than before."""
        key, _, value = line.partition("=")
        before = (self.frames, self.out_s)
        if key == "frame" and value.strip().isdigit():
            self.frames = int(value)
        elif key == "out_time_us" and value.strip().isdigit():
            self.out_s = int(value) / 1e6
            self._tell(min(99, int(100 * self.out_s / self.film_s)))
        elif key == "progress" and value.strip() == "end":
            self._tell(100)
        return (self.frames, self.out_s) != before

    def _tell(self, percent: int) -> None:
        if percent > self.percent:
            self.percent = percent
            if self.on_percent is not None:
                self.on_percent(percent)


def failure(ended: Ended) -> VideoError:
    """The error, with its sentence, for a run that did not end well."""
    words = ended.last_words
    detail = f"{ended.why}, exit {ended.code}: {words}"
    if ended.why == "stall":
        return EncodingFailed(STALLED, detail=detail)
    if ended.why == "wall":
        return EncodingFailed(SLOW, detail=detail)
    if "No space left on device" in words or "Disk quota exceeded" in words:
        return EncodingFailed(DISK_FULL, detail=detail)
    if "Cannot allocate memory" in words:
        return EncodingFailed(MEMORY, detail=detail)
    if ended.code < 0 or ended.code in (123, 255):
        return EncodingFailed(STOPPED, detail=detail)
    if "Invalid data found" in words:
        return Unusable(UNREADABLE, detail=detail)
    return Unusable(BROKE, detail=detail)
