"""The durable work that makes a stream of a film: checked, cut, encoded in parts by any worker, joined, published."""

import asyncio
import itertools
import logging
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app import jobs
from app.jobs import engine
from app.video import parts
from app.video.captions_files import publish_captions
from app.video.faults import sentence
from app.video.finishing import finish, show_beginning
from app.video.poster_files import keep_choice
from app.video.progress import Lost, Report, begin, end_failed, end_ready
from app.video.queueing import workflow_id
from app.video.removal import remove_version
from app.video.source import Source, Unusable, VideoError

log = logging.getLogger("limber.video")
# A part that finds no room, or no storage, is tried again after so many seconds, the last of them again and again.
WAITS_S = (10, 30, 60, 120, 300, 600)
MOST_WAITS = 150
Answer = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A share of a film's work, which any worker may do. Of all parts that wait the least urgency is begun first."""

    name: str
    urgency: int
    work: Callable[..., Awaitable[Answer]]
    args: tuple[Any, ...]


@engine.workflow("transcode")
async def transcode(video_id: str, attempt: int) -> None:
    """Make a new version of a video's stream. Ends `ready`, or `failed` with its reason, once per attempt.

    A worker that dies is continued by another one; what it recorded is not done again.
    """
    if not await _begin(video_id, attempt):
        return
    try:
        answer = await _make(video_id, attempt)
        if "rungs" in answer:
            await _ready(video_id, attempt, answer)
            await _captions(video_id, attempt)
    except Lost:
        # A newer attempt has begun, or the video was deleted: what is half done belongs to nobody.
        answer = {"lost": True}
    except Exception as fault:
        # Whatever it was, a video must not stand at "encoding" for ever.
        log.exception("transcoding %s failed", video_id)
        answer = {"message": sentence(fault), "params": {}}
    if "message" in answer:
        await _failed(video_id, attempt, answer["message"], answer["params"])
    await _clean(video_id, attempt, is_ready="rungs" in answer)


async def _make(video_id: str, attempt: int) -> Answer:
    """The finished stream's facts; or why there is none: `message`, or `lost` when nobody wants it any more."""
    film = (video_id, attempt)
    check = Part("plan", 1, parts.prepare, film)
    plan = await _result(film, check, await _queue(film, check))
    if "chunks" not in plan:
        return plan
    # A film's first chunks come before any other's later ones: a short film never waits behind a long one.
    wanted = [Part("sound", 1, parts.sound, (*film, plan))]
    if plan.get("passthrough"):
        wanted.append(Part("top", 1, parts.top_rung, (*film, plan)))
    wanted += [Part(f"chunk-{n}", n + 1, parts.chunk, (*film, plan, n)) for n in range(plan["chunks"])]
    queued = [(part, await _queue(film, part)) for part in wanted]
    done: list[Answer] = []
    for part, handle in queued:
        answer = await _result(film, part, handle)
        if "tracks" not in answer:
            return answer
        done.append(answer)
        if len(wanted) - plan["chunks"] < len(done) < len(wanted):
            await _grow(video_id, attempt, plan, done)
    return await _finish(video_id, attempt, plan, done)


async def _queue(film: tuple[str, int], part: Part, turn: int = 0) -> Any:
    name = f"{workflow_id(UUID(film[0]), film[1])}:{part.name}"
    return await engine.begin_part(
        jobs.ENCODE, part.work, f"{name}:{turn}" if turn else name, part.urgency, *part.args, turn
    )


async def _result(film: tuple[str, int], part: Part, handle: Any) -> Answer:
    """What a part found or made. While there is no room or no storage it stays queued, a day long."""
    for turn in itertools.count():
        answer: Answer = await engine.result_of(handle)
        if "waits" not in answer:
            return answer
        if turn >= MOST_WAITS:
            return {"message": answer["sentence"], "params": {}}
        await _wait(*film, answer["waits"])
        await engine.sleep(WAITS_S[min(turn, len(WAITS_S) - 1)])
        handle = await _queue(film, part, turn + 1)
    raise AssertionError


@engine.step(tries=5)
async def _begin(video_id: str, attempt: int) -> bool:
    return await begin(UUID(video_id), attempt)


@engine.step(tries=5, final=(Lost,))
async def _wait(video_id: str, attempt: int, reason: str) -> None:
    await Report(UUID(video_id), attempt).say("queued", reason)


@engine.step(tries=5, final=(Lost,))
async def _grow(video_id: str, attempt: int, plan: Answer, done: list[Answer]) -> None:
    await show_beginning(video_id, attempt, plan, done)


@engine.step(tries=5, first_wait_s=2.0, final=(Lost,))
async def _finish(video_id: str, attempt: int, plan: Answer, done: list[Answer]) -> Answer:
    try:
        return await finish(video_id, attempt, plan, done)
    except Unusable as refusal:
        return {"message": refusal.message, "params": refusal.params}


@engine.step(tries=5, final=(Lost,))
async def _ready(video_id: str, attempt: int, made: Answer) -> None:
    source = Source.from_json(made["source"])
    await end_ready(UUID(video_id), attempt, source, made["rungs"], made["posters"])


@engine.step(tries=5)
async def _captions(video_id: str, attempt: int) -> None:
    """Once more: what was changed between the stream's end and its showing was written beside the older one."""
    await publish_captions(UUID(video_id), attempt)
    await keep_choice(UUID(video_id), attempt)


@engine.step(tries=5)
async def _failed(video_id: str, attempt: int, message: str, params: dict[str, Any]) -> None:
    await end_failed(UUID(video_id), attempt, VideoError(message, **params))


@engine.step(tries=2)
async def _clean(video_id: str, attempt: int, *, is_ready: bool) -> None:
    if not is_ready:
        await remove_version(video_id, attempt)
    await asyncio.to_thread(shutil.rmtree, parts.work_folder(video_id, attempt), ignore_errors=True)
