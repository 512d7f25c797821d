"""Cut a piece out of a finished stream into one small MP4: every picture encoded anew, so that no other is in it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import storage
from app.video import hls
from app.video.bounded import Bounds
from app.video.clip_rules import MP4, POSTER, Span
from app.video.ffmpeg import ffmpeg, reading
from app.video.graph import AUDIO_FOLDER, AUDIO_HZ, INIT, PLAYLIST, PRESET
from app.video.ladder import AUDIO_BPS
from app.video.probe import probe
from app.video.renditions import Rendition
from app.video.source import faulty, writing

# An article's column and a telephone held upright: more would only cost the reader.
SHORT_SIDE_PX = 720
CRF = 21
MAX_BPS = 3_000_000
BOUNDS = Bounds(cpu_s=300, wall_s=900, stall_s=120)
# A decoder of sound needs a moment before what it is asked for.
LEAD_S = 0.2
# Of a picture or a frame of AAC at each end.
TOLERANCE_S = 0.15


@dataclass(frozen=True)
class Cut:
    """What was made, in pixels."""

    width_px: int
    height_px: int


async def cut(place: str, renditions: Sequence[dict[str, Any]], span: Span, out: Path) -> Cut:
    """Write `clip.mp4` and `poster.jpg` into `out`. `place`: where the stream lies in storage; `renditions`: its sizes.

    Raises:
        FileNotFoundError: the stream is not there, or not any more.
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    picture, first_s = await _picture(place, str(_chosen(renditions)["folder"]), span, out)
    sound = await _joined(await _window(place, AUDIO_FOLDER, span, out), out / "sound.mp4")
    # A millisecond early: a picture that is shown at the very start is one of the piece.
    piece = f"start={span.start_ms / 1000 - 0.001:.3f}:end={span.end_ms / 1000 - 0.001:.3f}"
    length_s = (span.end_ms - span.start_ms) / 1000
    # ffmpeg delays pictures whose order of decoding is another (our composition offsets are negative, see
    # graph.PICTURE_TIMES): they would be late by two. So their clock is set by the first of them, which is known.
    graph = (
        f"[0:v]setpts=PTS-STARTPTS+{first_s:.6f}/TB,trim={piece},setpts=PTS-STARTPTS[v]"
        f";[1:a]atrim={piece},asetpts=PTS-STARTPTS[a]"
    )
    await ffmpeg(
        ["-copyts", *reading(picture, "mov"), *reading(sound, "mov"), "-filter_complex", graph,
         "-map", "[v]", "-map", "[a]",
         "-c:v", "libx264", "-preset", PRESET, "-profile:v", "high", "-pix_fmt", "yuv420p",
         "-crf", str(CRF), "-maxrate", str(MAX_BPS), "-bufsize", str(2 * MAX_BPS),
         "-c:a", "aac", "-b:a", str(AUDIO_BPS), "-ar", str(AUDIO_HZ), "-ac", "2",
         "-map_metadata", "-1", "-map_chapters", "-1", "-bitexact", "-movflags", "+faststart", "-f", "mp4", MP4],
        film_s=length_s,
        bounds=BOUNDS,
        cwd=out,
    )  # fmt: skip
    made = await probe(out / MP4)
    if abs(made.duration_s - length_s) > TOLERANCE_S:
        raise faulty("a clip has another length than its cut", f"{made.duration_s} s, not {length_s} s")
    await _poster(out, length_s)
    return Cut(made.width_px, made.height_px)


def _chosen(renditions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The largest size that is not larger than needed, or the smallest."""
    falling = sorted(renditions, key=lambda one: int(one["width_px"]) * int(one["height_px"]), reverse=True)
    fitting = [one for one in falling if min(int(one["width_px"]), int(one["height_px"])) <= SHORT_SIDE_PX]
    return (fitting or falling[-1:])[0]


async def _picture(place: str, folder: str, span: Span, out: Path) -> tuple[Path, float]:
    """The pictures around the piece as one file, and when the first of them is shown, in seconds of the film."""
    rendition = await _window(place, folder, span, out)
    first = (await asyncio.to_thread(rendition.key_frames))[0]
    return await _joined(rendition, out / "picture.mp4"), float(first.at_s)


async def _window(place: str, folder: str, span: Span, out: Path) -> Rendition:
    """The segments of a rendition that the piece touches, as a rendition on disk."""
    playlist = (await storage.get(f"{place}/{folder}/{PLAYLIST}")).decode()
    segments = touched(hls.parse_media(playlist), span)
    here = out / folder
    with writing():
        await asyncio.to_thread(here.mkdir)
        for name in (INIT, *(segment.uri for segment in segments)):
            data = await storage.get(f"{place}/{folder}/{name}")
            await asyncio.to_thread((here / name).write_bytes, data)
    return Rendition(here, tuple(segments))


async def _joined(rendition: Rendition, path: Path) -> Path:
    with writing(), await asyncio.to_thread(path.open, "wb") as file:
        async for piece in rendition.joined():
            await asyncio.to_thread(file.write, piece)
    return path


def touched(segments: Sequence[hls.Segment], span: Span) -> list[hls.Segment]:
    """The segments in which something of the piece is."""
    begins_s = 0.0
    found: list[hls.Segment] = []
    for segment in segments:
        ends_s = begins_s + segment.duration_s
        if ends_s > span.start_ms / 1000 - LEAD_S and begins_s < span.end_ms / 1000:
            found.append(segment)
        begins_s = ends_s
    return found


async def _poster(out: Path, length_s: float) -> None:
    # JPEG means full range and BT.601, our films are neither.
    look = "scale=in_color_matrix=bt709:out_color_matrix=bt601:in_range=tv:out_range=pc,format=yuvj420p"
    await ffmpeg(
        ["-ss", f"{min(1.0, length_s / 3):.3f}", *reading(out / MP4, "mov"), "-an", "-vf", look,
         "-frames:v", "1", "-q:v", "3", "-f", "image2", "-update", "1", POSTER],
        film_s=length_s,
        bounds=BOUNDS,
        cwd=out,
    )  # fmt: skip
    if not await asyncio.to_thread((out / POSTER).is_file):
        raise faulty("a clip has no picture")
