"""Uploads over real sockets: cut off, fought over, killed at any moment; what is stored is what was sent."""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import httpx
import pytest

from app import db
from app.accounts import sessions
from app.clock import utcnow
from app.settings import get_settings
from app.video.models import Video
from tests import factories
from tests.web.server import COOKIE, Server, serving

# Made once, not once in each process.
pytestmark = pytest.mark.xdist_group("uploads")

TUS = {"Tus-Resumable": "1.0.0"}
MIB = 2**20
CHUNK = 64 * 1024


@pytest.fixture(scope="module")
def server(worker_database_url: str) -> Iterator[Server]:
    """One web process for all tests of this file; whoever kills it starts it again."""
    with serving(worker_database_url, get_settings().data_dir) as running:
        yield running


async def token() -> str:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        return await sessions.start(session, teacher, user_agent="test", ip="127.0.0.1", now=utcnow())


@pytest.fixture
async def teacher(database: db.Database, server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in uploader."""
    async with httpx.AsyncClient(
        base_url=server.url, cookies={COOKIE: await token()}, trust_env=False, verify=False, timeout=30
    ) as client:
        yield client


def noise(size: int) -> bytes:
    chance = random.Random(size)
    return b"".join(chance.randbytes(min(MIB, size - start)) for start in range(0, size, MIB))


async def create(client: httpx.AsyncClient, data: bytes) -> str:
    answer = await client.post("/studio/uploads", headers={**TUS, "Upload-Length": str(len(data))})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def stands_at(client: httpx.AsyncClient, url: str) -> int:
    answer = await client.head(url, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def headers(offset: int, length: int | None = None) -> dict[str, str]:
    given = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return given if length is None else {**given, "Content-Length": str(length)}


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]
        await asyncio.sleep(0)


async def arrives(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    """Go on from where the server stands until all is there; then compare what it stored."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        offset = await stands_at(client, url)
        answer = await client.patch(url, content=data[offset:], headers=headers(offset))
        if answer.status_code == 204 and "limber-video" in answer.headers:
            break
        assert answer.status_code in (204, 409, 423), answer.text
        await asyncio.sleep(0.2)
    told = await client.head(url, headers=TUS)
    async with db.transaction() as session:
        video = await session.get_one(Video, UUID(told.headers["limber-video"]))
    stored = (get_settings().media_dir / video.source_key).read_bytes()
    assert hashlib.sha256(stored).digest() == hashlib.sha256(data).digest()


class Held:
    """A PATCH whose sender stops after some bytes and keeps the line open."""

    def __init__(self, client: httpx.AsyncClient, url: str, data: bytes, offset: int, sent: int) -> None:
        self.sent = asyncio.Event()
        self.release = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            async for piece in pieces(data[offset : offset + sent]):
                yield piece
            self.sent.set()
            await self.release.wait()

        length = len(data) - offset
        self.task = asyncio.create_task(client.patch(url, content=body(), headers=headers(offset, length)))

    async def hang_up(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def held(client: httpx.AsyncClient, url: str, data: bytes, offset: int, sent: int) -> Held:
    line = Held(client, url, data, offset, sent)
    await asyncio.wait_for(line.sent.wait(), 20)
    return line


async def test_what_arrived_before_the_line_broke_is_kept(teacher: httpx.AsyncClient) -> None:
    data = noise(9 * MIB)
    url = await create(teacher, data)
    line = await held(teacher, url, data, 0, 6 * MIB + 12345)
    await asyncio.sleep(0.5)
    await line.hang_up()
    deadline = time.monotonic() + 5
    while await stands_at(teacher, url) != 6 * MIB + 12345:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    await arrives(teacher, url, data)


async def test_a_silent_line_gives_way_to_a_new_one(teacher: httpx.AsyncClient) -> None:
    data = noise(9 * MIB)
    url = await create(teacher, data)
    line = await held(teacher, url, data, 0, 5 * MIB)
    await asyncio.sleep(0.5)
    began = time.monotonic()
    refused = await teacher.patch(url, content=data, headers=headers(0))
    assert refused.status_code == 423
    assert "another window or connection" in refused.json()["detail"]
    assert (await teacher.get("/healthz")).status_code == 200
    assert time.monotonic() - began < 1
    await asyncio.sleep(2)
    await arrives(teacher, url, data)
    await line.hang_up()


async def test_giving_up_waits_for_the_line_that_was_just_broken(teacher: httpx.AsyncClient) -> None:
    data = noise(9 * MIB)
    url = await create(teacher, data)
    line = await held(teacher, url, data, 0, 5 * MIB)
    assert (await teacher.delete(url, headers=TUS)).status_code == 423
    await line.hang_up()
    assert (await teacher.delete(url, headers=TUS)).status_code == 204
    assert (await teacher.head(url, headers=TUS)).status_code == 404


@pytest.mark.long
async def test_two_processes_never_write_to_one_upload(teacher: httpx.AsyncClient, server: Server) -> None:
    data = noise(9 * MIB)
    url = await create(teacher, data)
    with serving(server.environment["DATABASE_URL"], get_settings().data_dir) as second:
        line = await held(teacher, url, data, 0, 5 * MIB)
        async with httpx.AsyncClient(
            base_url=second.url, cookies=teacher.cookies, trust_env=False, verify=False
        ) as other:
            assert (await other.patch(url, content=data, headers=headers(0))).status_code == 423
            await line.hang_up()
            await arrives(other, url, data)


async def test_many_writers_at_once_leave_one_whole_file(teacher: httpx.AsyncClient) -> None:
    data = noise(3 * MIB)
    url = await create(teacher, data)
    answers = await asyncio.gather(
        *(teacher.patch(url, content=pieces(data), headers=headers(0, len(data))) for _n in range(5))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 204
    assert set(codes[1:]) <= {409, 423}
    told = await teacher.head(url, headers=TUS)
    async with db.transaction() as session:
        video = await session.get_one(Video, UUID(told.headers["limber-video"]))
    assert (get_settings().media_dir / video.source_key).read_bytes() == data


async def survive_kills(server: Server, teacher: httpx.AsyncClient, kills: int, size: int) -> None:
    chance = random.Random(kills)
    data = noise(size)
    url = await create(teacher, data)
    told = 0
    for _n in range(kills):
        offset = await stands_at(teacher, url)
        assert offset >= told, "an offset that was told may not shrink"
        told = offset
        more = chance.randrange(1, max(2, min(size - offset, 2 * size // kills)))
        line = await held(teacher, url, data, offset, more)
        await asyncio.sleep(chance.random() * 0.2)
        server.kill()
        await line.hang_up()
        await asyncio.to_thread(server.start)
    await arrives(teacher, url, data)


@pytest.mark.long
async def test_a_killed_server_goes_on_where_it_stood(server: Server, teacher: httpx.AsyncClient) -> None:
    await survive_kills(server, teacher, kills=2, size=24 * MIB)


@pytest.mark.long
async def test_a_server_killed_fifty_times_still_stores_the_file_that_was_sent(
    server: Server, teacher: httpx.AsyncClient
) -> None:
    await survive_kills(server, teacher, kills=50, size=256 * MIB)


@pytest.mark.long
async def test_fifty_of_fifty_files_survive_a_kill_each_at_a_random_point(
    server: Server, teacher: httpx.AsyncClient
) -> None:
    chance = random.Random(50)
    for _n in range(50):
        await survive_kills(server, teacher, kills=1, size=chance.randrange(20, 40) * MIB)


async def test_a_kill_between_the_last_byte_and_the_video_is_made_good(
    server: Server, teacher: httpx.AsyncClient
) -> None:
    """The offset says whole, the file may already lie at its later place, and no video exists."""
    from app.video import upload_files, upload_parts
    from app.video.models import Upload

    data = noise(100_000)
    for moved in (False, True):
        url = await create(teacher, data)
        upload_id = UUID(url.rpartition("/")[2])
        path = upload_files.path_of(upload_id)
        if moved:
            path.unlink()
            path = get_settings().media_dir / upload_parts.source_key(
                upload_files.video_id_of(upload_id), "video"
            )
            path.parent.mkdir(parents=True)
        path.write_bytes(data)
        async with db.transaction() as session:
            (await session.get_one(Upload, upload_id)).offset_bytes = len(data)
        told = await teacher.head(url, headers=TUS)
        async with db.transaction() as session:
            video = await session.get_one(Video, UUID(told.headers["limber-video"]))
        assert (get_settings().media_dir / video.source_key).read_bytes() == data


@pytest.mark.long
async def test_a_large_file_leaves_memory_flat_and_others_served(
    server: Server, teacher: httpx.AsyncClient
) -> None:
    import psutil

    assert server.process is not None
    process = psutil.Process(server.process.pid)
    block = noise(MIB)
    size = 1024 * MIB

    async def body() -> AsyncIterator[bytes]:
        for _n in range(size // MIB):
            yield block

    created = await teacher.post("/studio/uploads", headers={**TUS, "Upload-Length": str(size)})
    url = created.headers["location"]
    before, waits = process.memory_info().rss, []

    async def ping() -> None:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False) as other:
            while True:
                began = time.monotonic()
                await other.get("/healthz")
                waits.append(time.monotonic() - began)
                await asyncio.sleep(0.02)

    pinging = asyncio.create_task(ping())
    answer = await teacher.patch(url, content=body(), headers=headers(0, size), timeout=120)
    grown = process.memory_info().rss - before
    pinging.cancel()
    assert answer.status_code == 204
    assert grown < 50 * MIB
    # A busy machine is slow to all alike; what must not happen is that others wait for a disk or a lock.
    assert sorted(waits)[int(len(waits) * 0.99)] < 1
