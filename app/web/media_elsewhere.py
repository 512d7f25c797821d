"""Streams that are not on this disk: handed out by a CDN, or fetched from S3 through this process."""

import time
from collections.abc import AsyncIterator
from functools import lru_cache

from starlette.responses import Response, StreamingResponse

from app import storage
from app.playback import cdn
from app.playback.cdn import Cdn
from app.settings import Settings, get_settings
from app.web.media_files import absent
from app.web.media_ranges import ranges_in, span_of

# What a CDN hands out; the rest is small.
LARGE = frozenset({"m4s", "mp4", "m4a"})


async def from_elsewhere(method: str, key: str, kind: str, asked: str, headers: dict[str, str]) -> Response:
    """What is not on this disk: from a CDN, or from S3 through this process. `asked`: a Range header, or ""."""
    if get_settings().cdn and kind in LARGE:
        return await _to_cdn(key, headers)
    return await _from_store(key, headers, ranges_in(asked), is_head=method == "HEAD")


async def _to_cdn(key: str, headers: dict[str, str]) -> Response:
    """Where the CDN hands it out, for a few minutes; nothing is kept, so each segment is asked about here."""
    now = time.time()
    settings = get_settings()
    if settings.cdn == "s3":
        target = await storage.signed_url(key, cdn.LONGEST_S)
    else:
        video, version, path = key.removeprefix("videos/").split("/", 2)
        target = _cdn(settings).address(f"/videos/{video}/{version}/", path, cdn.ends_at(now))
    told = {**headers, "Cache-Control": "no-store", "Location": target}
    return Response(status_code=302, headers=told)


@lru_cache(maxsize=1)
def _cdn(settings: Settings) -> Cdn:
    return Cdn(settings.cdn, settings.cdn_origin, settings.cdn_key.replace("\\n", "\n"), settings.cdn_key_id)


async def _from_store(
    key: str, headers: dict[str, str], ranges: list[tuple[str, str]], *, is_head: bool
) -> Response:
    """The same answer from S3, piece by piece. Of several ranges, which no player asks for, it sends the whole."""
    size = await storage.size(key)
    if size is None:
        return absent()
    headers = {**headers, "Accept-Ranges": "bytes"}
    span = None
    if len(ranges) == 1:
        span = span_of(*ranges[0], size)
        if span is None:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    first, length = span or (0, size)
    headers["Content-Length"] = str(length)
    if span:
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    if is_head:
        return Response(status_code=206 if span else 200, headers=headers)
    body: AsyncIterator[bytes] = storage.read(key, start=first, length=length if span else None)
    return StreamingResponse(body, status_code=206 if span else 200, headers=headers)
