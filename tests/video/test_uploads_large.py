"""Ten gigabytes through the web process as it is operated: memory stays flat, and what is stored is what was sent."""

import asyncio
import hashlib
import http.client
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import psutil
import pytest

from app import db, storage
from app.settings import get_settings
from app.video.models import Video
from tests.video.test_uploads import TUS, headers, token
from tests.web.server import COOKIE, serving

pytestmark = [pytest.mark.xdist_group("uploads"), pytest.mark.long]
MIB, GIB = 2**20, 2**30
WANTED_BYTES = 10 * 10**9 // MIB * MIB
# The server keeps a gibibyte free, and the machine has other things to write.
SPARE_BYTES = 2 * GIB
LEAST_BYTES = 256 * MIB
GROWTH_BYTES = 50 * MIB
NOISE = random.Random(10).randbytes(MIB - 8)


class Sent:
    """A file that is nowhere: each MiB is made when it is sent, and no two are alike."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.sha256 = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self.size_bytes // MIB):
            block = number.to_bytes(8, "big") + NOISE
            self.sha256.update(block)
            yield block


class Grown:
    """The most that a process had in memory while this was watched, over what it had before, in bytes."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.before = self.most = self.process.memory_info().rss
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self.is_over.wait(0.1):
            self.most = max(self.most, self.process.memory_info().rss)

    def __enter__(self) -> "Grown":
        self.thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.is_over.set()
        self.thread.join()

    @property
    def bytes(self) -> int:
        return self.most - self.before


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Emptied at once: pytest keeps its folders for a while."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("LIMBER_DATA_DIR", str(folder))
    get_settings.cache_clear()
    storage.store.cache_clear()
    yield folder
    shutil.rmtree(folder)
    monkeypatch.undo()
    get_settings.cache_clear()
    storage.store.cache_clear()


def patched(port: int, path: str, cookie: str, sent: Sent) -> int:
    """The status of one PATCH with all of it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        given = {**headers(0, sent.size_bytes), "Cookie": f"{COOKIE}={cookie}"}
        connection.request("PATCH", path, body=iter(sent), headers=given)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@pytest.mark.timeout(600)
async def test_ten_gigabytes_arrive_in_constant_memory(
    database: db.Database, data_dir: Path, record_property: Callable[[str, object], None]
) -> None:
    free = shutil.disk_usage(data_dir).free
    size = min(WANTED_BYTES, (free - SPARE_BYTES) // MIB * MIB)
    assert size >= LEAST_BYTES, f"only {free / 1e9:.1f} GB are free"
    sent, cookie = Sent(size), await token()
    with serving(database.url, data_dir) as server:
        assert server.process is not None
        began = time.monotonic()
        with Grown(server.process.pid) as grown:
            async with httpx.AsyncClient(
                base_url=server.url, cookies={COOKIE: cookie}, trust_env=False, verify=False, timeout=30
            ) as teacher:
                created = await teacher.post("/studio/uploads", headers={**TUS, "Upload-Length": str(size)})
                assert created.status_code == 201, created.text
                path = httpx.URL(created.headers["location"]).path
                assert await asyncio.to_thread(patched, server.port, path, cookie, sent) == 204
                told = await teacher.head(path, headers=TUS)
        took = time.monotonic() - began
    async with db.transaction() as session:
        video = await session.get_one(Video, UUID(told.headers["limber-video"]))
    assert video.source_bytes == size
    assert (
        await asyncio.to_thread(digest, get_settings().media_dir / video.source_key) == sent.sha256.digest()
    )
    scaled = "" if size == WANTED_BYTES else f" (not 10 GB: only {free / 1e9:.1f} GB were free)"
    record_property(
        "note",
        f"uploaded {size / 1e9:.1f} GB{scaled} in {took:.0f} s; the web process grew by {grown.bytes / MIB:.0f} MiB",
    )
    assert grown.bytes < GROWTH_BYTES


def digest(path: Path) -> bytes:
    with path.open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").digest()
