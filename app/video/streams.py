"""Which files a stream needs, read from its own playlists, and which of them are not in storage."""

import re

from app import storage
from app.video import objects
from app.video.packaging import MASTER
from app.video.poster_rules import POSTER
from app.video.storyboard import FOLDER, INDEX

_URI = re.compile(r'URI="([^"]+)"')
_SHEET = re.compile(r"^([^\s#/]+)#xywh=", re.MULTILINE)
# What stands in a playlist is our own writing; one that is larger than this was damaged.
PLAYLIST_BYTES = 16 * 2**20


async def missing(prefix: str) -> list[str]:
    """Keys that the stream under `prefix` names, directly or through its media playlists, and that are not there.

    Empty files count as missing. Memory: the names of one stream's files.
    """
    sizes: dict[str, int] = {}
    async for batch in objects.batches(prefix):
        sizes.update((entry.key, entry.size_bytes) for entry in batch)
    lacking = {f"{prefix}/{POSTER}"} - _whole(sizes)
    wanted, seen = [f"{prefix}/{MASTER}"], set[str]()
    if any(key.startswith(f"{prefix}/{FOLDER}/") for key in sizes):
        # Streams made by older releases have none.
        wanted.append(f"{prefix}/{FOLDER}/{INDEX}")
    while wanted:
        key = wanted.pop()
        if key in seen:
            continue
        seen.add(key)
        if not sizes.get(key):
            lacking.add(key)
        elif key.endswith(".m3u8"):
            folder = key.rpartition("/")[0]
            wanted += [f"{folder}/{uri}" for uri in named(await _text(key))]
        elif key.endswith(f"/{INDEX}"):
            folder = key.rpartition("/")[0]
            wanted += [f"{folder}/{uri}" for uri in set(_SHEET.findall(await _text(key)))]
    return sorted(lacking)


def named(playlist: str) -> list[str]:
    """Every address in a master or media playlist: lines of their own, and URI attributes.

    Source: RFC 8216, sections 4.1 and 4.2.
    """
    found: list[str] = []
    for line in playlist.splitlines():
        if line.startswith("#"):
            found += _URI.findall(line)
        elif line.strip():
            found.append(line.strip())
    return found


def _whole(sizes: dict[str, int]) -> set[str]:
    return {key for key, size in sizes.items() if size}


async def _text(key: str) -> str:
    data = b"".join([piece async for piece in storage.read(key, length=PLAYLIST_BYTES)])
    return data.decode("utf-8", "replace")
