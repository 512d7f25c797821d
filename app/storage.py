"""The one door to bytes: local disk or any S3, through obstore; keys are relative, with forward slashes."""

from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.store import LocalStore, from_url

from app.settings import get_settings

if TYPE_CHECKING:
    from obstore import GetOptions


@lru_cache(maxsize=1)
def store() -> Any:
    """The configured object store (obstore `LocalStore`, `S3Store`, …)."""
    settings = get_settings()
    if settings.storage_url:
        return from_url(settings.storage_url)
    settings.media_dir.mkdir(parents=True, exist_ok=True)
    return LocalStore(settings.media_dir, mkdir=True)


def local_path(key: str) -> Path | None:
    """Where `key` lies on this machine's disk, or None when media is in S3."""
    settings = get_settings()
    return None if settings.storage_url else settings.media_dir / key


async def put(key: str, data: bytes | Path) -> None:
    """Store bytes, or a file's bytes, under `key`; large files go up in parts."""
    await obstore.put_async(store(), key, data)


async def size(key: str) -> int | None:
    """Bytes under `key`, or None when nothing is there."""
    try:
        meta = await obstore.head_async(store(), key)
    except FileNotFoundError:
        return None
    return int(meta["size"])


async def read(key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
    """Stream `key` from `start`, `length` bytes or to the end.

    Raises:
        FileNotFoundError: when nothing is there.
    """
    options: GetOptions = {}
    if length is not None:
        options = {"range": (start, start + length)}
    elif start:
        options = {"range": {"offset": start}}
    answer = await obstore.get_async(store(), key, options=options)
    async for chunk in answer.stream(min_chunk_size=256 * 1024):
        yield bytes(chunk)


async def delete_prefix(prefix: str) -> int:
    """Remove every object whose key starts with `prefix`; answers how many."""
    removed = 0
    async for batch in obstore.list(store(), prefix=prefix):
        paths = [meta["path"] for meta in batch]
        if paths:
            await obstore.delete_async(store(), paths)
            removed += len(paths)
    return removed


async def check() -> None:
    """Write and remove a probe.

    Raises:
        Exception: whatever the store answers when it is full, absent or refuses us.
    """
    await obstore.put_async(store(), ".probe", b"ok")
    await obstore.delete_async(store(), ".probe")
