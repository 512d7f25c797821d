"""Choose the picture that stands for a film, from its key frames, and write it in two sizes."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageStat

from app.video import mp4
from app.video.ffmpeg import ffmpeg, reading_feed
from app.video.ladder import Ladder
from app.video.renditions import Rendition
from app.video.source import writing

POSTER = "poster.jpg"
SMALL_POSTER = "poster-small.jpg"
SIDES_PX = {POSTER: 1280, SMALL_POSTER: 640}
THUMB = (64, 36)
BINS = 16
DARK = 28.0
FLAT = 8.0


async def make_poster(place: Path, ladder: Ladder, out: Path) -> None:
    """Write `poster.jpg` and `poster-small.jpg` in `out`, of the film whose renditions are in `place`.

    Key frames fall on the same pictures in every rung, so the choice is made in the smallest and the picture
    taken from the largest.

    Raises:
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    lowest = await asyncio.to_thread(Rendition.load, place / ladder.lowest.folder)
    top = await asyncio.to_thread(Rendition.load, place / ladder.top.folder)
    await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
    with writing():
        attempt = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".poster-", dir=out))
    try:
        thumbs = await _thumbs(lowest, attempt)
        segment, within = await asyncio.to_thread(_locate, lowest, choose(thumbs))
        await _extract(top, segment, within, attempt)
        for name in SIDES_PX:
            (attempt / name).replace(out / name)
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)


def choose(thumbs: Sequence[Image.Image]) -> int:
    """The number of the grey thumbnail most like all the others, neither dark nor flat if avoidable."""
    if not thumbs:
        return 0
    stats = [ImageStat.Stat(thumb) for thumb in thumbs]
    good = [n for n, stat in enumerate(stats) if stat.mean[0] > DARK and stat.stddev[0] > FLAT]
    # The very beginning and end are often a title or a hand on the camera.
    inner = [n for n in good if 0 < n < len(thumbs) - 1]
    pool = inner or good or list(range(len(thumbs)))
    histograms = {n: _histogram(thumbs[n]) for n in pool}
    mean = [sum(histogram[b] for histogram in histograms.values()) / len(pool) for b in range(BINS)]
    return min(pool, key=lambda n: sum((a - b) ** 2 for a, b in zip(histograms[n], mean, strict=True)))


def _histogram(thumb: Image.Image) -> list[int]:
    fine = thumb.histogram()
    width = len(fine) // BINS
    return [sum(fine[start : start + width]) for start in range(0, len(fine), width)]


async def _thumbs(lowest: Rendition, folder: Path) -> list[Image.Image]:
    raw = "thumbs.raw"
    width, height = THUMB
    look = f"scale={width}:{height}:flags=area,format=gray"
    await ffmpeg(
        [
            "-skip_frame",
            "nokey",
            *reading_feed("mov"),
            "-an",
            "-fps_mode",
            "passthrough",
            "-vf",
            look,
            "-f",
            "rawvideo",
            raw,
        ],
        film_s=lowest.duration_s,
        feed=lowest.joined(),
        cwd=folder,
    )
    data = await asyncio.to_thread((folder / raw).read_bytes)
    size = width * height
    return [Image.frombytes("L", THUMB, data[at : at + size]) for at in range(0, len(data) - size + 1, size)]


def _locate(lowest: Rendition, number: int) -> tuple[int, int]:
    """Which segment key frame `number` is in, and which of that segment's key frames it is."""
    init = lowest.init
    for at, segment in enumerate(lowest.segments):
        keys = len(mp4.fragment(lowest.folder / segment.uri, init).key_ticks)
        if number < keys:
            return at, number
        number -= keys
    return 0, 0


async def _extract(top: Rendition, segment: int, within: int, folder: Path) -> None:
    graph = f"[0:v]select='eq(n,{within})',split={len(SIDES_PX)}"
    graph += "".join(f"[p{n}]" for n in range(len(SIDES_PX)))
    outputs: list[str] = []
    for n, (name, side_px) in enumerate(SIDES_PX.items()):
        # JPEG means full range and BT.601, our films are neither.
        graph += (
            f";[p{n}]scale='if(gte(iw,ih),min(iw,{side_px}),-2)':'if(gte(iw,ih),-2,min(ih,{side_px}))'"
            f":flags=lanczos:in_color_matrix=bt709:out_color_matrix=bt601:in_range=tv:out_range=pc"
            f",format=yuvj420p[o{n}]"
        )
        outputs += ["-map", f"[o{n}]", "-frames:v", "1", "-q:v", "3", "-f", "image2", "-update", "1", name]
    await ffmpeg(
        ["-skip_frame", "nokey", *reading_feed("mov"), "-filter_complex", graph, *outputs],
        film_s=top.segments[segment].duration_s,
        feed=top.joined(only=segment),
        cwd=folder,
    )
