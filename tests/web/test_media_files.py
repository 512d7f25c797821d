"""Files of films from this machine's disk: whole, from memory while they are small, and never what was there before."""

import asyncio
import random
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import db
from app.settings import get_settings
from app.web import media_files
from app.web.media_files import Files, Whole, files
from tests.playback.scene import device, fill, segment_of, set_up, start

SAID = {"Content-Type": "video/iso.segment"}


def written(name: str, data: bytes) -> Path:
    place = get_settings().media_dir / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return place


async def sent_for(whole: Whole, **scope: Any) -> list[MutableMapping[str, Any]]:
    """What the server is given for a GET, or as `scope` says."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    await whole({"type": "http", "method": "GET", **scope}, receive, send)
    return sent


def found(key: str, place: Path) -> media_files.Held:
    held = files.find(key, place, SAID)
    assert held is not None
    return held


async def test_a_large_file_comes_in_pieces_byte_for_byte() -> None:
    data = random.Random(1).randbytes(3 * media_files.PIECE + 17)
    held = found("a/large.m4s", written("a/large.m4s", data))
    assert held.body is None
    sent = await sent_for(Whole(held, "private"))
    assert b"".join(bytes(message["body"]) for message in sent[1:]) == data
    assert len(sent) == 5
    assert [message["more_body"] for message in sent[1:]] == [True, True, True, False]
    assert (b"content-length", str(len(data)).encode()) in sent[0]["headers"]
    head = await sent_for(Whole(held, "private"), method="HEAD")
    assert (head[0]["headers"], head[1]["body"]) == (sent[0]["headers"], b"")


async def test_a_disk_that_cannot_answer_at_once_is_asked_in_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media_files, "_AT_ONCE", None)
    data = random.Random(2).randbytes(media_files.PIECE + 5)
    sent = await sent_for(Whole(found("a/slow.m4s", written("a/slow.m4s", data)), "private"))
    assert b"".join(message["body"] for message in sent[1:]) == data


async def test_a_server_that_can_send_files_itself_is_told_which() -> None:
    place = written("a/path.m4s", bytes(media_files.SMALL + 1))
    extensions: dict[str, Any] = {"http.response.pathsend": {}}
    sent = await sent_for(Whole(found("a/path.m4s", place), "private"), extensions=extensions)
    assert sent[1:] == [{"type": "http.response.pathsend", "path": str(place)}]


async def test_a_large_file_that_is_gone_meanwhile_is_404_and_one_that_shrank_breaks_off() -> None:
    place = written("a/gone.m4s", bytes(media_files.SMALL + 1))
    held = found("a/gone.m4s", place)
    place.write_bytes(b"short")
    with pytest.raises(RuntimeError, match="shorter"):
        await sent_for(Whole(held, "private"))
    place.unlink()
    assert (await sent_for(Whole(held, "private")))[0]["status"] == 404


def test_the_memory_of_small_files_is_bounded_and_keeps_the_last_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media_files, "MOST_BYTES", 2500)
    mine = Files()
    for name in ("x", "y", "z"):
        mine.find(name, written(name, bytes(1000)), SAID)
        mine.recent("x")
    assert [name for name in ("x", "y", "z") if mine.recent(name)] == ["x", "z"]


async def test_what_was_written_again_or_removed_is_noticed(
    database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database
    monkeypatch.setattr(media_files, "BELIEVED_S", 0.2)
    scene = await set_up()
    place = fill(scene.free.video_id) / "360p" / "seg_00001.m4s"
    async with device() as browser:
        address = segment_of((await start(browser, scene.free))["playlist_url"])

        async def asked() -> httpx.Response:
            await asyncio.sleep(0.25)
            return await browser.get(address)

        first = await asked()
        again = await browser.get(address)
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        place.write_bytes(b"other")
        second = await asked()
        assert (second.content, second.headers["content-length"]) == (b"other", "5")
        assert second.headers["etag"] != first.headers["etag"]
        place.unlink()
        assert (await asked()).status_code == 404
