"""Take the bytes of one request: in blocks, flushed and committed one by one, giving up on a line that went silent."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.errors import LimberError, TooLarge
from app.i18n import _
from app.video import tus

# Two blocks are in memory at most: one being written, one arriving. Both together are what a crash can cost.
BLOCK_BYTES = 4 * 2**20
BLOCK_S = 3.0
SILENT_S = 20.0
PUSHED_AFTER_S = 2.0

# Requests of this process that wait for bytes: when they began to wait, and the timeout that ends it.
_waiting: dict[UUID, tuple[float, asyncio.Timeout]] = {}


class DiskFull(LimberError):
    """What arrived until then is kept; the client may go on when there is room."""

    status = 507
    code = "disk-full"

    def default_sentence(self) -> str:
        return _("The disk is full. What has arrived is kept; go on when there is room again.")


class Sink(Protocol):
    """Where bytes become durable."""

    async def write(self, data: bytes, offset: int) -> None: ...

    def close(self) -> None: ...


@dataclass
class Receiver:
    """Writes one request's bytes into an open upload. `offset` counts what is durable and committed.

    `advance(old, new)` records the offset. With a checksum nothing counts until all of it was compared.
    """

    upload_id: UUID
    sink: Sink
    offset: int
    length: int
    advance: Callable[[int, int], Awaitable[None]]
    checksum: tus.Checksum | None = None

    def __post_init__(self) -> None:
        self._hash = self.checksum.start() if self.checksum else None
        self._written = self.offset

    async def take(self, body: AsyncIterator[bytes]) -> None:
        """Keep all that arrives until `body` ends, by itself or because its line went silent.

        Raises:
            TooLarge: when more comes than was announced at creation.
            tus.ChecksumMismatch: nothing of this request was kept.
            DiskFull: what was flushed until then is kept.
        """
        writing: asyncio.Task[None] | None = None
        try:
            async for block in self._blocks(body):
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._keep(block))
        finally:
            if writing is not None:
                await writing
        if self.checksum is not None and self._hash is not None:
            if self._hash.digest() != self.checksum.digest:
                raise tus.ChecksumMismatch
            await self._record()

    async def _keep(self, block: bytes) -> None:
        if self._written + len(block) > self.length:
            raise TooLarge(_("More bytes came than the file was said to have."))
        try:
            await _unbroken(asyncio.create_task(self._write(block)))
        except OSError as fault:
            if fault.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull from fault
            raise
        self._written += len(block)
        if self._hash is None:
            await self._record()

    async def _write(self, block: bytes) -> None:
        """Hashed while the disk is waited for: neither holds Python's lock."""
        if self._hash is None:
            await self.sink.write(block, self._written)
            return
        hashing = asyncio.create_task(asyncio.to_thread(self._hash.update, block))
        try:
            await self.sink.write(block, self._written)
        finally:
            await hashing

    async def _record(self) -> None:
        if self._written != self.offset:
            await self.advance(self.offset, self._written)
            self.offset = self._written

    async def _blocks(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """`body` in blocks of BLOCK_BYTES or BLOCK_S, whichever is full first: a slow line loses little too."""
        loop = asyncio.get_running_loop()
        parts: list[bytes] = []
        count, began = 0, loop.time()
        async for chunk in patient(self.upload_id, body):
            if not parts:
                began = loop.time()
            parts.append(chunk)
            count += len(chunk)
            if count >= BLOCK_BYTES or loop.time() - began >= BLOCK_S:
                yield b"".join(parts)
                parts, count = [], 0
        if parts:
            yield b"".join(parts)


async def _unbroken(writing: asyncio.Task[None]) -> None:
    """Wait for a write to its end, also when cancelled: the file it writes to must not be closed under it."""
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        raise


async def patient(upload_id: UUID, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """`body` until it ends, is silent for SILENT_S, or `push_aside` was called: a dead line holds no lock for long."""
    loop = asyncio.get_running_loop()
    chunks = aiter(body)
    with suppress(TimeoutError, StopAsyncIteration):
        while True:
            async with asyncio.timeout(SILENT_S) as patience:
                _waiting[upload_id] = (loop.time(), patience)
                try:
                    chunk = await anext(chunks)
                finally:
                    _waiting.pop(upload_id, None)
            if chunk:
                yield chunk


def push_aside(upload_id: UUID) -> None:
    """A second request wants this upload: end one that has heard nothing for 2 s (the line it came by is dead)."""
    since, patience = _waiting.get(upload_id, (0.0, None))
    now = asyncio.get_running_loop().time()
    if patience is not None and now - since >= PUSHED_AFTER_S:
        patience.reschedule(now)
