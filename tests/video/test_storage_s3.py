"""Storage commands against an S3: moved there and back, verified there, and deleted there for good."""

import random
from collections.abc import Iterator
from pathlib import Path

import boto3  # type: ignore[import-untyped]  # it has no stubs
import pytest
from typer.testing import CliRunner

from app import db, storage
from app.cli import cli
from app.settings import get_settings
from app.video import objects, removal, storage_move
from app.video.models import Video
from app.video.storage_move import PART_BYTES
from tests import factories
from tests.s3 import credentials, object_store

pytestmark = pytest.mark.xdist_group("storage_s3")
FILES = {
    "videos/a/1/master.m3u8": b"#EXTM3U\n",
    "sources/a/original.mov": random.Random(2).randbytes(2 * PART_BYTES + 2**20),
    "sources/b/original.mov": random.Random(3).randbytes(PART_BYTES),
    "sources/c/original.mov": b"",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with object_store() as address:
        yield address


@pytest.fixture
def bucket(
    endpoint: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """An empty bucket's address; the media folder is an empty one too."""
    for name, value in {
        **credentials(endpoint),
        "LIMBER_DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    name = f"films-{abs(hash(request.node.name)) % 10**8}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
    _fresh()
    yield f"s3://{name}/studio"
    monkeypatch.undo()
    _fresh()


def _fresh() -> None:
    get_settings.cache_clear()
    storage.store.cache_clear()


def fill(folder: Path) -> None:
    for key, data in FILES.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def held(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def limber(*words: str, code: int = 0) -> str:
    answer = CliRunner().invoke(cli, words)
    assert answer.exit_code == code, answer.output
    return answer.output


def test_media_moves_to_s3_and_back_by_command(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = tmp_path / "media"
    fill(media)
    said = limber("storage", "move", "--to", bucket)
    assert "4 objects copied, 0 were there already" in said
    assert f"LIMBER_STORAGE_URL={bucket}" in said
    assert held(media) == FILES
    assert "0 objects copied, 4 were there already" in limber("storage", "move", "--to", bucket)
    # The setting is changed in between: the source is then the disk still.
    monkeypatch.setenv("LIMBER_STORAGE_URL", bucket)
    _fresh()
    assert "Deleted 4 objects" in limber("storage", "move", "--to", bucket, "--delete-source")
    assert held(media) == {}
    assert "4 objects copied" in limber("storage", "move", "--to-disk")
    assert held(media) == FILES
    monkeypatch.delenv("LIMBER_STORAGE_URL")
    _fresh()
    assert "--from" in limber("storage", "move", "--to-disk", code=2)
    said = limber("storage", "move", "--to-disk", "--from", bucket, "--delete-source")
    assert "Deleted 4 objects" in said
    assert held(media) == FILES


async def test_s3_tells_the_digest_that_is_computed_here(bucket: str, tmp_path: Path) -> None:
    fill(tmp_path / "media")
    source, target = objects.open_at(tmp_path / "media"), objects.open_at(bucket)
    await storage_move.move(source, target, lambda _line: None)
    for key, data in FILES.items():
        taken = storage_move.Digests()
        taken.take(data)
        there = await objects.look(key, target)
        assert there is not None
        assert there.etag in taken.etags, "nothing has to be read back"


async def test_a_deleted_video_leaves_nothing_in_s3(
    bucket: str, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMBER_STORAGE_URL", bucket)
    _fresh()
    async with db.transaction() as session:
        gone, kept = await factories.video(session), await factories.video(session)
    for row in (gone, kept):
        for key in (f"videos/{row.id}/1/master.m3u8", f"sources/{row.id}/original.mov"):
            await storage.put(key, b"x")
    async with db.transaction() as session:
        await session.delete(await session.get_one(Video, gone.id))
    await removal.remove(str(gone.id))
    left = [entry.key async for batch in objects.batches() for entry in batch]
    assert sorted(left) == [f"sources/{kept.id}/original.mov", f"videos/{kept.id}/1/master.m3u8"]


def test_verify_looks_into_s3(bucket: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMBER_STORAGE_URL", bucket)
    _fresh()
    assert "0 videos, 0 objects" in limber("storage", "verify")
