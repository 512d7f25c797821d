"""`resume`: what is done again after kill -9 of the worker at a random moment, and whether the film stays the same."""

import asyncio
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from app.video.ffmpeg import binary
from bench.workers import frames, start_worker
from bench.workshop import workshop

RUNS = 20
GOAL = 1.0
LENGTH_S = 110
LEAST_CHUNKS = 3
ENDS_WITHIN_S = 120
# Whole runs only: on a machine too slow for all of them, as many as fit are told, and the goal is not met.
MOST_S = 460
FIRST_SEGMENT = re.compile(r"-start_number (\d+)")


@dataclass
class Seen:
    """What the runs showed: parts begun again in each, whether frames were equal, and when each was killed."""

    redone: list[int] = field(default_factory=list)
    equal: int = 0
    killed_at: list[str] = field(default_factory=list)


def note_runs(folder: Path) -> tuple[Path, Path]:
    """A program that becomes ffmpeg after it has noted its arguments, and where it notes them."""
    program, log = folder / "ffmpeg", folder / "runs"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$PWD $*" >> {log}\nexec {binary()} "$@"\n')
    program.chmod(0o755)
    log.touch()
    return program, log


def begun(log: Path, video_id: UUID) -> Counter[str]:
    """How often the encoding of each part of a film was begun, by its folder and first segment."""
    found: Counter[str] = Counter()
    for line in log.read_text().splitlines():
        if (
            f"/{video_id}-" in line
            and "-hls_segment_filename" in line
            and (first := FIRST_SEGMENT.search(line))
        ):
            kind = "sound" if "-hls_segment_filename a/" in line else "pictures"
            found[f"{kind} from {first[1]}"] += 1
    return found


async def add_film(path: Path, size_bytes: int) -> UUID:
    """A film as it is after the last byte of its upload."""
    from app import db
    from app.settings import get_settings
    from app.video import queueing, upload_parts
    from app.video.models import Video

    async with db.transaction() as session:
        video = Video(title="Film", source_filename=path.name, source_key="", source_bytes=size_bytes)
        session.add(video)
        await session.flush()
        video.source_key = upload_parts.source_key(video.id, path.name)
        place = get_settings().media_dir / video.source_key
        place.parent.mkdir(parents=True)
        shutil.copy(path, place)
        await queueing.enqueue_transcode(session, video.id, video.attempt)
    return video.id


async def state_of(video_id: UUID) -> str:
    from app import db
    from app.video.models import Video

    async with db.transaction() as session:
        return (await session.get_one(Video, video_id)).state


async def until(video_id: UUID, states: set[str], within_s: float = ENDS_WITHIN_S) -> str:
    """
    Raises:
        RuntimeError: it does not come to one of these states.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if (state := await state_of(video_id)) in states:
            return state
        await asyncio.sleep(0.02)
    raise RuntimeError(f"the film is still {state}")


async def begin(film: Path, small: Path) -> tuple[UUID, float]:
    """A film that a worker has taken up, and when. A small one before it waits for the workers to start."""
    await until(await add_film(small, (await asyncio.to_thread(small.stat)).st_size), {"ready", "failed"})
    video_id = await add_film(film, (await asyncio.to_thread(film.stat)).st_size)
    await until(video_id, {"checking", "encoding"})
    return video_id, time.monotonic()


def kill(worker: subprocess.Popen[bytes]) -> None:
    """The worker and all that it started, at once."""
    family = [worker.pid, *(child.pid for child in psutil.Process(worker.pid).children(recursive=True))]
    for pid in family:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    worker.wait(30)


class Studio:
    """One database, one data folder, one worker at a time; the one that went on with a film begins the next."""

    def __init__(self, database_url: str, scratch: Path, film: Path) -> None:
        self.database_url, self.film, self.size_bytes = database_url, film, film.stat().st_size
        program, self.log = note_runs(scratch)
        self.media = scratch / "media"
        self.environment = {"IMAGEIO_FFMPEG_EXE": str(program)}
        self.worker = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return start_worker(self.database_url, **self.environment)

    async def undisturbed(self) -> tuple[dict[str, list[str]], float, Counter[str]]:
        """A film's frames, the seconds from its first state to its last, and what was begun for it."""
        video_id = await add_film(self.film, self.size_bytes)
        await until(video_id, {"checking", "encoding"})
        started = time.monotonic()
        if await until(video_id, {"ready", "failed"}) != "ready":
            raise RuntimeError("the undisturbed film failed")
        took = time.monotonic() - started
        return self._frames(video_id), took, begun(self.log, video_id)

    async def disturbed(self, after_s: float) -> tuple[dict[str, list[str]], int, str]:
        """Frames of a film whose worker was killed so long after its beginning; parts begun again; its state then."""
        video_id = await add_film(self.film, self.size_bytes)
        await until(video_id, {"checking", "encoding"})
        await asyncio.sleep(after_s)
        kill(self.worker)
        state = await state_of(video_id)
        self.worker = self._start()
        if await until(video_id, {"ready", "failed"}) != "ready":
            return {}, 0, state
        return self._frames(video_id), sum(n - 1 for n in begun(self.log, video_id).values()), state

    def _frames(self, video_id: UUID) -> dict[str, list[str]]:
        found = frames(self.media / "videos" / str(video_id) / "1")
        shutil.rmtree(self.media / "videos" / str(video_id))
        return found

    def close(self) -> None:
        kill(self.worker)


async def rounds(studio: Studio, seed: int) -> Seen:
    chance, seen, began = random.Random(seed), Seen(), time.monotonic()
    # The first film waits for the worker to start, and for what is loaded once.
    await studio.undisturbed()
    expected, took, parts = await studio.undisturbed()
    if len(parts) < LEAST_CHUNKS + 1 or set(parts.values()) != {1}:
        raise RuntimeError(f"the undisturbed film's parts were not each begun once: {dict(parts)}")
    while len(seen.redone) < RUNS and time.monotonic() - began < MOST_S:
        after_s = chance.uniform(0, took)
        made, redone, state = await studio.disturbed(after_s)
        seen.redone.append(redone)
        seen.equal += made == expected
        seen.killed_at.append(f"{after_s:.1f} s {state}")
        print(
            f"killed at {after_s:.1f} of {took:.1f} s ({state}): {redone} redone, equal: {made == expected}",
            file=sys.stderr,
        )
    return seen


def make_film(path: Path) -> None:
    source = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r=12:d={LENGTH_S}"]
    sound = ["-f", "lavfi", "-i", f"sine=440:d={LENGTH_S}:r=48000"]
    codec = ["-c:v", "libx264", "-preset", "veryfast", "-g", "250", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([binary(), "-v", "error", "-nostdin", *source, *sound, *codec, str(path)], check=True)


async def measured(database_url: str, scratch: Path, film: Path, seed: int) -> Seen:
    from app import db

    db.open_database(database_url, pool_size=2)
    studio = Studio(database_url, scratch, film)
    try:
        return await rounds(studio, seed)
    finally:
        studio.close()
        await db.close_database()


def run() -> dict[str, Any]:
    """Kill twenty times, in a database and a folder of its own; five to eight minutes. RESUME_SEED repeats a run."""
    seed = int(os.environ.get("RESUME_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed {seed}", file=sys.stderr)
    with workshop() as (database_url, folder):
        film = folder / "film.mp4"
        make_film(film)
        seen = asyncio.run(measured(database_url, folder, film, seed))
    return told(seen, seed)


def told(seen: Seen, seed: int) -> dict[str, Any]:
    """`ratio` is the most parts that one kill had begun again, of the one that may be."""
    worst = max(seen.redone)
    return {
        "ratio": worst / 1,
        "goal": GOAL,
        "met": worst <= GOAL and seen.equal == len(seen.redone) == RUNS,
        "runs": len(seen.redone),
        "equal": seen.equal,
        "redone_worst": worst,
        "redone_mean": round(sum(seen.redone) / len(seen.redone), 2),
        "killed": seen.killed_at,
        "seed": seed,
    }
