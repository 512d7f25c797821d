"""Uploads whose films live in S3: parts go out as they come; no kill and no absent storage loses what was told."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import boto3  # type: ignore[import-untyped]  # it has no stubs
import httpx
import pytest
from moto.server import ThreadedMotoServer

from app import db, storage
from app.clock import utcnow
from app.settings import get_settings
from app.video import upload_files, upload_parts, uploads_sweep
from app.video.models import Upload, Video
from tests.s3 import credentials
from tests.video.test_uploads import MIB, TUS, create, headers, held, noise, stands_at, token
from tests.web.server import COOKIE, Server, free_port

pytestmark = pytest.mark.xdist_group("uploads_s3")

BUCKET, FOLDER = "films", "studio"
PART = upload_parts.PART_BYTES


@dataclass
class S3:
    """moto's server on loopback. Its buckets outlive `stop`."""

    port: int
    server: ThreadedMotoServer | None = None

    def start(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LIMBER_STORAGE_URL": f"s3://{BUCKET}/{FOLDER}",
            **credentials(f"http://127.0.0.1:{self.port}"),
        }

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )

    def digest(self, key: str) -> str:
        return hashlib.sha256(
            self.client().get_object(Bucket=BUCKET, Key=f"{FOLDER}/{key}")["Body"].read()
        ).hexdigest()

    def open_uploads(self) -> list[str]:
        found = self.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [str(one["Key"]) for one in found]

    def sent_parts(self, key: str, parts_id: str) -> list[int]:
        found = self.client().list_parts(Bucket=BUCKET, Key=f"{FOLDER}/{key}", UploadId=parts_id)
        return [int(part["Size"]) for part in found.get("Parts", [])]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    running = S3(free_port())
    running.start()
    running.client().create_bucket(Bucket=BUCKET)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(worker_database_url: str, s3: S3) -> Iterator[Server]:
    running = Server(worker_database_url, get_settings().data_dir)
    running.environment.update(s3.environment)
    running.start()
    yield running
    if running.process is not None:
        running.stop()
    running.said.close()


@pytest.fixture
async def teacher(database: db.Database, server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=server.url, cookies={COOKIE: await token()}, trust_env=False, verify=False, timeout=60
    ) as client:
        yield client


@pytest.fixture
def in_s3(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process too keeps its media in S3."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    clear()
    yield
    monkeypatch.undo()
    clear()


def clear() -> None:
    for known in (get_settings, storage.store, storage._s3):
        known.cache_clear()


async def row_of(url: str) -> Upload:
    async with db.transaction() as session:
        return await session.get_one(Upload, UUID(url.rpartition("/")[2]))


def kept_here(url: str) -> list[int]:
    """Bytes on this machine's disk for an upload, file by file."""
    folder = upload_files.folder()
    return [path.stat().st_size for path in folder.glob(f"{url.rpartition('/')[2]}*")]


async def video_of(answer: httpx.Response) -> Video:
    async with db.transaction() as session:
        return await session.get_one(Video, UUID(answer.headers["limber-video"]))


async def until_told(client: httpx.AsyncClient, url: str, offset: int) -> None:
    deadline = time.monotonic() + 20
    while await stands_at(client, url) < offset:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


@pytest.mark.long
async def test_parts_go_out_as_they_come_and_a_kill_loses_none(
    teacher: httpx.AsyncClient, server: Server, s3: S3
) -> None:
    data = noise(2 * PART + 9 * MIB + 321)
    url = await create(teacher, data)
    told = 0
    for sent in (PART + 5 * MIB + 7, PART + 2 * MIB):
        offset = await stands_at(teacher, url)
        line = await held(teacher, url, data, offset, sent)
        await until_told(teacher, url, offset + sent - 4 * MIB)
        server.kill()
        await line.hang_up()
        await asyncio.to_thread(server.start)
        told = await stands_at(teacher, url)
        assert told >= offset + sent - 8 * MIB
        row = await row_of(url)
        assert row.parts_id is not None
        assert len(s3.sent_parts(upload_parts.key_of(row), row.parts_id)) >= told // PART
        assert sum(kept_here(url)) <= PART
    answer = await teacher.patch(url, content=data[told:], headers=headers(told))
    assert answer.status_code == 204, answer.text
    video = await video_of(answer)
    assert s3.digest(video.source_key) == hashlib.sha256(data).hexdigest()
    assert s3.open_uploads() == []
    assert kept_here(url) == []


async def test_a_storage_that_is_away_in_the_middle_costs_nothing_that_was_told(
    teacher: httpx.AsyncClient, s3: S3
) -> None:
    data = noise(2 * PART + MIB)
    url = await create(teacher, data)
    assert (await teacher.patch(url, content=data[: 9 * MIB], headers=headers(0))).status_code == 204
    s3.stop()
    try:
        refused = await teacher.patch(url, content=data[9 * MIB :], headers=headers(9 * MIB))
        assert refused.status_code == 503
        assert "storage for films does not answer" in refused.json()["detail"]
        told = await stands_at(teacher, url)
        assert 9 * MIB <= told < PART
        begun = await teacher.post("/studio/uploads", headers={**TUS, "Upload-Length": "100"})
        assert begun.status_code == 503
    finally:
        s3.start()
    answer = await teacher.patch(url, content=data[told:], headers=headers(told))
    assert answer.status_code == 204, answer.text
    assert s3.digest((await video_of(answer)).source_key) == hashlib.sha256(data).hexdigest()


async def test_a_damaged_request_over_several_parts_leaves_what_was_told(
    teacher: httpx.AsyncClient, s3: S3
) -> None:
    import base64

    data = noise(2 * PART + 3 * MIB)
    url = await create(teacher, data)
    assert (await teacher.patch(url, content=data[: 5 * MIB], headers=headers(0))).status_code == 204
    rest = data[5 * MIB :]
    sha = base64.b64encode(hashlib.sha256(rest).digest()).decode()
    extra = {"Upload-Checksum": f"sha256 {sha}"}
    damaged = await teacher.patch(url, content=rest[:-1] + b"?", headers={**headers(5 * MIB), **extra})
    assert damaged.status_code == 460
    assert await stands_at(teacher, url) == 5 * MIB
    answer = await teacher.patch(url, content=rest, headers={**headers(5 * MIB), **extra})
    assert answer.status_code == 204, answer.text
    assert s3.digest((await video_of(answer)).source_key) == hashlib.sha256(data).hexdigest()


async def test_a_second_writer_is_refused_and_nothing_is_mixed(teacher: httpx.AsyncClient, s3: S3) -> None:
    data = noise(PART + 3 * MIB)
    url = await create(teacher, data)
    line = await held(teacher, url, data, 0, 9 * MIB)
    assert (await teacher.patch(url, content=data, headers=headers(0))).status_code == 423
    await line.hang_up()
    await until_told(teacher, url, 9 * MIB)
    assert (await teacher.patch(url, content=data, headers=headers(0))).status_code == 409
    answer = await teacher.patch(url, content=data[9 * MIB :], headers=headers(9 * MIB))
    assert answer.status_code == 204
    assert s3.digest((await video_of(answer)).source_key) == hashlib.sha256(data).hexdigest()


async def test_a_part_whose_beginning_another_machine_has_is_sent_again(
    teacher: httpx.AsyncClient, s3: S3
) -> None:
    data = noise(PART + 7 * MIB)
    url = await create(teacher, data)
    first = PART + 3 * MIB
    assert (await teacher.patch(url, content=data[:first], headers=headers(0))).status_code == 204
    for path in upload_files.folder().glob(f"{url.rpartition('/')[2]}*"):
        path.unlink()
    lost = await teacher.patch(url, content=data[first:], headers=headers(first))
    assert lost.status_code == 409
    assert await stands_at(teacher, url) == PART
    answer = await teacher.patch(url, content=data[PART:], headers=headers(PART))
    assert s3.digest((await video_of(answer)).source_key) == hashlib.sha256(data).hexdigest()


async def test_giving_up_frees_what_s3_kept(teacher: httpx.AsyncClient, s3: S3) -> None:
    data = noise(PART + MIB)
    url = await create(teacher, data)
    assert (await teacher.patch(url, content=data[:-1], headers=headers(0))).status_code == 204
    assert len(s3.open_uploads()) == 1
    s3.stop()
    try:
        assert (await teacher.delete(url, headers=TUS)).status_code == 503
    finally:
        s3.start()
    assert await stands_at(teacher, url) == len(data) - 1
    assert (await teacher.delete(url, headers=TUS)).status_code == 204
    assert s3.open_uploads() == []
    assert kept_here(url) == []


async def test_an_expired_upload_frees_what_s3_kept(teacher: httpx.AsyncClient, s3: S3, in_s3: None) -> None:
    data = noise(PART + MIB)
    url = await create(teacher, data)
    assert (await teacher.patch(url, content=data[:-1], headers=headers(0))).status_code == 204
    async with db.transaction() as session:
        row = await session.get_one(Upload, UUID(url.rpartition("/")[2]))
        row.expires_at = utcnow() - timedelta(seconds=1)
    assert await uploads_sweep.remove_expired() == 1
    assert s3.open_uploads() == []
    assert kept_here(url) == []


async def test_a_kill_between_the_last_part_and_the_video_is_made_good(
    teacher: httpx.AsyncClient, s3: S3, in_s3: None
) -> None:
    """The offset says whole, all parts are in S3; joined already or not, the sweep makes the video."""
    for joined in (False, True):
        data = noise(MIB + joined)
        url = await create(teacher, data)
        row = await row_of(url)
        assert row.parts_id is not None
        key = upload_parts.key_of(row)
        sink = upload_parts.PartSink(row.id, key, row.parts_id, row.part_bytes, row.length_bytes)
        await sink.write(data, 0)
        async with db.transaction() as session:
            session.add_all(sink.fresh)
            (await session.get_one(Upload, row.id)).offset_bytes = len(data)
        if joined:
            await upload_parts.join(row)
        assert await uploads_sweep.finish_whole() == 1
        assert s3.digest(key) == hashlib.sha256(data).hexdigest()


def test_no_film_needs_more_parts_than_s3_takes() -> None:
    for length in (1, 20 * 1024**3, 5 * 1024**4):
        size = upload_parts.part_bytes(length)
        assert size >= 5 * MIB
        assert size % MIB == 0
        assert -(-length // size) <= 10_000
