"""Encode the sound of a film: in one piece, after it was measured, as loud as that of all films."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.video import graph
from app.video.bounded import scaled
from app.video.encode import LEAST_FREE_BYTES, encoded, new_attempt, put_in_place
from app.video.ffmpeg import BOUNDS, ffmpeg, reading
from app.video.loudness import Loudness, measure
from app.video.source import DISK_FULL, EncodingFailed, Source, writing

SOUND = "sound"
EVEN = "even"
EVEN_FILE = "sound.mka"
EVEN_DEMUXER = "matroska"
EVEN_CPU_PER_FILM_S = 2
# Stereo of 16 bits at 48 kHz, before it is packed.
EVEN_BYTES_PER_S = 4 * graph.AUDIO_HZ


async def encode_sound(
    path: Path, source: Source, work: Path, on_percent: Callable[[int], None] | None = None
) -> Path:
    """Write the whole film's sound in `work/sound` and return that; else as `encode_chunk`."""
    place = work / SOUND
    if await asyncio.to_thread(place.is_dir):
        return place
    source, loudness = await _audible(path, source)
    clock: list[str] = []
    if loudness and loudness.is_uneven:
        path, source = await _evened(path, source, work)
        loudness, clock = await measure(path, source), ["-copyts"]
    filters = loudness.filters() if loudness else []
    arguments = [*clock, *reading(path, source.demuxer), *graph.sound_arguments(source, filters)]
    await encoded(place, [graph.AUDIO_FOLDER], arguments, source.duration_s, on_percent)
    await asyncio.to_thread(shutil.rmtree, work / EVEN, ignore_errors=True)
    return place


async def _audible(path: Path, source: Source) -> tuple[Source, Loudness | None]:
    """The film as its first track of sound that is not silent is read, and how loud that is.

    Recorders write a track for each input, and the microphone need not be in the first.
    """
    first = loudness = await measure(path, source)
    if loudness is None or not loudness.is_silent:
        return source, loudness
    for index in source.other_sounds:
        other = replace(source, audio_index=index)
        loudness = await measure(path, other)
        if loudness and not loudness.is_silent:
            return other, loudness
    return source, first


async def _evened(path: Path, source: Source, work: Path) -> tuple[Path, Source]:
    """Stereo at one rate, where channels or rate change in the middle, and how to read that: it keeps the film's clock.

    ffmpeg begins its filters anew at such a change. The first ones had filled the sound up to the film's end by
    then, and what came after the change was thrown away: the film was silent from there on.

    Raises:
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    place = work / EVEN
    if not await asyncio.to_thread(place.is_dir):
        await _make(path, source, place)
    return place / EVEN_FILE, replace(source, demuxer=EVEN_DEMUXER, audio_index=0, audio_layout="")


async def _make(path: Path, source: Source, place: Path) -> None:
    with writing():
        attempt, lock = await asyncio.to_thread(new_attempt, place.parent, [])
        free = await asyncio.to_thread(shutil.disk_usage, attempt)
    try:
        needed = int(source.sound_s * EVEN_BYTES_PER_S) + LEAST_FREE_BYTES
        if free.free < needed:
            raise EncodingFailed(DISK_FULL, detail=f"{free.free} bytes free for sound of {needed}")
        stereo = "aformat=sample_fmts=s16:channel_layouts=stereo,atrim=start=0"
        steps = f"{graph.in_stereo(source)}aresample={graph.AUDIO_HZ},{stereo}"
        await ffmpeg(
            [*reading(path, source.demuxer),
             "-filter_complex", f"[0:{source.audio_index}]{steps}[even]",
             "-map", "[even]", "-c:a", "flac", "-bitexact", "-f", EVEN_DEMUXER, EVEN_FILE,
             *graph.beside(source, source.video_index)],
            film_s=source.duration_s,
            bounds=scaled(BOUNDS, source.duration_s, EVEN_CPU_PER_FILM_S),
            cwd=attempt,
        )  # fmt: skip
        with writing():
            await asyncio.to_thread(put_in_place, attempt, place)
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)
        os.close(lock)
