"""Turn encoded renditions into a stream: our own playlists, measured, and one rename into place."""

import asyncio
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.video import hls, mp4
from app.video.encode import put_in_place
from app.video.graph import AUDIO_FOLDER, INIT, PLAYLIST
from app.video.ladder import Ladder
from app.video.renditions import Rendition
from app.video.source import faulty, writing

MASTER = "master.m3u8"


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


async def package(place: Path, ladder: Ladder) -> tuple[Packaged, ...]:
    """Write the media playlists and `master.m3u8` in `place`, from the sizes of the files there.

    Writing them again gives the same bytes. Returns the rungs, largest first.

    Raises:
        EncodingFailed: what was encoded is not whole (it is thrown away), or there is no space left.
    """
    try:
        with writing():
            return await asyncio.to_thread(_package, place, ladder)
    except (hls.Unreadable, mp4.Malformed, FileNotFoundError) as error:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        raise faulty("what was encoded is not whole", str(error)) from error


def _package(place: Path, ladder: Ladder) -> tuple[Packaged, ...]:
    heard = Rendition.load(place / AUDIO_FOLDER)
    _write(heard.folder / PLAYLIST, hls.media_playlist(heard.segments, INIT))
    sound = hls.Sound(
        uri=f"{AUDIO_FOLDER}/{PLAYLIST}",
        codec=mp4.codec_string(heard.init),
        channels=2,
        segments=heard.segments,
    )
    variants: list[hls.Variant] = []
    for rung in ladder.rungs:
        seen = Rendition.load(place / rung.folder)
        _write(seen.folder / PLAYLIST, hls.media_playlist(seen.segments, INIT))
        variants.append(
            hls.Variant(
                name=rung.name,
                uri=f"{rung.folder}/{PLAYLIST}",
                codec=mp4.codec_string(seen.init),
                width_px=rung.width_px,
                height_px=rung.height_px,
                fps=ladder.fps,
                segments=seen.segments,
            )
        )
    _write(place / MASTER, hls.master_playlist(variants, sound))
    return tuple(_packaged(variant, sound) for variant in variants)


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


async def publish(place: Path, final: Path) -> None:
    """Move a finished stream to `final`, durably and by one rename; done already is done.

    On another file system the stream is first copied beside `final`, so that the last step is a rename too.

    Raises:
        EncodingFailed: there is no space left.
    """
    with writing():
        await asyncio.to_thread(_publish, place, final)


def _publish(place: Path, final: Path) -> None:
    if final.is_dir():
        shutil.rmtree(place, ignore_errors=True)
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    if place.stat().st_dev != final.parent.stat().st_dev:
        beside = Path(tempfile.mkdtemp(prefix=".publish-", dir=final.parent))
        try:
            shutil.copytree(place, beside, dirs_exist_ok=True)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        shutil.rmtree(place)
        place = beside
    place.chmod(0o755)  # made private by mkdtemp, but the web server in front may be another user
    for path in (place, *place.rglob("*")):
        _flush(path)
    put_in_place(place, final)
    _flush(final.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, text: str) -> None:
    """Write and rename, so that nobody ever reads half a playlist."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    beside = Path(name)
    beside.chmod(0o644)
    beside.replace(path)
