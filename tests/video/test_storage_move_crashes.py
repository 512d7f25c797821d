"""Moves between disk and S3 that are killed again and again: what was is whole, and the last run ends them."""

import asyncio
import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3  # type: ignore[import-untyped]  # it has no stubs
import obstore
import pytest

from app import db, storage
from app.settings import get_settings
from app.video import objects
from tests import factories
from tests.forked import ROOT
from tests.s3 import credentials, object_store
from tests.video.making import make_stream
from tests.video.rfc8216_stream import check_stream
from tests.video.sources import AAC, X264, ffmpeg, sound

pytestmark = [pytest.mark.xdist_group("storage_s3"), pytest.mark.long]
KILLS, RUNS = 5, 20
LARGE_BYTES = 40 * 2**20
BUCKET = "moved"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An empty bucket's address, and a data folder of this test's own, in this process and in those it starts."""
    with object_store() as endpoint:
        for name, value in {
            **credentials(endpoint),
            "LIMBER_DATA_DIR": str(tmp_path / "data"),
            "PYTHONUNBUFFERED": "1",
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
        fresh()
        yield f"s3://{BUCKET}/studio"
        monkeypatch.undo()
        fresh()


async def lose_half(at: Any, chance: random.Random) -> None:
    """A fast machine had moved everything before it was killed: half of it is to be moved again."""
    there = sorted([entry.key async for batch in objects.batches(at=at) for entry in batch])
    for key in chance.sample(there, len(there) // 2):
        await obstore.delete_async(at, key)


def fresh() -> None:
    get_settings.cache_clear()
    storage.store.cache_clear()


async def add_films(folder: Path) -> list[UUID]:
    """Two films, with streams, one with an original that takes a while."""
    path = folder / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=44", *sound(44), *X264, *AAC, path)
    _source, _ladder, place = await make_stream(path, folder / "work")
    for poster in ("poster.jpg", "poster-small.jpg"):
        (place / poster).write_bytes(b"\xff\xd8\xff")
    found = []
    for n in range(2):
        size = LARGE_BYTES if n else 1000
        async with db.transaction() as session:
            video = await factories.video(session, source_bytes=size)
            video.source_key = f"sources/{video.id}/original.mp4"
        media = get_settings().media_dir
        shutil.copytree(place, media / "videos" / str(video.id) / "1")
        (media / video.source_key).parent.mkdir(parents=True)
        (media / video.source_key).write_bytes(random.Random(n).randbytes(size))
        found.append(video.id)
    return found


async def digests(at: Any) -> dict[str, str]:
    found = {}
    async for batch in objects.batches(at=at):
        for entry in batch:
            answer = await obstore.get_async(at, entry.key)
            found[entry.key] = hashlib.sha256(bytes(await answer.bytes_async())).hexdigest()
    return found


def limber(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "app", "storage", *words]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True)


def kill_after(process: subprocess.Popen[str], copied: int, seconds: float) -> bool:
    """Kill it so many seconds after its so-manieth line; False when it had ended by then."""
    assert process.stdout is not None
    for _n in range(copied):
        if not process.stdout.readline():
            break
    time.sleep(seconds)
    was_running = process.poll() is None
    process.kill()
    process.communicate()
    return was_running


def ended(*words: str) -> str:
    process = limber(*words)
    said, _nothing = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


async def plays(at: Any, video_id: UUID, folder: Path) -> None:
    """What lies there is a stream without a fault, as a player would fetch it."""
    shutil.rmtree(folder, ignore_errors=True)
    async for batch in objects.batches(f"videos/{video_id}/1", at):
        for entry in batch:
            path = folder / entry.key
            path.parent.mkdir(parents=True, exist_ok=True)
            answer = await obstore.get_async(at, entry.key)
            path.write_bytes(bytes(await answer.bytes_async()))
    assert check_stream(folder / f"videos/{video_id}/1") == []


async def test_a_move_killed_at_any_moment_goes_on_and_back_again(
    s3: str, database: db.Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = await add_films(tmp_path)
    disk = objects.open_at(get_settings().media_dir)
    bucket = objects.open_at(s3)
    expected = await digests(disk)
    chance = random.Random(5)

    async def moved(words: list[str], source: Any, target: Any) -> None:
        killed = 0
        for n in range(RUNS):
            if killed == KILLS:
                break
            # Each run goes on where the last was, so that there is mostly something left to be killed in.
            share = len(expected) // (KILLS + 1)
            process = limber("move", *words)
            was_running = await asyncio.to_thread(
                kill_after, process, chance.randint(1, max(1, share)), chance.uniform(0, 0.1)
            )
            killed += was_running
            if not was_running:
                await lose_half(target, chance)
            there = await digests(target)
            assert there.items() <= expected.items(), "half an object has its name"
            assert await digests(source) == expected
            await plays(source, films[n % 2], tmp_path / "fetched")
        assert killed == KILLS
        said = await asyncio.to_thread(ended, "move", *words)
        assert f"{len(expected)} objects" not in said, "nothing of what was done was kept"
        assert await digests(target) == expected
        assert await digests(source) == expected

    await moved(["--to", s3], disk, bucket)
    monkeypatch.setenv("LIMBER_STORAGE_URL", s3)
    fresh()
    said = await asyncio.to_thread(ended, "verify")
    assert f"2 videos, {len(expected)} objects: 0 videos with missing files, 0 orphans, 0 too young" in said
    await asyncio.to_thread(ended, "move", "--to", s3, "--delete-source")
    assert await digests(disk) == {}
    for film in films:
        await plays(bucket, film, tmp_path / "fetched")

    await moved(["--to-disk"], bucket, disk)
    monkeypatch.delenv("LIMBER_STORAGE_URL")
    fresh()
    said = await asyncio.to_thread(ended, "verify")
    assert f"2 videos, {len(expected)} objects: 0 videos with missing files, 0 orphans, 0 too young" in said
    await asyncio.to_thread(ended, "move", "--to-disk", "--from", s3, "--delete-source")
    assert await digests(bucket) == {}
    media = get_settings().media_dir
    assert {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()} == set(expected)
    for film in films:
        await plays(disk, film, tmp_path / "fetched")
