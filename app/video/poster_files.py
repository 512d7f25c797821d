"""Posters in storage: those that a finished stream offers, the one that stays chosen, and own pictures that go."""

import asyncio
import io
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from uuid import UUID

from PIL import Image
from sqlalchemy import select

from app import db, storage
from app.jobs import engine
from app.video import hls, poster, poster_rules
from app.video.graph import INIT, PLAYLIST
from app.video.hls import Segment
from app.video.models import Video
from app.video.packaging import put
from app.video.poster_rules import NAMES, POSTERS, SMALL_POSTER
from app.video.removal import delete_folder
from app.video.renditions import Rendition


async def settle(video_id: UUID, place: str, folder: str, segments: Sequence[Segment]) -> list[int]:
    """Of the pictures that the chunks left, keep the few that are offered; their times in ms, the most typical first.

    That one becomes the stream's own `poster.jpg`. A time that the teacher has chosen is among them.
    `place`: where the stream lies; `folder`, `segments`: its largest rendition. May be repeated.

    Raises:
        EncodingFailed: there is no space left.
    """
    found = await _times(place)
    small = await asyncio.gather(*(storage.get(f"{place}/{POSTERS}/{at}/{SMALL_POSTER}") for at in found))
    picked = await asyncio.to_thread(_pick, small)
    for name in NAMES:
        await put(f"{place}/{name}", await storage.get(f"{place}/{POSTERS}/{found[picked[0]]}/{name}"))
    kept = [found[n] for n in picked]
    wanted = await _chosen_ms(video_id)
    if wanted is not None and wanted not in kept:
        taken = await _take(place, folder, segments, wanted)
        kept = list(dict.fromkeys([*kept, taken]))
    for at in found:
        if at not in kept:
            await delete_folder(f"{place}/{POSTERS}/{at}")
    return kept


async def _times(place: str) -> list[int]:
    """Of the pictures there in both sizes."""
    held: dict[int, int] = {}
    for key in await storage.sizes(f"{place}/{POSTERS}/"):
        at, _, name = key.removeprefix(f"{place}/{POSTERS}/").partition("/")
        if at.isdecimal() and name in NAMES:
            held[int(at)] = held.get(int(at), 0) + 1
    return sorted(at for at, files in held.items() if files == len(NAMES))


def _pick(small: Sequence[bytes]) -> list[int]:
    return poster.candidates([_thumb(data) for data in small], poster.MOST)


def _thumb(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("L").resize(poster.THUMB)


async def _chosen_ms(video_id: UUID) -> int | None:
    async with db.transaction() as session:
        row = await session.get(Video, video_id)
    return row.poster_at_ms if row is not None and row.poster_choice == poster_rules.TIME else None


async def _take(place: str, folder: str, segments: Sequence[Segment], at_ms: int) -> int:
    """Take the picture that is nearest to a time from a stored stream; its own time."""
    begins_s, chosen = 0.0, segments[0]
    for segment in segments:
        if begins_s * 1000 > at_ms:
            break
        chosen, begins_s = segment, begins_s + segment.duration_s
    with tempfile.TemporaryDirectory(prefix="limber-poster-") as name:
        here = Path(name)
        for file in (INIT, chosen.uri):
            (here / file).write_bytes(await storage.get(f"{place}/{folder}/{file}"))
        taken = await poster.take(Rendition(here, (chosen,)), [Fraction(at_ms, 1000)], here)
        found_ms, pictures = next(iter(taken.items()))
        for size in NAMES:
            await put(f"{place}/{POSTERS}/{found_ms}/{size}", pictures / size)
    return found_ms


async def keep_choice(video_id: UUID, version: int) -> None:
    """Once more when a stream is shown: a time may have been chosen in the older one since it was finished."""
    async with db.transaction() as session:
        row = await session.get(Video, video_id)
    if row is None or row.version != version or not row.renditions:
        return
    wanted = row.poster_at_ms
    if row.poster_choice != poster_rules.TIME or wanted is None or wanted in row.poster_times:
        return
    place, folder = f"videos/{video_id}/{version}", str(row.renditions[0]["folder"])
    playlist = (await storage.get(f"{place}/{folder}/{PLAYLIST}")).decode()
    found_ms = await _take(place, folder, hls.parse_media(playlist), wanted)
    async with db.transaction() as session:
        row = await session.get(Video, video_id, with_for_update=True)
        if row is None or row.version != version:
            return
        if found_ms in row.poster_times and (row.poster_at_ms != wanted or found_ms == wanted):
            return  # This was begun twice (a worker that came back), and the other was quicker.
        row.poster_times = list(dict.fromkeys([*row.poster_times, found_ms]))
        row.poster_version += 1
        if row.poster_at_ms == wanted:
            row.poster_at_ms = found_ms


@engine.workflow("remove_own_poster")
async def remove_own_poster(video_id: str, name: str) -> None:
    """An own picture that another one replaced, or that was taken away."""
    await _remove_own(video_id, name)


@engine.step(tries=8, first_wait_s=2.0)
async def _remove_own(video_id: str, name: str) -> None:
    async with db.transaction() as session:
        current = await session.scalar(select(Video.poster_own).where(Video.id == UUID(video_id)))
    if current != name:
        await delete_folder(poster_rules.own_folder(video_id, name))
