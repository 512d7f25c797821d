"""Run one untrusted program inside bounds of CPU, memory, disk and time, and end it whatever happens."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent.parent
LEASH = Path(__file__).with_name("leash.py")
TAIL_LINES = 48
LOOK_S = 0.5


@dataclass(frozen=True)
class Bounds:
    """How much a child may take. `stall_s` is how long it may go without `on_line` reporting an advance."""

    cpu_s: int
    wall_s: float
    stall_s: float
    memory_bytes: int = 6 * 2**30
    file_bytes: int = 64 * 2**30
    nice: int = 10


@dataclass(frozen=True)
class Ended:
    """How a child ended: `why` is `exit` when it ended by itself (a signal gives a negative `code`)."""

    code: int
    why: Literal["exit", "wall", "stall"]
    last_words: str

    @property
    def ok(self) -> bool:
        return self.why == "exit" and self.code == 0


@dataclass
class _Clock:
    started: float
    advanced: float

    def verdict(self, bounds: Bounds) -> Literal["wall", "stall"] | None:
        now = time.monotonic()
        if now - self.started > bounds.wall_s:
            return "wall"
        return "stall" if now - self.advanced > bounds.stall_s else None


async def run(
    argv: Sequence[str],
    bounds: Bounds,
    *,
    on_line: Callable[[str], bool],
    feed: AsyncIterable[bytes] | None = None,
    cwd: Path | None = None,
) -> Ended:
    """Run `argv` (an absolute program, never a shell) and return how it ended.

    `on_line` gets each line of standard output and answers whether it shows an advance. `feed` is written to
    standard input. The child has an environment of its own: no secret of ours is in it. When the caller is
    cancelled the child's whole process group is killed before the cancellation goes on.
    """
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(bounds.cpu_s)]
    leash += [str(bounds.memory_bytes), str(bounds.file_bytes), str(bounds.nice), "--"]
    process = await asyncio.create_subprocess_exec(
        *leash,
        *argv,
        stdin=asyncio.subprocess.DEVNULL if feed is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        start_new_session=True,
    )
    clock = _Clock(started=time.monotonic(), advanced=time.monotonic())
    words: list[str] = []
    assert process.stdout is not None
    assert process.stderr is not None
    tasks = [
        asyncio.create_task(_follow(process.stdout, on_line, clock)),
        asyncio.create_task(_keep_tail(process.stderr, words)),
    ]
    if feed is not None:
        assert process.stdin is not None
        tasks.append(asyncio.create_task(_feed(process.stdin, feed, clock)))
    try:
        why = await _watch(process, tasks, bounds, clock)
    finally:
        await _end(process, tasks)
    code = process.returncode if process.returncode is not None else -signal.SIGKILL
    return Ended(code=code, why=why, last_words="\n".join(words))


async def _watch(
    process: asyncio.subprocess.Process, tasks: list[asyncio.Task[None]], bounds: Bounds, clock: _Clock
) -> Literal["exit", "wall", "stall"]:
    exit_ = asyncio.create_task(process.wait())
    try:
        while True:
            await asyncio.wait({exit_, *tasks}, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in tasks if task.done()]:
                task.result()  # an error in a callback or in the feed is the caller's to see
                tasks.remove(task)
            if exit_.done():
                # What it printed last is still in the pipes.
                await asyncio.wait(tasks, timeout=5) if tasks else None
                for task in tasks:
                    if task.done():
                        task.result()
                return "exit"
            if verdict := clock.verdict(bounds):
                return verdict
    finally:
        exit_.cancel()


async def _end(process: asyncio.subprocess.Process, tasks: list[asyncio.Task[None]]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.shield(process.wait())


async def _follow(stream: asyncio.StreamReader, on_line: Callable[[str], bool], clock: _Clock) -> None:
    while line := await stream.readline():
        if on_line(line.decode("utf-8", "replace").rstrip("\n")):
            clock.advanced = time.monotonic()


async def _keep_tail(stream: asyncio.StreamReader, words: list[str]) -> None:
    rest = b""
    while chunk := await stream.read(16384):
        *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        rest = rest[-2000:]
        words.extend(_printable(line) for line in lines[-TAIL_LINES:] if line.strip())
        del words[:-TAIL_LINES]
    if rest.strip():
        words.append(_printable(rest))


def _printable(line: bytes) -> str:
    text = line.decode("utf-8", "replace")[:400]
    return "".join(letter if letter.isprintable() else "·" for letter in text)


async def _feed(sink: asyncio.StreamWriter, feed: AsyncIterable[bytes], clock: _Clock) -> None:
    # A child that has seen enough closes its end; how it exits tells whether that was right.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for chunk in feed:
            sink.write(chunk)
            await sink.drain()
            clock.advanced = time.monotonic()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sink.close()
        await sink.wait_closed()


def scaled(bounds: Bounds, film_s: float, cpu_per_s: float) -> Bounds:
    """The same bounds with, per second of film, `cpu_per_s` more of CPU time and thrice that of wall time."""
    return replace(
        bounds,
        cpu_s=bounds.cpu_s + int(film_s * cpu_per_s),
        wall_s=bounds.wall_s + film_s * cpu_per_s * 3,
    )
