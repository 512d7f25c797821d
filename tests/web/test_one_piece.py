"""A small file goes out in one piece past ASGI's messages, and is the same answer as with them."""

import asyncio

import pytest

from app.web.one_piece import write_response
from tests.playback.scene import SEGMENT, segment_of
from tests.web.line import Line


def get(address: str, *headers: str, method: str = "GET") -> bytes:
    head = "".join(f"{one}\r\n" for one in ("Host: limber.test", *headers))
    return f"{method} {address} HTTP/1.1\r\n{head}\r\n".encode()


def told(head: bytes) -> list[bytes]:
    """The line of status, and each header once, in any order; when it was said, and for how long, may differ."""
    first, *others = head.strip().split(b"\r\n")
    varying = (b"date:", b"cache-control: private, max-age=")
    return [first, *sorted(next((v for v in varying if one.startswith(v)), one) for one in others)]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each answer that could have: whether it went out in one piece."""
    seen: list[bool] = []

    def noting(*said: object) -> bool:
        seen.append(write_response(*said))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr("app.web.media_files.write_response", noting)
    return seen


async def test_it_is_the_same_answer(line: Line, at_once: list[bool]) -> None:
    segment = segment_of(line.address)
    await line.say(get(segment))
    status, head, body = await line.answer()
    assert (status, body) == (200, SEGMENT)
    # The line goes on, and a new one is told that it does not.
    await line.say(get(segment, "Connection: close"))
    _status, other, same = await line.answer()
    assert same == body
    assert at_once == [True, False]
    assert told(other) == sorted(
        [*told(head), b"connection: close"], key=lambda one: (one != told(head)[0], one)
    )
    assert await line.reader.read() == b""


async def test_a_head_has_no_body(line: Line, at_once: list[bool]) -> None:
    segment = segment_of(line.address)
    await line.say(get(segment, method="HEAD"), get(segment))
    head = await asyncio.wait_for(line.reader.readuntil(b"\r\n\r\n"), 5)
    # What comes next is the next answer.
    status, other, body = await line.answer()
    assert (status, body) == (200, SEGMENT)
    assert told(head) == told(other)
    assert at_once == [False, True]


async def test_many_that_are_asked_for_in_one_breath_come_in_their_order(
    line: Line, at_once: list[bool]
) -> None:
    segment, gone = segment_of(line.address), line.address.replace("master", "gone")
    asked = [segment, gone, line.address, segment, "/healthz", segment]
    await line.say(b"".join(get(one) for one in asked))
    seen = [await line.answer() for _ in asked]
    assert [status for status, _head, _body in seen] == [200, 404, 200, 200, 200, 200]
    assert [body == SEGMENT for _status, _head, body in seen] == [True, False, False, True, False, True]
    assert at_once == [True] * 4


async def test_who_reads_slowly_is_waited_for(line: Line, at_once: list[bool]) -> None:
    """A thousand small files are not piled up in memory for one who reads none of them."""
    segment = segment_of(line.address)
    count = 3_000
    line.writer.write(get(segment) * count)
    await asyncio.sleep(0.5)
    begun = len(at_once)
    assert begun < count
    for _ in range(count):
        status, _head, body = await line.answer()
        assert (status, len(body)) == (200, len(SEGMENT))
    assert len(at_once) == count
    assert True in at_once
    assert False in at_once
