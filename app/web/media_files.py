"""A film's file from this machine's disk, whole, to whoever was let in; what is small is kept in memory for a while."""

import asyncio
import os
import stat
import time
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app import storage
from app.errors import NotFound
from app.web.one_piece import header_lines, write_response

# What is this small is read at once; a thread for it would cost more than the reading.
SMALL = 64 * 1024
# Of the rest, so much at a time. Starlette's 64 kB cost 1.7 times the CPU.
PIECE = 512 * 1024
# As nginx does with its open files (deploy/nginx/site.conf): what was written again, or is gone, is noticed then.
BELIEVED_S = 2.0
MOST_BYTES = 32 * 2**20
MOST = 4096
# Reads only what is in memory anyway, so that no disk holds up everybody else. Linux alone has it.
_AT_ONCE = getattr(os, "RWF_NOWAIT", None)

Headers = list[tuple[bytes, bytes]]
OK = b"HTTP/1.1 200 OK\r\n"


class Held(NamedTuple):
    """A file as it was at `seen_at` (monotonic seconds): its facts, its headers, and its bytes if they are few.

    `head`: the line of status and the headers, as they go over the wire.
    """

    place: Path
    seen_at: float
    facts: os.stat_result
    headers: Headers
    head: bytes
    body: bytes | None


class Files:
    """The process's memory of files, the least recently wanted first."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = 0

    def recent(self, key: str) -> Held | None:
        """The file under `key` if it was looked at a moment ago."""
        held = self._held.get(key)
        if held is None or time.monotonic() - held.seen_at >= BELIEVED_S:
            return None
        self._held.move_to_end(key)
        return held

    def find(self, key: str, place: Path, headers: dict[str, str]) -> Held | None:
        """The file under `key`, or None when there is none: a symbolic link below the media folder leads nowhere.

        `headers`: what is said of every file of its kind.
        """
        now = time.monotonic()
        held = self._held.get(key)
        facts = _facts(place, key)
        self._drop(key)
        if facts is None:
            return None
        if held is not None and _is_same(held.facts, facts):
            found = held._replace(seen_at=now)
        else:
            told = FileResponse(place, headers=headers, stat_result=facts).raw_headers
            found = Held(place, now, facts, told, OK + header_lines(told), _bytes(place, facts.st_size))
        self._keep(key, found)
        return found

    def _keep(self, key: str, held: Held) -> None:
        self._held[key] = held
        self._bytes += len(held.body or b"")
        while self._bytes > MOST_BYTES or len(self._held) > MOST:
            self._drop(next(iter(self._held)))

    def _drop(self, key: str) -> None:
        gone = self._held.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone.body or b"")


files = Files()


def absent() -> Response:
    return PlainTextResponse(NotFound().sentence, status_code=404, headers={"Cache-Control": "no-store"})


class Whole:
    """The answer 200 with all of a file, or with its headers alone for HEAD."""

    def __init__(self, held: Held, cache_control: str) -> None:
        self.held = held
        self.keep = (b"cache-control", cache_control.encode())

    @property
    def headers(self) -> Headers:
        return [*self.held.headers, self.keep]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held = self.held
        if held.body is not None and write_response(send, held.head + header_lines((self.keep,)), held.body):
            return
        if scope["method"] == "HEAD" or held.body is not None:
            body = held.body if held.body is not None and scope["method"] != "HEAD" else b""
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            await send({"type": "http.response.body", "body": body})
        elif "http.response.pathsend" in scope.get("extensions", {}):
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            await send({"type": "http.response.pathsend", "path": str(self.held.place)})
        else:
            try:
                file = os.open(self.held.place, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                await absent()(scope, receive, send)
                return
            await self._in_pieces(file, send)

    async def _in_pieces(self, file: int, send: Send) -> None:
        size = self.held.facts.st_size
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            at = 0
            while at < size:
                piece = _ready(file, at, min(PIECE, size - at)) or await asyncio.to_thread(
                    os.pread, file, min(PIECE, size - at), at
                )
                if not piece:
                    raise RuntimeError(f"{self.held.place} is shorter than it was")
                at += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": at < size})
        finally:
            os.close(file)


def _ready(file: int, at: int, size: int) -> bytes | None:
    """What is in memory of these bytes; None when the disk must be asked."""
    if _AT_ONCE is None:
        return None
    room = bytearray(size)
    try:
        count = os.preadv(file, [room], at, _AT_ONCE)
    except OSError:
        # Not there yet, or a file system that cannot tell.
        return None
    # The room is nobody else's, so it need not be copied into `bytes`.
    return room if count == size else memoryview(room)[:count]  # type: ignore[return-value]


def _bytes(place: Path, size: int) -> bytes | None:
    """All of a small file, if it is as long as it was a moment ago."""
    if size > SMALL:
        return None
    try:
        found = place.read_bytes()
    except OSError:
        return None
    return found if len(found) == size else None


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_ino, one.st_size, one.st_mtime_ns) == (other.st_ino, other.st_size, other.st_mtime_ns)


@lru_cache(maxsize=4)
def _root(media_dir: Path) -> str:
    return os.path.realpath(media_dir)


def _facts(place: Path, key: str) -> os.stat_result | None:
    root = storage.local_path("")
    assert root is not None
    try:
        found = place.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or os.path.realpath(place) != f"{_root(root)}/{key}":
        return None
    return found
