"""The one door to bytes: local disk or any S3, through obstore; keys are relative, with forward slashes."""

import asyncio
import hashlib
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, from_url

from app.errors import Unavailable
from app.i18n import _
from app.settings import get_settings

if TYPE_CHECKING:
    from obstore import GetOptions

# What goes up to S3 in one request; larger things go in parts of it.
PART_BYTES = 8 * 2**20
# Apart from asyncio's own threads: an S3 that hangs must not take those that write to the disk.
_parts_line = ThreadPoolExecutor(8, thread_name_prefix="parts")


class StorageDown(Unavailable):
    """S3 does not answer, or refuses; what was told to be stored still is."""

    code = "storage-down"

    def default_sentence(self) -> str:
        return _(
            "The storage for films does not answer at the moment. What has arrived is kept; it will be tried again."
        )


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


async def put_stream(key: str, pieces: AsyncIterator[bytes], length: int) -> None:
    """Store `length` bytes as they come, in bounded memory; nothing is there under `key` before the last has come.

    Durable when it returns. A process that dies leaves at most a hidden file beside the place, for the next try.

    Raises:
        Exception: what `pieces` raises; then nothing was stored.
    """
    place = local_path(key)
    if place is None:
        if length <= PART_BYTES:
            whole = b"".join([piece async for piece in pieces])
            await obstore.put_async(store(), key, whole, use_multipart=False)
        else:
            await obstore.put_async(store(), key, pieces, chunk_size=PART_BYTES, max_concurrency=4)
        return
    beside = place.with_name(f".{place.name}.part")
    await asyncio.to_thread(place.parent.mkdir, parents=True, exist_ok=True)
    try:
        with beside.open("wb") as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(_flush, file)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


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


async def signed_url(key: str, seconds: int) -> str:
    """An address at which S3 itself hands out `key` to anybody, for so long."""
    return str(await obstore.sign_async(store(), "GET", key, timedelta(seconds=seconds)))


async def get(key: str) -> bytes:
    """All bytes of a small object.

    Raises:
        FileNotFoundError: when nothing is there.
    """
    answer = await obstore.get_async(store(), key)
    return bytes(await answer.bytes_async())


async def sizes(folder: str) -> dict[str, int]:
    """Bytes of every object below `folder`, by key."""
    return {
        meta["path"]: int(meta["size"])
        async for batch in obstore.list(store(), prefix=folder)
        for meta in batch
    }


async def delete(keys: list[str]) -> None:
    """Remove these objects; what is gone already is no fault."""
    if keys:
        await obstore.delete_async(store(), keys)


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


def takes_parts() -> bool:
    """Whether an object can be sent in parts that survive a restart of this process: S3 only."""
    return get_settings().storage_url.startswith("s3://")


@lru_cache(maxsize=1)
def _s3() -> tuple[Any, str, str]:
    """A boto3 client, the bucket, and what every key begins with. Reads the same AWS_* variables as obstore."""
    # Half a second and 20 MB that only S3 needs. It has no type stubs.
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    parts = urlsplit(get_settings().storage_url)
    folder = parts.path.strip("/")
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "max_attempts": 2},
        # Content-MD5 says the same and is understood by every S3, CRC32 trailers are not.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client("s3", config=config), parts.netloc, f"{folder}/" if folder else ""


async def _asked(act: Callable[[Any, dict[str, Any]], Any], key: str) -> Any:
    """What S3 answers `act(client, {"Bucket", "Key"})`, in a thread.

    Raises:
        StorageDown: it does not answer, or refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    def ask() -> Any:
        client, bucket, folder = _s3()
        return act(client, {"Bucket": bucket, "Key": folder + key})

    try:
        return await asyncio.get_running_loop().run_in_executor(_parts_line, ask)
    except (BotoCoreError, ClientError) as fault:
        raise StorageDown from fault


async def open_parts(key: str) -> str:
    """Begin an S3 multipart upload of `key` and answer its id.

    Raises:
        StorageDown: as all that concern parts.
    """
    answer = await _asked(lambda s3, at: s3.create_multipart_upload(**at), key)
    return str(answer["UploadId"])


async def put_part(key: str, parts_id: str, number: int, path: Path) -> str:
    """Send a file as part `number` (from 1; at least 5 MiB unless the last) and answer its ETag. Again replaces it."""

    def send(s3: Any, at: dict[str, Any]) -> str:
        data = path.read_bytes()
        md5 = b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        answer = s3.upload_part(**at, UploadId=parts_id, PartNumber=number, Body=data, ContentMD5=md5)
        return str(answer["ETag"])

    return str(await _asked(send, key))


async def join_parts(key: str, parts_id: str, etags: list[str], length: int) -> None:
    """Make one object of `length` bytes of the parts; done already is done.

    Raises:
        StorageDown: also when the object has another length afterwards.
    """

    def join(s3: Any, at: dict[str, Any]) -> bool:
        # A page of one key instead of HEAD: a key that is not there is no error then.
        def is_there() -> bool:
            found = s3.list_objects_v2(Bucket=at["Bucket"], Prefix=at["Key"], MaxKeys=1).get("Contents", [])
            return any(meta["Key"] == at["Key"] and meta["Size"] == length for meta in found)

        if is_there():
            return True
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        s3.complete_multipart_upload(**at, UploadId=parts_id, MultipartUpload={"Parts": parts})
        return is_there()

    if not await _asked(join, key):
        raise StorageDown


async def drop_parts(key: str, parts_id: str) -> None:
    """Give up a multipart upload and free its space; one that is not there any more is no fault."""

    def drop(s3: Any, at: dict[str, Any]) -> None:
        try:
            s3.abort_multipart_upload(**at, UploadId=parts_id)
        except s3.exceptions.NoSuchUpload:
            return

    await _asked(drop, key)
