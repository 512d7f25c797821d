"""Copy a source's pictures as the top rung where they already are a valid one, instead of encoding them again."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from app.video import graph, hls, mp4
from app.video.chunks import EXACT_DEMUXERS, first_frame
from app.video.encode import encoded
from app.video.ffmpeg import ffmpeg, reading, reading_feed
from app.video.ladder import SEGMENT_S, Ladder, Rung
from app.video.renditions import Rendition
from app.video.source import DISK_FULL, Source, Unusable, VideoError, faulty

log = logging.getLogger("limber.video")
FOLDER = "top"
# Dearer than this it would cost every viewer more than it saves us.
MOST_OF_CAP = 1.25
MOST_SOUND_BPS = 1_000_000
# Baseline, Main and High, up to level 5.1: what browsers decode.
PROFILES = frozenset({0x42, 0x4D, 0x64})
HIGHEST_LEVEL = 0x33
# Matroska counts in thousandths of a second.
TOLERANCE_S = Fraction(2, 1000)
PLAIN_COLOURS = frozenset({"", "unknown", "bt709"})
IDR, FIRST_SLICE = 5, 1


def looks_like_rung(source: Source, ladder: Ladder) -> bool:
    """Whether a copy is worth a try, by what the probe found: whether it *is* a rung only the copy shows."""
    top = ladder.top
    seen = (source.width_px, source.height_px)
    most_bps = MOST_OF_CAP * top.max_bps + MOST_SOUND_BPS
    return (
        len(ladder.rungs) > 1
        and source.demuxer in EXACT_DEMUXERS
        and (source.video_codec, source.pixel_format) == ("h264", "yuv420p")
        and not (source.interlaced or source.rotation or source.full_range)
        and seen == (source.coded_width_px, source.coded_height_px) == (top.width_px, top.height_px)
        and source.rate == ladder.rate
        and source.duration_s == source.picture_s
        and {source.matrix, source.primaries, source.transfer} <= PLAIN_COLOURS
        # Unsaid, players take a small picture's colours for those of old television.
        and (source.matrix == "bt709" or min(seen) >= graph.HD_LINES)
        and 8 * source.size_bytes <= most_bps * source.duration_s
    )


async def try_passthrough(path: Path, source: Source, ladder: Ladder, work: Path) -> bool:
    """Whether the source's own pictures are the top rung of its ladder; they are in `work/top` then.

    Raises:
        EncodingFailed: there is no space left for them.
    """
    if not looks_like_rung(source, ladder):
        return False
    try:
        await passthrough(path, source, ladder, work)
    except VideoError as error:
        if error.message == DISK_FULL:
            raise
        log.info("a film's pictures are encoded for its top rung too: %s", error.detail or error.message)
        return False
    return True


async def passthrough(
    path: Path, source: Source, ladder: Ladder, work: Path, on_percent: Callable[[int], None] | None = None
) -> Path:
    """Write the source's pictures as the top rung under `work/top` and return that; idempotent as `encode_chunk` is.

    Raises:
        Unusable: see `ffmpeg`.
        EncodingFailed: see `ffmpeg`; or they are no rung that the ladder's others can be switched with.
    """
    place = work / FOLDER
    if await asyncio.to_thread(place.is_dir):
        return place
    arguments = [*reading(path, source.demuxer), *graph.copy_arguments(source, ladder.top)]

    def settle(folder: Path) -> None:
        try:
            _check(folder / ladder.top.folder, source, ladder)
        except (mp4.Malformed, hls.Unreadable) as error:
            # Written in a way that we do not read: no reason to give the film up.
            raise faulty("no rung", str(error)) from error

    await encoded(place, [ladder.top.folder], arguments, source.duration_s, on_percent, settle)
    try:
        await _decode_key_frames(await asyncio.to_thread(Rendition.load, place / ladder.top.folder))
    except VideoError:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        raise
    return place


def _check(folder: Path, source: Source, ladder: Ladder) -> None:
    """Compare each segment with what the other rungs will have in its place.

    Raises:
        EncodingFailed: it begins or ends elsewhere, cannot be started from, or is too dear.
    """
    rendition = Rendition.load(folder)
    init, rate = rendition.init, Fraction(*ladder.rate)
    _check_codec(init)
    pictures = 0
    for number, segment in enumerate(rendition.segments):
        part = mp4.fragment(folder / segment.uri, init)
        begins = first_frame(number * SEGMENT_S, ladder.rate)
        _check_start(part, mp4.timescale(init), begins / rate, segment.uri)
        wanted = first_frame((number + 1) * SEGMENT_S, ladder.rate) - begins
        if part.samples != wanted and segment is not rendition.segments[-1]:
            raise faulty("no rung", f"{segment.uri} has {part.samples} pictures, not {wanted}")
        if not _starts_afresh(folder / segment.uri, init):
            raise faulty("no rung", f"{segment.uri} refers to pictures before it")
        pictures += part.samples
    if abs(pictures - Fraction(source.picture_s) * rate) >= 1:
        raise faulty("no rung", f"{pictures} pictures in {source.picture_s} s")
    _check_rate(rendition, ladder.top)


def _check_codec(init: bytes) -> None:
    profile, _compatibility, level = bytes.fromhex(mp4.codec_string(init).partition(".")[2])
    if profile not in PROFILES or level > HIGHEST_LEVEL:
        raise faulty("no rung", mp4.codec_string(init))


def _check_start(part: mp4.Fragment, ticks: int, wanted_s: Fraction, name: str) -> None:
    shown = part.key_ticks[0] if part.first_is_key else -1
    found = {Fraction(part.decode_start, ticks), Fraction(shown, ticks)}
    if any(abs(start_s - wanted_s) > TOLERANCE_S for start_s in found):
        raise faulty("no rung", f"{name} begins at {[float(s) for s in found]} s, not {float(wanted_s)}")


def _check_rate(rendition: Rendition, top: Rung) -> None:
    if (peak_bps := hls.peak_bps(rendition.segments)) > MOST_OF_CAP * top.max_bps:
        raise faulty("no rung", f"{peak_bps} bits per second")


def _starts_afresh(segment: Path, init: bytes) -> bool:
    """Whether the first picture is an IDR one. MP4 marks others as key frames too, which need what was before them.

    Source: ITU-T H.264, table 7-1 (kinds of NAL units); ISO/IEC 14496-15, 5.3.3.1 (the length before each).
    """
    at = init.find(b"avcC")
    length_bytes = (init[at + 8] & 3) + 1
    media = next((box for box in mp4.top_level_boxes(segment) if box.kind == b"mdat"), None)
    if media is None:
        return False
    with segment.open("rb") as file:
        at, end = media.start + media.header, media.start + media.size
        while at + length_bytes < end:
            file.seek(at)
            head = file.read(length_bytes + 1)
            kind = head[-1] & 0x1F
            if FIRST_SLICE <= kind <= IDR:
                return kind == IDR
            at += length_bytes + int.from_bytes(head[:-1])
    return False


async def _decode_key_frames(rendition: Rendition) -> None:
    """The others are decoded while the rungs below are made of the same source; these by this rung's own header."""
    wanted = len(await asyncio.to_thread(rendition.key_frames))
    reader = ["-xerror", "-skip_frame", "nokey", *reading_feed("mov")]
    try:
        ran = await ffmpeg(
            [*reader, "-map", "0:v", "-fps_mode", "passthrough", "-f", "null", "-"],
            film_s=rendition.duration_s,
            feed=rendition.joined(),
        )
    except Unusable as error:
        raise faulty("no rung", error.detail) from error
    if ran.last_words or ran.frames != wanted:
        raise faulty("no rung", f"{ran.frames} of {wanted} key frames decode. {ran.last_words}")
