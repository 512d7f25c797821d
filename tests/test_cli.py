"""The commands for storage and videos, as an operator types them."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app import db, storage
from app.accounts.models import AuditEntry
from app.cli import cli
from app.settings import get_settings
from app.video.models import Video
from tests import factories


@pytest.fixture(autouse=True)
def own_folder(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("LIMBER_DATA_DIR", str(tmp_path_factory.mktemp("data")))
    get_settings.cache_clear()
    storage.store.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()
    storage.store.cache_clear()


def limber(*words: str, code: int = 0) -> str:
    answer = CliRunner().invoke(cli, words)
    assert answer.exit_code == code, answer.output
    return answer.output


def add(url: str, **values: Any) -> UUID:
    async def save() -> UUID:
        db.open_database(url)
        async with db.transaction() as session:
            row: Video = await factories.video(session, **values)
        await db.close_database()
        return row.id

    return asyncio.run(save())


def read(url: str, video_id: UUID) -> tuple[Video, list[AuditEntry]]:
    async def load() -> tuple[Video, list[AuditEntry]]:
        db.open_database(url)
        async with db.transaction() as session:
            found = await session.get_one(Video, video_id), list(await session.scalars(select(AuditEntry)))
        await db.close_database()
        return found

    return asyncio.run(load())


def test_verify_tells_what_is_wrong_and_ends_with_1(database_url: str) -> None:
    video_id = add(database_url, source_bytes=6)
    said = limber("storage", "verify", code=1)
    assert f"missing  videos/{video_id}/1/master.m3u8" in said
    assert "1 videos with missing files" in said
    assert "--repair" in said
    said = limber("storage", "verify", "--repair", code=1)
    assert "upload the film again" in said
    assert read(database_url, video_id)[0].state == "failed"


def test_verify_repairs_what_has_its_source(database_url: str) -> None:
    video_id = add(database_url, source_bytes=6)
    source = get_settings().media_dir / "sources/film.mp4"
    source.parent.mkdir(parents=True)
    source.write_bytes(b"source")
    assert "waits to be encoded again" in limber("storage", "verify", "--repair")
    row, trail = read(database_url, video_id)
    assert (row.state, row.attempt) == ("queued", 2)
    assert [(entry.action, entry.actor_id) for entry in trail] == [("video.retry", None)]


def test_verify_repairs_nothing_for_an_empty_database(database_url: str) -> None:
    path = get_settings().media_dir / "videos" / str(uuid4()) / "1" / "master.m3u8"
    path.parent.mkdir(parents=True)
    path.write_text("#EXTM3U")
    assert "right one?" in limber("storage", "verify", "--repair", code=1)
    assert path.exists()


def test_one_video_or_all_are_encoded_again(database_url: str) -> None:
    first, second = add(database_url), add(database_url)
    assert "waits to be encoded again" in limber("videos", "encode-again", str(first))
    assert read(database_url, first)[0].state == "queued"
    assert "being worked on already" in limber("videos", "encode-again", str(first), code=1)
    said = limber("videos", "encode-again", "--all")
    assert "1 video waits to be encoded again. 1 is being worked on already" in said
    row, trail = read(database_url, second)
    assert (row.state, len(trail)) == ("queued", 2)


@pytest.mark.parametrize("words", [(), ("--all", str(uuid4()))])
def test_encode_again_wants_one_or_all(words: tuple[str, ...]) -> None:
    assert "--all" in limber("videos", "encode-again", *words, code=2)


def test_an_unknown_video_is_refused_in_words() -> None:
    assert "not here" in limber("videos", "encode-again", str(uuid4()), code=1)
