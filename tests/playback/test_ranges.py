"""Pieces of a stream, asked for as players and as others do, from the disk and from an object store alike."""

import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app import db, storage
from app.playback.standing import standing
from app.settings import get_settings
from tests.playback.scene import SEGMENT, SIGN_IN, device, fill, segment_of, set_up, start

SIZE = len(SEGMENT)


@dataclass(frozen=True)
class Watching:
    browser: httpx.AsyncClient
    url: str

    async def get(self, **headers: str) -> httpx.Response:
        return await self.browser.get(
            self.url, headers={name.replace("_", "-"): told for name, told in headers.items()}
        )


@pytest.fixture(params=["disk", "object store"])
def door(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Where streams are kept: in the data folder, or behind the door to S3, over a store that is a folder."""
    if request.param == "object store":
        os.environ["LIMBER_STORAGE_URL"] = f"file://{tmp_path}"
    get_settings.cache_clear()
    storage.store.cache_clear()
    yield request.param
    os.environ.pop("LIMBER_STORAGE_URL", None)
    get_settings.cache_clear()
    storage.store.cache_clear()


@pytest.fixture
async def watching(door: str, database: db.Database) -> AsyncIterator[Watching]:
    standing.forget()
    scene = await set_up()
    folder = fill(scene.free.video_id)
    if door == "object store":
        key = f"videos/{scene.free.video_id}/1/360p/seg_00001.m4s"
        await storage.put(key, folder / "360p" / "seg_00001.m4s")
        (folder / "360p" / "seg_00001.m4s").unlink()
    async with device() as browser:
        yield Watching(browser, segment_of((await start(browser, scene.free))["playlist_url"]))


SINGLE = [
    ("bytes=0-0", SEGMENT[:1], f"bytes 0-0/{SIZE}"),
    ("bytes=256-511", SEGMENT[256:512], f"bytes 256-511/{SIZE}"),
    ("bytes=10000-", SEGMENT[10000:], f"bytes 10000-{SIZE - 1}/{SIZE}"),
    ("bytes=0-", SEGMENT, f"bytes 0-{SIZE - 1}/{SIZE}"),
    ("bytes=10000-99999999", SEGMENT[10000:], f"bytes 10000-{SIZE - 1}/{SIZE}"),
    ("bytes=-1", SEGMENT[-1:], f"bytes {SIZE - 1}-{SIZE - 1}/{SIZE}"),
    ("bytes=-99999999", SEGMENT, f"bytes 0-{SIZE - 1}/{SIZE}"),
    ("Bytes = 5-9 ", SEGMENT[5:10], f"bytes 5-9/{SIZE}"),
]


async def test_one_range_is_exactly_those_bytes_and_head_tells_the_same(watching: Watching) -> None:
    for asked, expected, content_range in SINGLE:
        answer = await watching.get(Range=asked)
        assert (answer.status_code, answer.headers["content-range"]) == (206, content_range), asked
        assert answer.content == expected
        assert answer.headers["content-length"] == str(len(expected))
        assert answer.headers["content-type"] == "video/iso.segment"
        assert answer.headers["cache-control"].startswith("private, max-age=")
        head = await watching.browser.head(watching.url, headers={"Range": asked})
        assert (head.status_code, head.content) == (206, b"")
        for name in ("content-range", "content-length", "content-type"):
            assert head.headers[name] == answer.headers[name]


async def test_a_range_of_which_nothing_is_there_is_416_and_tells_the_size(watching: Watching) -> None:
    for asked in (f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=999999999999999999-", "bytes=-0"):
        answer = await watching.get(Range=asked)
        assert (answer.status_code, answer.content) == (416, b""), asked
        assert answer.headers["content-range"] == f"bytes */{SIZE}"


async def test_a_range_that_is_not_understood_is_ignored(watching: Watching) -> None:
    for asked in (
        "seconds=0-9",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=9-5",
        "bytes=0x1-0x2",
        "bytes=1_0-2_0",
        "bytes=+1-5",
        "bytes=--5",
        "bytes=0-1,9-5",
        "bytes=1" + "0" * 400 + "-",
        "0-9",
    ):
        answer = await watching.get(Range=asked)
        assert (answer.status_code, len(answer.content)) == (200, SIZE), asked
        assert "content-range" not in answer.headers


async def test_several_ranges_come_as_parts_or_as_the_whole(watching: Watching, door: str) -> None:
    answer = await watching.get(Range="bytes=0-9,100-109, -5")
    if door == "object store":
        assert (answer.status_code, answer.content) == (200, SEGMENT)
        return
    assert answer.status_code == 206
    kind, _semicolon, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    assert answer.headers["content-length"] == str(len(answer.content))
    parts = answer.content.split(f"--{boundary}".encode())[1:-1]
    bodies = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]
    assert bodies == [SEGMENT[:10], SEGMENT[100:110], SEGMENT[-5:]]
    spans = re.findall(rb"Content-Range: (bytes [0-9-]+/[0-9]+)", answer.content)
    assert spans == [
        b"bytes 0-9/%d" % SIZE,
        b"bytes 100-109/%d" % SIZE,
        b"bytes %d-%d/%d" % (SIZE - 5, SIZE - 1, SIZE),
    ]


async def test_no_list_of_ranges_makes_an_answer_longer_than_the_film(watching: Watching) -> None:
    for asked in ("0-," * 50 + "0-", ",".join(f"{n}-" for n in range(90)), "0-0," * 2000 + "0-0"):
        answer = await watching.get(Range=f"bytes={asked}")
        assert answer.status_code in (200, 206)
        assert len(answer.content) <= SIZE


async def test_the_whole_comes_with_its_size_and_head_without_its_bytes(watching: Watching) -> None:
    whole = await watching.get()
    assert (whole.status_code, whole.content) == (200, SEGMENT)
    head = await watching.browser.head(watching.url)
    assert (head.status_code, head.content) == (200, b"")
    for answer in (whole, head):
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-length"] == str(SIZE)


async def test_who_may_not_watch_learns_no_size_by_head_or_range(watching: Watching) -> None:
    token = watching.url.split("/")[2]
    url = watching.url.replace(token, token[:-1] + ("A" if token[-1] != "A" else "B"))
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": f"bytes={SIZE}-"}, {"If-None-Match": "*"}):
        answer = await watching.browser.get(url, headers=headers)
        assert (answer.status_code, answer.text) == (403, SIGN_IN)
        head = await watching.browser.head(url, headers=headers)
        assert (head.status_code, head.content) == (403, b"")
        for name in ("content-range", "accept-ranges", "etag", "last-modified"):
            assert name not in answer.headers
            assert name not in head.headers
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert (await watching.browser.request(method, watching.url)).status_code == 405


@pytest.mark.parametrize("door", ["disk"], indirect=True)
async def test_if_range_gives_the_piece_only_of_the_same_file(watching: Watching) -> None:
    whole = await watching.get()
    for same in (whole.headers["etag"], whole.headers["last-modified"]):
        assert (await watching.get(Range="bytes=0-9", If_Range=same)).content == SEGMENT[:10]
    for other in ('"another"', "W/" + whole.headers["etag"], "Thu, 01 Jan 2026 00:00:00 GMT", "x"):
        answer = await watching.get(Range="bytes=0-9", If_Range=other)
        assert (answer.status_code, answer.content) == (200, SEGMENT)
