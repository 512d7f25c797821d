"""The durable work that makes a stream of a source: check, encode, package, verify, publish; all of it repeatable."""

import asyncio
import errno
import logging
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from app import storage
from app.i18n import N_
from app.jobs import engine
from app.settings import get_settings
from app.video import packaging
from app.video.encode import ENCODED, encode
from app.video.ladder import plan
from app.video.packaging import MASTER, Packaged, package
from app.video.poster import make_poster
from app.video.probe import probe
from app.video.progress import Lost, Report, begin, end_failed, end_ready
from app.video.source import DISK_FULL, Source, Unusable, VideoError
from app.video.verify import verify

log = logging.getLogger("limber.video")
OURS = N_("Something went wrong on our side while converting this film. Please press “Try again”.")
NO_ROOM = N_("There is no space left to store this film. Make room, then press “Try again”.")
GONE = N_("The uploaded file is not there any more. Please upload the film again.")
FOLDER = "work"


def work_folder(video_id: str, attempt: int) -> Path:
    """Where this machine keeps what is half done; nothing in it is needed by anybody else."""
    return get_settings().data_dir / FOLDER / f"{video_id}-{attempt}"


def sentence(fault: Exception) -> str:
    """What a teacher is told when the tries are used up; the engine lists what went wrong in each of them."""
    tried = getattr(fault, "errors", [fault])
    last = tried[-1] if tried else fault
    if (isinstance(last, VideoError) and last.message == DISK_FULL) or (
        isinstance(last, OSError) and last.errno in (errno.ENOSPC, errno.EDQUOT)
    ):
        return NO_ROOM
    return OURS


@engine.workflow("transcode")
async def transcode(video_id: str, attempt: int) -> None:
    """Make version N+1 of a video's stream. Ends `ready`, or `failed` with its reason, once per attempt.

    A worker that dies is continued by another one; what it recorded is not done again, and files that only it had
    are made again.
    """
    version = await _begin(video_id, attempt)
    if version is None:
        return
    try:
        made = await _make(video_id, attempt)
        if "rungs" in made:
            await _publish(video_id, attempt, version, made)
            await _ready(video_id, attempt, version, made)
            await _clean(video_id, attempt)
            return
    except Lost:
        # A newer attempt has begun, or the video was deleted: what is half done belongs to nobody.
        await _clean(video_id, attempt)
        return
    except Exception as fault:
        # Whatever it was, a video must not stand at "encoding" for ever.
        log.exception("transcoding %s failed", video_id)
        made = {"message": sentence(fault), "params": {}}
    await _failed(video_id, attempt, made["message"], made["params"])
    await _clean(video_id, attempt)


@engine.step(tries=5)
async def _begin(video_id: str, attempt: int) -> int | None:
    return await begin(UUID(video_id), attempt)


@engine.step(tries=3, first_wait_s=5.0, final=(Lost,))
async def _make(video_id: str, attempt: int) -> dict[str, Any]:
    """The finished stream in this machine's work folder; or why there can be none (no retry helps then)."""
    try:
        source, rungs = await _produce(video_id, attempt)
    except Unusable as refusal:
        log.info("video %s cannot be used: %s", video_id, refusal.detail or refusal.message)
        return {"message": refusal.message, "params": refusal.params}
    except FileNotFoundError:
        log.exception("video %s: no source", video_id)
        return {"message": GONE, "params": {}}
    return {"source": source.to_json(), "rungs": [rung.to_json() for rung in rungs]}


async def _produce(video_id: str, attempt: int) -> tuple[Source, tuple[Packaged, ...]]:
    work = work_folder(video_id, attempt)
    report = Report(UUID(video_id), attempt)
    await report.say("checking")
    path = await _source_file(await report.source_key(), work)
    source = await probe(path)
    ladder = plan(source)
    async with report.percent("encoding", ladder.top.name) as on_percent:
        place = await encode(path, source, ladder, work, on_percent)
    await report.say("packaging")
    rungs = await package(place, ladder)
    await make_poster(place, ladder, place)
    await report.say("verifying")
    await verify(place, source, ladder)
    return source, rungs


async def _source_file(key: str, work: Path) -> Path:
    """The source on this machine's disk; fetched first when media is in S3.

    Raises:
        FileNotFoundError: when it is not there.
    """
    await asyncio.to_thread(work.mkdir, parents=True, exist_ok=True)
    local = storage.local_path(key)
    if local is not None:
        return local
    path = work / ("source" + Path(key).suffix)
    if await storage.size(key) == (path.stat().st_size if path.exists() else -1):
        return path
    with path.open("wb") as out:
        async for chunk in storage.read(key):
            await asyncio.to_thread(out.write, chunk)
    return path


@engine.step(tries=5, first_wait_s=2.0, final=(Lost,))
async def _publish(video_id: str, attempt: int, version: int, _made: dict[str, Any]) -> None:
    """Bring the stream to where it is served from; done already is done.

    Raises:
        OSError, VideoError: storage is full or away; tried again, then named.
    """
    prefix = f"videos/{video_id}/{version}"
    local = storage.local_path(prefix)
    if local is not None and await asyncio.to_thread(local.is_dir):
        return
    place = work_folder(video_id, attempt) / ENCODED
    if not await asyncio.to_thread((place / MASTER).is_file):
        # Another machine had made it, and is gone.
        await _produce(video_id, attempt)
    if local is not None:
        await packaging.publish(place, local)
        return
    files = [path for path in await asyncio.to_thread(lambda: sorted(place.rglob("*"))) if path.is_file()]
    # The master playlist last: nobody finds a stream whose segments are still on their way.
    for path in sorted(files, key=lambda path: path.name == MASTER):
        await storage.put(f"{prefix}/{path.relative_to(place).as_posix()}", path)


@engine.step(tries=5, final=(Lost,))
async def _ready(video_id: str, attempt: int, version: int, made: dict[str, Any]) -> None:
    await end_ready(UUID(video_id), attempt, version, Source.from_json(made["source"]), made["rungs"])


@engine.step(tries=5)
async def _failed(video_id: str, attempt: int, message: str, params: dict[str, Any]) -> None:
    await end_failed(UUID(video_id), attempt, VideoError(message, **params))


@engine.step(tries=2)
async def _clean(video_id: str, attempt: int) -> None:
    await asyncio.to_thread(shutil.rmtree, work_folder(video_id, attempt), ignore_errors=True)
