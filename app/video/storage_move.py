"""Carry every object from one store to another: resumable, checked byte for byte, deleting nothing on the way."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import obstore

from app.video import objects
from app.video.objects import Stored

# S3 tells the MD5 of an object that came in one part, and the MD5 of the parts' MD5s of one that came in several;
# with parts of a known size both can be computed here, and nothing has to be read back.
PART_BYTES = 8 * 2**20
PARTS_AT_ONCE = 4

Say = Callable[[str], None]


class Incomplete(Exception):
    """Objects of the source are not, or not the same, at the target; the message names the first of them."""


class Differs(Exception):
    """What arrived is not what was sent."""


@dataclass
class Carried:
    """Counts of one run. `kept`: was there already, with the same bytes."""

    copied: int = 0
    kept: int = 0
    size_bytes: int = 0


class Digests:
    """The digests of a stream of bytes, taken as it passes."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._part = hashlib.md5(usedforsecurity=False)
        self._parts: list[bytes] = []
        self._in_part = 0

    def take(self, data: bytes) -> None:
        self._whole.update(data)
        self._md5.update(data)
        view = memoryview(data)
        while view:
            piece = view[: PART_BYTES - self._in_part]
            self._part.update(piece)
            self._in_part += len(piece)
            view = view[len(piece) :]
            if self._in_part == PART_BYTES:
                self._parts.append(self._part.digest())
                self._part, self._in_part = hashlib.md5(usedforsecurity=False), 0

    @property
    def sha256(self) -> str:
        return self._whole.hexdigest()

    @property
    def etags(self) -> set[str]:
        """What S3 calls these bytes, sent whole or in parts of PART_BYTES."""
        is_begun = self._in_part > 0 or not self._parts
        parts = [*self._parts, self._part.digest()] if is_begun else self._parts
        joined = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
        return {self._md5.hexdigest(), f"{joined}-{len(parts)}"}


async def move(source: Any, target: Any, say: Say) -> Carried:
    """Copy what the target lacks; what it has with the same bytes is left. Run again after a stop, it goes on.

    Memory is bounded by PART_BYTES and PARTS_AT_ONCE, whatever the sizes.

    Raises:
        Differs: an object arrived other than it was sent, twice.
        Incomplete: something changed meanwhile; another run mends it.
    """
    done = Carried()
    async for entry in _entries(source):
        if await is_same(source, target, entry):
            done.kept += 1
        else:
            await _carry(source, target, entry)
            done.copied += 1
            say(f"copied {entry.key} ({entry.size_bytes} bytes)")
        done.size_bytes += entry.size_bytes
    async for entry in _entries(source):
        await _check_there(target, entry)
    return done


async def delete_source(source: Any, target: Any) -> int:
    """Delete at the source what the target has, after every object was compared once more; answers how many.

    Raises:
        Incomplete: one is missing or differs; nothing was deleted.
    """
    async for entry in _entries(source):
        if not await is_same(source, target, entry):
            raise Incomplete(entry.key)
    removed = 0
    async for batch in objects.batches(at=source):
        keys = []
        for entry in filter(is_carried, batch):
            # Written since the comparison: the next run carries it.
            await _check_there(target, entry)
            keys.append(entry.key)
        if keys:
            await objects.delete(keys, source)
            removed += len(keys)
    return removed


async def is_same(source: Any, target: Any, entry: Stored) -> bool:
    """Whether the target holds the same bytes under the same key."""
    there = await objects.look(entry.key, target)
    if there is None or there.size_bytes != entry.size_bytes:
        return False
    ours = await _digests(source, entry.key)
    return there.etag in ours.etags or (await _digests(target, entry.key)).sha256 == ours.sha256


def is_carried(entry: Stored) -> bool:
    """Half-written files have names that begin with a dot: they belong to whoever writes them."""
    return not any(part.startswith(".") for part in entry.key.split("/"))


async def _entries(source: Any) -> AsyncIterator[Stored]:
    async for batch in objects.batches(at=source):
        for entry in filter(is_carried, batch):
            yield entry


async def _check_there(target: Any, entry: Stored) -> None:
    there = await objects.look(entry.key, target)
    if there is None or there.size_bytes != entry.size_bytes:
        raise Incomplete(entry.key)


async def _carry(source: Any, target: Any, entry: Stored) -> None:
    for _try in range(2):
        taken = Digests()
        stream = _stream(source, entry.key, taken)
        if entry.size_bytes <= PART_BYTES:
            # Most objects are segments: one request each instead of three.
            whole = b"".join([piece async for piece in stream])
            await obstore.put_async(target, entry.key, whole, use_multipart=False)
        else:
            await obstore.put_async(
                target, entry.key, stream, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        there = await objects.look(entry.key, target)
        if there is not None and (
            there.etag in taken.etags or (await _digests(target, entry.key)).sha256 == taken.sha256
        ):
            return
    raise Differs(entry.key)


async def _digests(at: Any, key: str) -> Digests:
    taken = Digests()
    async for _piece in _stream(at, key, taken):
        pass
    return taken


async def _stream(at: Any, key: str, taken: Digests) -> AsyncIterator[bytes]:
    answer = await obstore.get_async(at, key)
    async for chunk in answer.stream(min_chunk_size=2**20):
        piece = bytes(chunk)
        taken.take(piece)
        yield piece
