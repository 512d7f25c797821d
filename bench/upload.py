"""`upload`: bytes a second through tus, with SHA-256 and fsync, beside a bare PUT that only streams and fsyncs."""

import asyncio
import base64
import hashlib
import http.client
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.workshop import workshop

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.7
P99_GOAL_MS = 20.0
GROWTH_GOAL_BYTES = 50 * 2**20
ROUNDS = 5
SIZE_BYTES = 384 * 2**20
# One file larger than all others, to see whether memory grows with it.
LARGE_BYTES = 2 * 2**30
BLOCK_BYTES = 2**20
PING_EVERY_S = 0.01
TUS = {"Tus-Resumable": "1.0.0"}
# The same in the process that sends.
BLOCK = random.Random(1).randbytes(BLOCK_BYTES)


@dataclass
class Seen:
    """What the rounds measured: bytes a second, and seconds that a small request waited meanwhile."""

    tus: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    waits: dict[str, list[float]] = field(default_factory=lambda: {"tus": [], "bare": [], "idle": []})


async def sign_in(database_url: str) -> str:
    """A teacher's session token, as the login page would give it."""
    from app import db
    from app.accounts import sessions
    from app.accounts.models import User
    from app.clock import utcnow

    db.open_database(database_url, pool_size=1)
    try:
        async with db.transaction() as session:
            now = utcnow()
            teacher = User(
                email="bench@example.com",
                name="Bench",
                password_hash="!",
                role="staff",
                email_confirmed_at=now,
            )
            session.add(teacher)
            await session.flush()
            return await sessions.start(session, teacher, user_agent="bench", ip="127.0.0.1", now=now)
    finally:
        await db.close_database()


@contextmanager
def serving() -> Iterator[tuple[str, psutil.Process]]:
    """The server's address and process, once it answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    # A message on its error stream would be about a benchmark that failed: let it through.
    process = subprocess.Popen([sys.executable, "-m", "bench.upload_server", str(port)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/healthz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def send(url: str, method: str, path: str, size: int, headers: dict[str, str]) -> tuple[float, int]:
    """Seconds that one request with a body of `size` took, and its status. Runs in a process of its own."""
    host, _colon, port = url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=300)
    began = time.monotonic()
    connection.request(
        method,
        path,
        body=(BLOCK for _n in range(size // BLOCK_BYTES)),
        headers={**headers, "Content-Length": str(size)},
    )
    answer = connection.getresponse()
    answer.read()
    took = time.monotonic() - began
    connection.close()
    return took, answer.status


@dataclass
class Opponents:
    """Both ways of sending, over one server, by one sender process."""

    url: str
    cookie: str
    sender: ProcessPoolExecutor

    async def _sent(self, method: str, path: str, size: int, headers: dict[str, str]) -> float:
        loop = asyncio.get_running_loop()
        took, status = await loop.run_in_executor(self.sender, send, self.url, method, path, size, headers)
        if status != 204:
            raise RuntimeError(f"{method} {path} answered {status}")
        return size / took

    async def tus(self, size: int, checksum: str) -> float:
        """Bytes a second of one PATCH with a checksum; its creation is a request of its own, as in the studio."""
        signed = {**TUS, "Cookie": f"limber={self.cookie}"}
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            created = await client.post("/studio/uploads", headers={**signed, "Upload-Length": str(size)})
            created.raise_for_status()
        headers = {
            **signed,
            "Upload-Offset": "0",
            "Upload-Checksum": f"sha256 {checksum}",
            "Content-Type": "application/offset+octet-stream",
        }
        return await self._sent("PATCH", created.headers["location"], size, headers)

    async def bare(self, size: int) -> float:
        return await self._sent("PUT", "/bare", size, {})


async def ping(url: str, waits: list[float]) -> None:
    """A small request every hundredth of a second, until cancelled."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        while True:
            began = time.monotonic()
            await client.get("/healthz")
            waits.append(time.monotonic() - began)
            await asyncio.sleep(PING_EVERY_S)


async def watched(url: str, waits: list[float], act: Awaitable[float]) -> float:
    """What `act` answers; what a small request waited meanwhile is added to `waits`."""
    pinging = asyncio.create_task(ping(url, waits))
    try:
        return await act
    finally:
        pinging.cancel()


async def idle() -> float:
    await asyncio.sleep(2)
    return 0.0


def p99_ms(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.99)] * 1000


def digest(size: int) -> str:
    """SHA-256 of the body, as `Upload-Checksum` writes it."""
    hashed = hashlib.sha256()
    for _n in range(size // BLOCK_BYTES):
        hashed.update(BLOCK)
    return base64.b64encode(hashed.digest()).decode()


async def rounds(opponents: Opponents, process: psutil.Process, data_dir: Path) -> tuple[Seen, int]:
    """Both, turn by turn, the first of a round changing; then one large file, and how much the process grew."""
    seen, checksum = Seen(), digest(SIZE_BYTES)
    await watched(opponents.url, seen.waits["idle"], idle())
    for number in range(ROUNDS + 1):
        for name in ("tus", "bare") if number % 2 else ("bare", "tus"):
            act = opponents.tus(SIZE_BYTES, checksum) if name == "tus" else opponents.bare(SIZE_BYTES)
            waits: list[float] = []
            speed = await watched(opponents.url, waits, act)
            empty(data_dir)
            # The first round opens connections and warms caches.
            if number:
                getattr(seen, name).append(speed)
                seen.waits[name] += waits
    before = process.memory_info().rss
    await opponents.tus(LARGE_BYTES, digest(LARGE_BYTES))
    return seen, process.memory_info().rss - before


def empty(data_dir: Path) -> None:
    """Neither opponent pays for the other's dirty pages."""
    for folder in ("uploads", "media"):
        shutil.rmtree(data_dir / folder, ignore_errors=True)
    os.sync()


def run() -> dict[str, Any]:
    """Measure on a server, a database and a folder of its own; about a minute and 3 GB of disk."""
    with workshop() as (database_url, folder):
        cookie = asyncio.run(sign_in(database_url))
        with (
            serving() as (url, process),
            ProcessPoolExecutor(1, get_context("spawn")) as sender,
        ):
            seen, grown = asyncio.run(rounds(Opponents(url, cookie, sender), process, folder))
    return told(seen, grown)


def told(seen: Seen, grown: int) -> dict[str, Any]:
    """The figures; the goal is met when all three are."""
    tus, bare = statistics.median(seen.tus), statistics.median(seen.bare)
    pairs = [one / other for one, other in zip(seen.tus, seen.bare, strict=True)]
    waited = p99_ms(seen.waits["tus"])
    return {
        "ratio": round(tus / bare, 3),
        "goal": GOAL,
        "met": tus / bare >= GOAL and waited < P99_GOAL_MS and grown < GROWTH_GOAL_BYTES,
        "ratio_of_pairs": [round(pair, 2) for pair in sorted(pairs)],
        "tus_mb_s": round(tus / 1e6),
        "bare_mb_s": round(bare / 1e6),
        "small_request_p99_ms": round(waited, 1),
        "small_request_p99_goal_ms": P99_GOAL_MS,
        "small_request_p99_ms_beside_bare": round(p99_ms(seen.waits["bare"]), 1),
        "small_request_p99_ms_idle": round(p99_ms(seen.waits["idle"]), 1),
        "grown_mb": round(grown / 1e6, 1),
        "grown_goal_mb": round(GROWTH_GOAL_BYTES / 1e6, 1),
        "large_file_bytes": LARGE_BYTES,
    }
