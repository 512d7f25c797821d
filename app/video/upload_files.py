"""The bytes of uploads on disk: written at an offset, flushed, and moved to their place when whole (blocking)."""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from uuid import UUID, uuid5

from app.settings import get_settings
from app.storage import local_path

FOLDER = "uploads"
COPY_BYTES = 4 * 2**20


def folder() -> Path:
    return get_settings().data_dir / FOLDER


def path_of(upload_id: UUID) -> Path:
    return folder() / str(upload_id)


def video_id_of(upload_id: UUID) -> UUID:
    """The id of the video that an upload becomes: as unguessable as the upload's own, and known beforehand."""
    return uuid5(upload_id, "video")


def free_bytes() -> int:
    """Bytes that are free where uploads are kept."""
    folder().mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder()).free


def create(upload_id: UUID) -> None:
    """Make the empty file, so that a full or read-only disk is noticed before bytes are sent."""
    folder().mkdir(parents=True, exist_ok=True)
    os.close(os.open(path_of(upload_id), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    flush_folder(folder())


def open_at(upload_id: UUID, offset: int) -> tuple[int, int]:
    """Open the file and cut what lies beyond `offset`: it was never acknowledged.

    Answers the descriptor and the offset to go on from: smaller than asked when bytes are missing on disk
    (a restored backup), because a file that is extended would have a hole of zeros in it.
    """
    handle = os.open(path_of(upload_id), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        start = min(offset, os.fstat(handle).st_size)
        os.ftruncate(handle, start)
    except BaseException:
        os.close(handle)
        raise
    return handle, start


def write(handle: int, data: bytes | memoryview, offset: int, *, flush: bool = True) -> None:
    """Write all of `data` at `offset` and flush it to the disk."""
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
    if flush:
        os.fsync(handle)


def write_to(path: Path, data: memoryview, offset: int, *, flush: bool) -> None:
    """As `write`, into the file at `path`, which is made when `data` is its beginning."""
    kind = os.O_CREAT if offset == 0 else 0
    handle = os.open(path, kind | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        write(handle, data, offset, flush=flush)
    finally:
        os.close(handle)
    if flush and offset == 0:
        flush_folder(path.parent)


class FileSink:
    """Where one request's bytes go when films are kept on this disk: into one file, opened and cut."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    async def write(self, data: bytes, offset: int) -> None:
        await asyncio.to_thread(write, self.handle, data, offset)

    def close(self) -> None:
        os.close(self.handle)


def remove(upload_id: UUID) -> None:
    """The file, or the files of parts."""
    path_of(upload_id).unlink(missing_ok=True)
    for path in folder().glob(f"{upload_id}.*"):
        path.unlink(missing_ok=True)


def settle(upload_id: UUID, key: str, length: int) -> bool:
    """Move a whole upload to `key` under the media root; done already is done. Durable when it returns.

    False when media is not on this disk: the caller stores it through the storage door instead.

    Raises:
        FileNotFoundError: when neither place has all `length` bytes.
    """
    here, place = path_of(upload_id), local_path(key)
    if place is None:
        return False
    if has_all(place, length):
        here.unlink(missing_ok=True)
        return True
    if not has_all(here, length):
        raise FileNotFoundError(here)
    place.parent.mkdir(parents=True, exist_ok=True)
    if here.stat().st_dev == place.parent.stat().st_dev:
        here.replace(place)
    else:
        _copy(here, place)
        here.unlink()
    flush_folder(place.parent)
    flush_folder(place.parent.parent)
    return True


def has_all(path: Path, length: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size == length
    return False


def _copy(source: Path, target: Path) -> None:
    """Across file systems: a copy beside the target, flushed, then one rename."""
    beside = target.with_name(f".{target.name}.part")
    with source.open("rb") as reading, beside.open("wb") as writing:
        shutil.copyfileobj(reading, writing, COPY_BYTES)
        writing.flush()
        os.fsync(writing.fileno())
    beside.replace(target)


def flush_folder(place: Path) -> None:
    """Make names in a folder durable: a file's own fsync does not."""
    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
