"""Objects as a store keeps them: listed in batches, looked at and deleted, in the configured store or any other."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import obstore
from obstore.store import LocalStore, from_url

from app import storage

LIST_BATCH = 1000


@dataclass(frozen=True)
class Stored:
    """One object. `etag` is what its store says of its bytes: on disk nothing that another store could compare."""

    key: str
    size_bytes: int
    changed_at: datetime
    etag: str


def open_at(place: str | Path) -> Any:
    """A store other than the configured one: an address (`s3://bucket/prefix`) or a folder, made when absent."""
    if isinstance(place, Path):
        place.mkdir(parents=True, exist_ok=True)
        return LocalStore(place, mkdir=True)
    return from_url(place)


async def batches(prefix: str = "", at: Any = None) -> AsyncIterator[list[Stored]]:
    """What lies under the folder `prefix` ("videos", no slash; empty: everything), at most LIST_BATCH at a time."""
    async for batch in obstore.list(at or storage.store(), prefix=prefix or None, chunk_size=LIST_BATCH):
        yield [_stored(meta) for meta in batch]


async def look(key: str, at: Any = None) -> Stored | None:
    """What is known of one object; None when nothing is there."""
    try:
        return _stored(await obstore.head_async(at or storage.store(), key))
    except FileNotFoundError:
        return None


async def delete(keys: list[str], at: Any = None) -> None:
    """Remove objects; what is gone already is no error."""
    with suppress(FileNotFoundError):
        await obstore.delete_async(at or storage.store(), keys)


def _stored(meta: Any) -> Stored:
    etag = (meta.get("e_tag") or "").strip('"')
    return Stored(meta["path"], int(meta["size"]), meta["last_modified"], etag)
