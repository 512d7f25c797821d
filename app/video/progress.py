"""What the worker writes about a video while it works: state, stage, percent, and how it ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app import db
from app.clock import utcnow
from app.video.models import Video
from app.video.source import Source, VideoError
from app.video.words import BUSY

TELL_EVERY_S = 0.5


class Lost(Exception):
    """The video was deleted, has ended by another hand, or a newer attempt began: this one may write no more."""


async def begin(video_id: UUID, attempt: int) -> bool:
    """Take the video up; False when it is not wanted any more."""
    async with db.transaction() as session:
        video = await session.get(Video, video_id, with_for_update=True)
        if video is None or video.attempt != attempt:
            return False
        video.state, video.stage, video.percent, video.changed_at = "checking", "", 0, utcnow()
        video.failure, video.failure_words = None, {}
        video.parts, video.begun_version = {}, 0
        return True


async def _write(video_id: UUID, attempt: int, *, only_busy: bool = False, **values: Any) -> None:
    """`only_busy`: not over an end. A worker that was paused and taken over may wake after the other has finished."""
    wanted = update(Video).where(Video.id == video_id, Video.attempt == attempt)
    if only_busy:
        wanted = wanted.where(Video.state.in_(BUSY))
    async with db.transaction() as session:
        written = await session.scalar(wanted.values(**values, changed_at=utcnow()).returning(Video.id))
    if written is None:
        raise Lost(str(video_id))


async def end_ready(
    video_id: UUID, attempt: int, source: Source, rungs: list[dict[str, Any]], poster_times: list[int]
) -> None:
    """What this attempt made is the version to watch. Running this twice changes nothing more.

    Raises:
        Lost: see `Lost`.
    """
    await _write(
        video_id,
        attempt,
        state="ready",
        stage="",
        percent=100,
        failure=None,
        failure_words={},
        version=attempt,
        begun_version=0,
        parts={},
        duration_s=source.duration_s,
        width_px=source.width_px,
        height_px=source.height_px,
        renditions=rungs,
        poster_times=poster_times,
        ready_at=utcnow(),
    )


async def end_failed(video_id: UUID, attempt: int, why: VideoError) -> None:
    """The reason stays with the video; an earlier version, where there is one, goes on playing."""
    with contextlib.suppress(Lost):
        await _write(
            video_id,
            attempt,
            only_busy=True,
            state="failed",
            stage="",
            begun_version=0,
            failure=why.reason,
            failure_words={"message": why.message, "params": why.params},
        )


class Report:
    """Tells the studio how far one attempt is."""

    def __init__(self, video_id: UUID, attempt: int) -> None:
        self.video_id = video_id
        self.attempt = attempt

    async def source_key(self) -> str:
        """Raises: Lost."""
        async with db.transaction() as session:
            video = await session.get(Video, self.video_id)
        if video is None or video.attempt != self.attempt or video.state not in BUSY:
            raise Lost(str(self.video_id))
        return video.source_key

    async def say(self, state: str, stage: str = "", percent: int | None = None) -> None:
        """Raises: Lost."""
        values: dict[str, Any] = {"state": state, "stage": stage}
        if percent is not None:
            values["percent"] = percent
        await _write(self.video_id, self.attempt, only_busy=True, **values)

    async def begun(self, until_s: float) -> None:
        """The beginning can be watched as far as this. Raises: Lost."""
        values = {"begun_version": self.attempt, "begun_s": until_s}
        await _write(self.video_id, self.attempt, only_busy=True, **values)

    async def part(self, number: int, percent: float) -> None:
        """How much of the whole, in percent, part `number` has done. Raises: Lost.

        A film of which another part waits goes on saying so: it is what somebody can do something about.
        """
        async with db.transaction() as session:
            video = await session.get(Video, self.video_id, with_for_update=True)
            if video is None or video.attempt != self.attempt or video.state not in BUSY:
                raise Lost(str(self.video_id))
            video.parts = {**video.parts, str(number): round(percent, 2)}
            video.percent = min(99, int(sum(video.parts.values())))
            video.changed_at = utcnow()
            if not video.stage:
                video.state = "encoding"

    @asynccontextmanager
    async def percent(self, number: int, share: float) -> AsyncIterator[Callable[[int], None]]:
        """A callback for percentages of part `number`, which is `share` (0 to 1) of the whole.

        Written twice a second at most; a lost attempt ends the block at once.

        Raises:
            Lost: while the block runs.
        """
        newest = 0

        def take(value: int) -> None:
            nonlocal newest
            newest = value

        async def tell() -> None:
            told = -1
            while True:
                if newest != told:
                    told = newest
                    await self.part(number, told * share)
                await asyncio.sleep(TELL_EVERY_S)

        try:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(tell())
                yield take
                telling.cancel()
        except BaseExceptionGroup as several:
            # One cause is one error: the group is how it was carried, not what happened.
            raise several.exceptions[0] from several
