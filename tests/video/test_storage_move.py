"""Media moves between stores: continued after a stop, compared byte for byte, deleted only when all of it is there."""

import random
from pathlib import Path

import obstore
import pytest

from app.video import objects, storage_move
from app.video.storage_move import PART_BYTES, Digests, Incomplete

FILES = {
    "videos/a/1/master.m3u8": b"#EXTM3U\n",
    "videos/a/1/1080p/1.m4s": random.Random(1).randbytes(3 * 2**20),
    "sources/a/original.mov": random.Random(2).randbytes(PART_BYTES + 2**20),
    "sources/b/original.mov": b"",
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for key, data in FILES.items():
        path = tmp_path / "here" / key
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    half = tmp_path / "here" / "videos/a/.publish-x/1.m4s"
    half.parent.mkdir()
    half.write_bytes(b"half")
    return tmp_path / "here"


def held(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def test_everything_whole_is_carried_and_a_second_run_copies_nothing(
    here: Path, tmp_path: Path
) -> None:
    source, target = objects.open_at(here), objects.open_at(tmp_path / "there")
    said: list[str] = []
    first = await storage_move.move(source, target, said.append)
    assert (first.copied, first.kept, first.size_bytes) == (4, 0, sum(map(len, FILES.values())))
    assert held(tmp_path / "there") == FILES
    assert len(said) == 4
    second = await storage_move.move(source, target, said.append)
    assert (second.copied, second.kept) == (0, 4)


async def test_a_run_after_a_stop_goes_on_and_mends_what_differs(here: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    damaged = bytearray(FILES["videos/a/1/1080p/1.m4s"])
    damaged[5] ^= 1
    for key, data in {"videos/a/1/1080p/1.m4s": bytes(damaged), "sources/a/original.mov": b"cut"}.items():
        (there / key).parent.mkdir(parents=True)
        (there / key).write_bytes(data)
    (there / "videos/a/1/master.m3u8").write_bytes(FILES["videos/a/1/master.m3u8"])
    done = await storage_move.move(objects.open_at(here), objects.open_at(there), lambda _line: None)
    assert (done.copied, done.kept) == (3, 1)
    assert held(there) == FILES


async def test_nothing_is_deleted_while_one_object_is_missing(here: Path, tmp_path: Path) -> None:
    source, target = objects.open_at(here), objects.open_at(tmp_path / "there")
    await storage_move.move(source, target, lambda _line: None)
    (tmp_path / "there" / "sources/a/original.mov").write_bytes(b"other")
    before = held(here)
    with pytest.raises(Incomplete):
        await storage_move.delete_source(source, target)
    assert held(here) == before


async def test_the_source_goes_when_all_of_it_is_there(here: Path, tmp_path: Path) -> None:
    source, target = objects.open_at(here), objects.open_at(tmp_path / "there")
    await storage_move.move(source, target, lambda _line: None)
    assert await storage_move.delete_source(source, target) == 4
    assert list(held(here)) == ["videos/a/.publish-x/1.m4s"]
    assert held(tmp_path / "there") == FILES


def test_digests_are_those_that_s3_tells() -> None:
    whole = Digests()
    whole.take(b"hello")
    assert "5d41402abc4b2a76b9719d911017c592" in whole.etags
    one, many = Digests(), Digests()
    data = random.Random(3).randbytes(PART_BYTES * 2 + 5)
    one.take(data)
    for start in range(0, len(data), 70_001):
        many.take(data[start : start + 70_001])
    assert one.etags == many.etags
    assert any(etag.endswith("-3") for etag in one.etags)
    assert one.sha256 == many.sha256


async def test_listing_comes_in_batches(tmp_path: Path) -> None:
    at = objects.open_at(tmp_path)
    for n in range(objects.LIST_BATCH + 3):
        await obstore.put_async(at, f"many/{n}", b"x")
    sizes = [len(batch) async for batch in objects.batches("many", at)]
    assert sum(sizes) == objects.LIST_BATCH + 3
    assert max(sizes) <= objects.LIST_BATCH
