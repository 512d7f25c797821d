"""Take the pictures that could stand for a film from its key frames, and write each in two sizes."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from app.video.ffmpeg import ffmpeg, reading_feed
from app.video.ladder import Ladder
from app.video.poster_rules import POSTER, SMALL_POSTER
from app.video.renditions import Rendition
from app.video.source import faulty, writing

SIDES_PX = {POSTER: 1280, SMALL_POSTER: 640}
# So many are offered for a film.
MOST = 8
THUMB = (64, 36)
# Small enough that only what a person sees as another picture counts as one.
GLANCE = (16, 9)
BINS = 16
DARK = 28.0
FLAT = 8.0
# Mean difference of two glances, of 255: below it they are the same picture.
ALIKE = 1.0


def share_of(chunks: int) -> int:
    """How many pictures each of a film's chunks is asked for, so that there are MOST of all of them."""
    return max(1, -(-MOST // chunks))


async def make_posters(place: Path, ladder: Ladder, out: Path, most: int = 1) -> list[int]:
    """Write up to `most` pictures of the film, or chunk, whose renditions are in `place`.

    Each is a folder in `out`, named for its time in the film in milliseconds, with a `poster.jpg` and a
    `poster-small.jpg`; the times are answered, that of the most typical first. They are chosen in the smallest
    rung, and taken from the largest.

    Raises:
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    lowest = await asyncio.to_thread(Rendition.load, place / ladder.lowest.folder)
    top = await asyncio.to_thread(Rendition.load, place / ladder.top.folder)
    with writing():
        await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
        attempt = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".poster-", dir=out))
    try:
        thumbs = await _thumbs(lowest, attempt)
        chosen = await asyncio.to_thread(candidates, thumbs, most)
        frames = await asyncio.to_thread(lowest.key_frames)
        wanted = {n: frames[min(n, len(frames) - 1)].at_s for n in chosen}
        taken = await take(top, sorted(wanted.values()), attempt)
        with writing():
            for at_ms, folder in taken.items():
                await asyncio.to_thread(_put, folder, out / str(at_ms))
        by_time = dict(zip(sorted(wanted.values()), taken, strict=True))
        return list(dict.fromkeys(by_time[at_s] for at_s in wanted.values()))
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)


def _put(folder: Path, place: Path) -> None:
    # Of an attempt that was killed between its pictures and its end.
    shutil.rmtree(place, ignore_errors=True)
    folder.rename(place)


def choose(thumbs: Sequence[Image.Image]) -> int:
    """The number of the grey thumbnail most like all the others, neither dark nor flat if avoidable."""
    if not thumbs:
        return 0
    good = _good(thumbs)
    # The very beginning and end are often a title or a hand on the camera.
    inner = [n for n in good if 0 < n < len(thumbs) - 1]
    pool = inner or good or list(range(len(thumbs)))
    histograms = {n: _histogram(thumbs[n]) for n in pool}
    mean = [sum(histogram[b] for histogram in histograms.values()) / len(pool) for b in range(BINS)]
    return min(pool, key=lambda n: sum((a - b) ** 2 for a, b in zip(histograms[n], mean, strict=True)))


def candidates(thumbs: Sequence[Image.Image], most: int) -> list[int]:
    """Numbers of up to `most` grey thumbnails, the one to `choose` first: unlike each other, and far apart in time."""
    picked = [choose(thumbs)]
    pool = [n for n in _good(thumbs) if n != picked[0]]
    glances = {n: thumbs[n].resize(GLANCE, Image.Resampling.BOX) for n in {*picked, *pool} if n < len(thumbs)}
    # Of each that is left, how unlike and how far it is from the nearest of those picked.
    unlike = dict.fromkeys(pool, 255.0)
    apart = dict.fromkeys(pool, len(thumbs))
    while len(picked) < most:
        newest = picked[-1]
        for n in unlike:
            difference = ImageChops.difference(glances[n], glances[newest])
            unlike[n] = min(unlike[n], ImageStat.Stat(difference).mean[0])
            apart[n] = min(apart[n], abs(n - newest))
        unlike = {n: value for n, value in unlike.items() if value >= ALIKE}
        if not unlike:
            break
        picked.append(max(unlike, key=lambda n: unlike[n] * (0.1 + apart[n] / len(thumbs))))
    return picked


def _good(thumbs: Sequence[Image.Image]) -> list[int]:
    stats = [ImageStat.Stat(thumb) for thumb in thumbs]
    return [n for n, stat in enumerate(stats) if stat.mean[0] > DARK and stat.stddev[0] > FLAT]


def _histogram(thumb: Image.Image) -> list[int]:
    fine = thumb.histogram()
    width = len(fine) // BINS
    return [sum(fine[start : start + width]) for start in range(0, len(fine), width)]


async def _thumbs(lowest: Rendition, folder: Path) -> list[Image.Image]:
    raw = "thumbs.raw"
    width, height = THUMB
    look = f"scale={width}:{height}:flags=area,format=gray"
    reader = ["-skip_frame", "nokey", *reading_feed("mov"), "-an", "-fps_mode", "passthrough"]
    await ffmpeg(
        [*reader, "-vf", look, "-f", "rawvideo", raw],
        film_s=lowest.duration_s,
        feed=lowest.joined(),
        cwd=folder,
    )
    data = await asyncio.to_thread((folder / raw).read_bytes)
    size = width * height
    return [Image.frombytes("L", THUMB, data[at : at + size]) for at in range(0, len(data) - size + 1, size)]


async def take(film: Rendition, at_s: Sequence[Fraction], folder: Path) -> dict[int, Path]:
    """The key frames that are nearest to each of these times, in one run: by their time in ms, a folder in `folder`.

    Raises:
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    frames = await asyncio.to_thread(film.key_frames)
    # Of two equally near ones the later: it is not the end of what came before a cut.
    nearest = [min(reversed(frames), key=lambda frame: abs(frame.at_s - wanted)) for wanted in at_s]
    segments = sorted({frame.segment for frame in nearest})
    fed = [frame for frame in frames if frame.segment in segments]
    chosen = sorted({fed.index(frame) for frame in nearest})
    await _extract(film, segments, chosen, folder)
    made: dict[int, Path] = {}
    for number, n in enumerate(chosen, 1):
        place = folder / str(fed[n].at_ms)
        await asyncio.to_thread(_gather, folder, number, place)
        made[fed[n].at_ms] = place
    return {frame.at_ms: made[frame.at_ms] for frame in nearest}


def _gather(folder: Path, number: int, place: Path) -> None:
    place.mkdir()
    for name in SIDES_PX:
        try:
            (folder / f"{number}-{name}").replace(place / name)
        except FileNotFoundError as error:
            raise faulty("a picture of the film is missing", str(error)) from error


async def _extract(film: Rendition, segments: Sequence[int], numbers: Sequence[int], folder: Path) -> None:
    """Write key frames by their numbers among those of the segments: `1-poster.jpg`, `2-poster.jpg`, …"""
    wanted = "+".join(f"eq(n,{number})" for number in numbers)
    graph = f"[0:v]select='{wanted}',split={len(SIDES_PX)}"
    graph += "".join(f"[p{n}]" for n in range(len(SIDES_PX)))
    outputs: list[str] = []
    for n, (name, side_px) in enumerate(SIDES_PX.items()):
        # JPEG means full range and BT.601, our films are neither.
        graph += (
            f";[p{n}]scale='if(gte(iw,ih),min(iw,{side_px}),-2)':'if(gte(iw,ih),-2,min(ih,{side_px}))'"
            f":flags=lanczos:in_color_matrix=bt709:out_color_matrix=bt601:in_range=tv:out_range=pc"
            f",format=yuvj420p[o{n}]"
        )
        outputs += ["-map", f"[o{n}]", "-fps_mode", "passthrough", "-q:v", "3", "-f", "image2", f"%d-{name}"]
    await ffmpeg(
        ["-skip_frame", "nokey", *reading_feed("mov"), "-filter_complex", graph, *outputs],
        film_s=sum(film.segments[number].duration_s for number in segments),
        feed=film.joined(only=segments),
        cwd=folder,
    )
