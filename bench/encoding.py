"""What the pipeline makes of a film, part by part without a database, with the CPU seconds that each step took."""

import asyncio
import resource
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from app.video.chunks import Chunk, cut
from app.video.encode import encode_chunk
from app.video.ladder import Ladder, plan
from app.video.passthrough import try_passthrough
from app.video.poster import make_posters, share_of
from app.video.probe import probe
from app.video.sound import encode_sound
from app.video.source import Source
from app.video.storyboard import make_storyboard
from app.video.verify import verify_chunk

Result = TypeVar("Result")


def cpu_s() -> float:
    """CPU seconds of every child that has ended so far; our encoders are children, and so are their guards."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class Made:
    """A film's parts in their folders, and the CPU seconds of each step."""

    source: Source
    ladder: Ladder
    sound: Path
    chunks: list[Path]
    steps_s: dict[str, float] = field(default_factory=dict)
    is_top_copied: bool = False

    @property
    def total_s(self) -> float:
        return sum(self.steps_s.values())


class Clock:
    def __init__(self) -> None:
        self.steps_s: dict[str, float] = {}

    async def timed(self, step: str, work: Awaitable[Result]) -> Result:
        before = cpu_s()
        result = await work
        self.steps_s[step] = self.steps_s.get(step, 0.0) + cpu_s() - before
        return result


def make(path: Path, work: Path) -> Made:
    """Everything a worker does for a film, from its check to its storyboard."""
    return asyncio.run(_make(path, work))


async def _make(path: Path, work: Path) -> Made:
    clock = Clock()
    source = await clock.timed("check", probe(path))
    ladder = plan(source)
    sound = await clock.timed("sound", encode_sound(path, source, work))
    parts: list[Path] = []
    is_copied = await clock.timed("top rung copied", try_passthrough(path, source, ladder, work))
    wanted, whole = cut(source, ladder), ladder
    ladder = ladder.below_top() if is_copied else ladder
    for chunk in wanted:
        place = await clock.timed("pictures", encode_chunk(path, source, ladder, chunk, work))
        await clock.timed("verify", verify_chunk(place, ladder))
        await clock.timed("posters", make_posters(place, ladder, place / "posters", share_of(len(wanted))))
        await clock.timed("storyboard", make_storyboard(place, ladder, chunk.number, place / "storyboard"))
        parts.append(place)
    return Made(source, whole, sound, parts, clock.steps_s, is_copied)


def encode(
    path: Path, source: Source, ladder: Ladder, chunks: tuple[Chunk, ...], work: Path
) -> tuple[list[Path], float]:
    """Folders of the chunks of a film's pictures, and the CPU seconds that they took."""

    async def all_of_them() -> list[Path]:
        return [await encode_chunk(path, source, ladder, chunk, work) for chunk in chunks]

    before = cpu_s()
    return asyncio.run(all_of_them()), cpu_s() - before
