"""The one way for tests to make a whole stream of a source in a folder: probe, plan, encode, join, package, verify."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from app.video.chunks import cut
from app.video.encode import encode_chunk
from app.video.graph import AUDIO_FOLDER
from app.video.ladder import Ladder, plan
from app.video.packaging import Packaged, Track, join, playlists, track_in
from app.video.probe import probe
from app.video.remux import as_copied, same_copy, try_copy
from app.video.sound import encode_sound
from app.video.source import Source
from app.video.verify import check_lengths, verify_chunk


async def make_stream(path: Path, work: Path) -> tuple[Source, Ladder, Path]:
    """What the film at `path` is, its ladder, and the folder that holds its `master.m3u8`.

    Raises:
        Unusable: it cannot become a stream.
        EncodingFailed: this machine failed.
    """
    source = await probe(path)
    ladder = plan(source)
    place = await encode_film(path, source, ladder, work)
    await verify_film(place, source, ladder)
    return source, ladder, place


async def encode_film(
    path: Path,
    source: Source,
    ladder: Ladder,
    work: Path,
    on_percent: Callable[[int], None] | None = None,
) -> Path:
    """Every part after the other, joined in `work/whole` with their playlists; progress is that of the last."""
    place = work / "whole"
    folders = [rung.folder for rung in ladder.rungs]
    sound = await encode_sound(path, source, work)
    tracks = {AUDIO_FOLDER: track_in(sound, AUDIO_FOLDER)}
    await asyncio.to_thread(shutil.copytree, sound, place)
    chunks: dict[str, list[Track]] = {folder: [] for folder in folders}
    copy = await try_copy(path, source, work)
    read = as_copied(source) if copy else source
    film = await same_copy(path, source, work, copy) if copy else path
    for chunk in cut(source, ladder, is_copied=copy is not None):
        done = await encode_chunk(film, read, ladder, chunk, work, on_percent)
        await verify_chunk(done, ladder)
        for folder in folders:
            chunks[folder].append(track_in(done, folder))
        await asyncio.to_thread(shutil.copytree, done, place, dirs_exist_ok=True)
    for folder in folders:
        tracks[folder] = join(chunks[folder])
    write_playlists(place, ladder, tracks)
    return place


def write_playlists(place: Path, ladder: Ladder, tracks: dict[str, Track]) -> tuple[Packaged, ...]:
    texts, rungs = playlists(ladder, tracks)
    for name, text in texts.items():
        (place / name).write_text(text)
    return rungs


def tracks_of(place: Path, ladder: Ladder) -> dict[str, Track]:
    """What lies in a folder, measured again."""
    return {folder: track_in(place, folder) for folder in (AUDIO_FOLDER, *(r.folder for r in ladder.rungs))}


async def verify_film(place: Path, source: Source, ladder: Ladder) -> None:
    """
    Raises:
        Unusable, EncodingFailed: something is not as it should be.
    """
    await verify_chunk(place, ladder)
    check_lengths(tracks_of(place, ladder).values(), source, ladder)
