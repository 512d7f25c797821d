"""The parts of a film's work, each done by whichever worker is free: its check and plan, its sound, each chunk."""

import asyncio
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from app import storage
from app.jobs import engine
from app.settings import get_settings
from app.video import encode, remux
from app.video.chunks import cut
from app.video.faults import GONE, sentence, waits_for
from app.video.graph import AUDIO_FOLDER
from app.video.ladder import Ladder, plan
from app.video.packaging import deliver, track_in
from app.video.passthrough import passthrough, try_passthrough
from app.video.poster import make_posters, share_of
from app.video.poster_rules import POSTERS
from app.video.probe import probe
from app.video.progress import Lost, Report
from app.video.removal import remove_version
from app.video.sound import encode_sound
from app.video.source import Source, Unusable, writing
from app.video.storyboard import FOLDER as STORYBOARD
from app.video.storyboard import make_storyboard
from app.video.verify import verify_chunk

log = logging.getLogger("limber.video")
FOLDER = "work"
# Of all the work on a film, in percent: the rest is its pictures.
SOUND_SHARE = 0.03
SOUND_NUMBER = -1
Answer = dict[str, Any]


def work_folder(video_id: str, attempt: int) -> Path:
    """Where this machine keeps what is half done; nothing in it is needed by anybody else."""
    return get_settings().data_dir / FOLDER / f"{video_id}-{attempt}"


def prefix(video_id: str, attempt: int) -> str:
    """Where the stream of an attempt is served from."""
    return f"videos/{video_id}/{attempt}"


async def _answered(video_id: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """What the work made; or the reason why not, when another try at once gives no other answer."""
    try:
        return await work()
    except Lost:
        return {"lost": True}
    except Unusable as refusal:
        log.info("video %s cannot be used: %s", video_id, refusal.detail or refusal.message)
        return {"message": refusal.message, "params": refusal.params}
    except Exception as fault:
        # The engine has tried it some times by now; the film says what came of it.
        missing = waits_for(fault)
        log.exception("video %s: a part of its work failed", video_id)
        if missing is None:
            return {"message": sentence(fault), "params": {}}
        return {"waits": missing, "sentence": sentence(fault)}


@engine.workflow("prepare_film")
async def prepare(video_id: str, attempt: int, _turn: int = 0) -> Answer:
    """`source`, `ladder` and the number of `chunks`; `copy`, what a copy holds from which they are read.

    `passthrough`: whether the source's own pictures are the top rung.
    """
    return await _answered(video_id, lambda: _prepare(video_id, attempt))


@engine.workflow("encode_sound")
async def sound(video_id: str, attempt: int, plan: Answer, turn: int = 0) -> Answer:
    """The whole film's sound at its place; `tracks` as measured."""
    return await _answered(video_id, lambda: _sound(video_id, attempt, plan, turn))


@engine.workflow("pass_top_rung")
async def top_rung(video_id: str, attempt: int, plan: Answer, turn: int = 0) -> Answer:
    """The source's own pictures at their place, as the top rung; `tracks` as measured."""
    return await _answered(video_id, lambda: _top_rung(video_id, attempt, plan, turn))


@engine.workflow("encode_chunk")
async def chunk(video_id: str, attempt: int, plan: Answer, number: int, turn: int = 0) -> Answer:
    """Every rung of one chunk that is encoded at its place; `tracks` as measured, and the chunk's `storyboard`."""
    return await _answered(video_id, lambda: _chunk(video_id, attempt, plan, number, turn))


@engine.step(tries=3, first_wait_s=2.0, final=(Lost, Unusable))
async def _prepare(video_id: str, attempt: int) -> Answer:
    report = Report(UUID(video_id), attempt)
    await report.say("checking")
    work = work_folder(video_id, attempt)
    path = await source_file(await report.source_key(), work)
    source = await probe(path)
    ladder, copy = plan(source), await remux.try_copy(path, source, work)
    return {
        "source": source.to_json(),
        "ladder": ladder.to_json(),
        "chunks": len(cut(source, ladder, is_copied=copy is not None)),
        "copy": copy.to_json() if copy else None,
        "passthrough": await try_passthrough(path, source, ladder, work),
    }


@engine.step(tries=3, first_wait_s=5.0, final=(Lost, Unusable))
async def _sound(video_id: str, attempt: int, plan: Answer, turn: int = 0) -> Answer:
    source = Source.from_json(plan["source"])
    work, report = work_folder(video_id, attempt), Report(UUID(video_id), attempt)
    path = await _taken_up(report, work, turn)
    async with report.percent(SOUND_NUMBER, SOUND_SHARE) as on_percent:
        place = await encode_sound(path, source, work, on_percent)
    return await _delivered(video_id, attempt, place, [AUDIO_FOLDER])


@engine.step(tries=3, first_wait_s=5.0, final=(Lost, Unusable))
async def _top_rung(video_id: str, attempt: int, plan: Answer, turn: int = 0) -> Answer:
    source, ladder = Source.from_json(plan["source"]), Ladder.from_json(plan["ladder"])
    work = work_folder(video_id, attempt)
    path = await _taken_up(Report(UUID(video_id), attempt), work, turn)
    place = await passthrough(path, source, ladder, work)
    return await _delivered(video_id, attempt, place, [ladder.top.folder])


@engine.step(tries=3, first_wait_s=5.0, final=(Lost, Unusable))
async def _chunk(video_id: str, attempt: int, plan: Answer, number: int, turn: int = 0) -> Answer:
    source, ladder = Source.from_json(plan["source"]), Ladder.from_json(plan["ladder"])
    work, report = work_folder(video_id, attempt), Report(UUID(video_id), attempt)
    # Plans of older releases name neither.
    copy = plan.get("copy")
    if plan.get("passthrough"):
        ladder = ladder.below_top()
    wanted = cut(source, ladder, is_copied=copy is not None)[number]
    path = await _taken_up(report, work, turn)
    if copy:
        path = await remux.same_copy(path, source, work, remux.Copy.from_json(copy))
        source = remux.as_copied(source)
    share = (1 - SOUND_SHARE) * wanted.length_s(source.duration_s) / source.duration_s
    async with report.percent(number, share) as on_percent:
        place = await encode.encode_chunk(path, source, ladder, wanted, work, on_percent)
    await verify_chunk(place, ladder)
    await make_posters(place, ladder, place / POSTERS, share_of(plan["chunks"]))
    board = await make_storyboard(place, ladder, number, place / STORYBOARD)
    await report.part(number, 100 * share)
    delivered = await _delivered(video_id, attempt, place, [rung.folder for rung in ladder.rungs])
    return {**delivered, "storyboard": board.to_json()}


async def _taken_up(report: Report, work: Path, turn: int) -> Path:
    """The source, for a part that begins; of one that has waited (`turn`), nothing is waited for any more.

    Raises: as `Report.source_key` and `source_file`.
    """
    if turn:
        await report.say("encoding")
    return await source_file(await report.source_key(), work)


async def _delivered(video_id: str, attempt: int, place: Path, folders: list[str]) -> Answer:
    tracks = [await asyncio.to_thread(track_in, place, folder) for folder in folders]
    await deliver(place, prefix(video_id, attempt))
    await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
    try:
        await Report(UUID(video_id), attempt).source_key()
    except Lost:
        # Stopped or deleted while this was delivered: whoever cleaned up may have come too early for it.
        await remove_version(video_id, attempt)
        raise
    return {"tracks": [track.to_json() for track in tracks]}


async def source_file(key: str, work: Path) -> Path:
    """The source on this machine's disk; fetched first when media is in S3, once for all parts done here.

    Raises:
        Unusable: it is not there.
        EncodingFailed: there is no space left.
    """
    with writing():
        await asyncio.to_thread(work.mkdir, parents=True, exist_ok=True)
    path = storage.local_path(key)
    if path is not None:
        if not await asyncio.to_thread(path.is_file):
            raise Unusable(GONE)
        return path
    path = work / ("source" + Path(key).suffix)
    if await asyncio.to_thread(path.is_file):
        return path
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with writing(), beside.open("wb") as out:
            async for block in storage.read(key):
                await asyncio.to_thread(out.write, block)
    except FileNotFoundError as error:
        raise Unusable(GONE) from error
    await asyncio.to_thread(beside.replace, path)
    return path
