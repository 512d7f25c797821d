"""Turn encoded parts into one stream: measured segments joined, our own playlists, files where they are served."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import psutil

from app import storage
from app.video import hls, mp4
from app.video.graph import AUDIO_FOLDER, INIT, PLAYLIST
from app.video.ladder import Ladder
from app.video.renditions import Rendition
from app.video.source import faulty, writing

MASTER = "master.m3u8"


@dataclass(frozen=True)
class Track:
    """The segments of one rendition, or of a chunk of it, as measured; times in ticks of `timescale`."""

    folder: str
    codec: str
    init_sha256: str
    timescale: int
    start: int
    duration: int
    segments: tuple[hls.Segment, ...]

    @property
    def duration_s(self) -> float:
        return self.duration / self.timescale

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        segments = tuple(hls.Segment(**segment) for segment in facts["segments"])
        return cls(**{**facts, "segments": segments})


@dataclass(frozen=True)
class Packaged:
    """One rung as it is offered. Bit rates include the sound and are as measured."""

    name: str
    folder: str
    width_px: int
    height_px: int
    fps: float
    codecs: str
    bandwidth_bps: int
    average_bps: int
    size_bytes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def track_in(place: Path, folder: str) -> Track:
    """What was encoded into `place/folder`; each segment's length by its own samples.

    Raises:
        EncodingFailed: it is not whole.
    """
    try:
        rendition = Rendition.load(place / folder)
        init = rendition.init
        ticks = mp4.timescale(init)
        parts = [mp4.fragment(rendition.folder / segment.uri, init) for segment in rendition.segments]
        segments = tuple(
            replace(segment, duration_s=part.duration / ticks)
            for segment, part in zip(rendition.segments, parts, strict=True)
        )
        return Track(
            folder=folder,
            codec=mp4.codec_string(init),
            init_sha256=hashlib.sha256(init).hexdigest(),
            timescale=ticks,
            start=parts[0].decode_start,
            duration=sum(part.duration for part in parts),
            segments=segments,
        )
    except (hls.Unreadable, mp4.Malformed, OSError, IndexError) as error:
        raise faulty(f"{folder} is not whole", str(error)) from error


def join(chunks: Sequence[Track]) -> Track:
    """One rendition of its chunks, which follow one another to the tick.

    Raises:
        EncodingFailed: there is a gap, or they were not encoded alike.
    """
    first, at = chunks[0], chunks[0].start
    for chunk in chunks:
        if (chunk.folder, chunk.init_sha256) != (first.folder, first.init_sha256):
            # Every segment is decoded by the one initialisation file.
            raise faulty("chunks were encoded by different releases of ffmpeg or Limber", first.folder)
        if chunk.start != at:
            raise faulty(f"{first.folder} has a seam", f"{chunk.segments[0].uri}: {chunk.start}, not {at}")
        at += chunk.duration
    segments = tuple(segment for chunk in chunks for segment in chunk.segments)
    return replace(first, duration=at - first.start, segments=segments)


def playlists(
    ladder: Ladder, tracks: Mapping[str, Track], *, has_grown: bool = False, is_whole: bool = True
) -> tuple[dict[str, str], tuple[Packaged, ...]]:
    """The text of every playlist by its path, the master last, and the rungs, largest first.

    `tracks` are the renditions by folder. Not whole: what there is so far, in playlists that grow.
    """
    texts = {
        f"{track.folder}/{PLAYLIST}": hls.media_playlist(
            track.segments, INIT, has_grown=has_grown, is_whole=is_whole
        )
        for track in tracks.values()
    }
    heard = tracks[AUDIO_FOLDER]
    sound = hls.Sound(f"{AUDIO_FOLDER}/{PLAYLIST}", heard.codec, 2, heard.segments)
    variants = [
        hls.Variant(
            name=rung.name,
            uri=f"{rung.folder}/{PLAYLIST}",
            codec=tracks[rung.folder].codec,
            width_px=rung.width_px,
            height_px=rung.height_px,
            fps=ladder.fps,
            segments=tracks[rung.folder].segments,
        )
        for rung in ladder.rungs
    ]
    texts[MASTER] = hls.master_playlist(variants, sound)
    return texts, tuple(_packaged(variant, sound) for variant in variants)


def _packaged(variant: hls.Variant, sound: hls.Sound) -> Packaged:
    return Packaged(
        name=variant.name,
        folder=variant.uri.split("/")[0],
        width_px=variant.width_px,
        height_px=variant.height_px,
        fps=round(variant.fps, 3),
        codecs=f"{variant.codec},{sound.codec}",
        bandwidth_bps=hls.bandwidth_bps(variant, sound),
        average_bps=hls.average_bandwidth_bps(variant, sound),
        size_bytes=sum(segment.size_bytes for segment in variant.segments),
    )


async def deliver(place: Path, prefix: str) -> None:
    """Bring every file of an encoded part to where it is served from, except ffmpeg's own playlists.

    Doing it again puts the same files there. On disk each appears by one rename and is durable when this returns.

    Raises:
        EncodingFailed: there is no space left.
    """
    found = await asyncio.to_thread(lambda: sorted(path for path in place.rglob("*") if path.is_file()))
    wanted = [path for path in found if path.name != PLAYLIST]
    for path in wanted:
        await _put(f"{prefix}/{path.relative_to(place).as_posix()}", path)
    await _remove_halves({f"{prefix}/{path.parent.relative_to(place).as_posix()}" for path in wanted})


async def write(prefix: str, texts: Mapping[str, str]) -> None:
    """Put playlists beside the segments that they name, in their order. Nobody ever reads half a one.

    Raises:
        EncodingFailed: there is no space left.
    """
    for name, text in texts.items():
        await _put(f"{prefix}/{name}", text.encode())
    await _remove_halves({f"{prefix}/{name}".rpartition("/")[0] for name in texts})


async def put(key: str, data: Path | bytes) -> None:
    """
    Raises:
        EncodingFailed: there is no space left.
    """
    await _put(key, data)
    await _remove_halves({key.rpartition("/")[0]})


async def _put(key: str, data: Path | bytes) -> None:
    place = storage.local_path(key)
    with writing():
        if place is None:
            await storage.put(key, data)
        else:
            await asyncio.to_thread(_put_locally, data, place)


def _put_locally(data: Path | bytes, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    # Of this write alone: two of one process may put the same file (a poster that is chosen twice in a moment).
    beside = place.with_name(f".{place.name}.{secrets.token_hex(4)}.{os.getpid()}.part")
    try:
        if isinstance(data, bytes):
            beside.write_bytes(data)
        else:
            # The part itself stays where it is until all of it is delivered: a link costs nothing.
            _link_or_copy(data, beside)
        beside.chmod(0o644)
        _flush(beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
    _flush(place.parent)


async def _remove_halves(folders: Iterable[str]) -> None:
    """Whoever was killed while it wrote a file left a half one beside it, for ever."""
    for folder in folders:
        place = storage.local_path(folder)
        if place is not None:
            await asyncio.to_thread(_remove_halves_in, place)


def _remove_halves_in(place: Path) -> None:
    for half in place.glob(".*.part"):
        pid = half.name.split(".")[-2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            half.unlink(missing_ok=True)


def _link_or_copy(data: Path, beside: Path) -> None:
    beside.unlink(missing_ok=True)
    try:
        os.link(data, beside)
    except OSError:
        # Another file system, or one without links.
        with data.open("rb") as source, beside.open("wb") as out:
            while block := source.read(2**20):
                out.write(block)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
