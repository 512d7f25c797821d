"""Hand out a stored file, from this machine's disk or out of S3. Streams have `media.py`."""

from fastapi import Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from app import storage
from app.errors import NotFound
from app.web.media_ranges import ranges_in, span_of

PICTURE_S = 7 * 24 * 3600


async def jpeg(key: str) -> Response:
    """A picture whose address changes with it. Raises: NotFound."""
    return await file(key, "image/jpeg", f"private, max-age={PICTURE_S}")


async def file(key: str, kind: str, cache: str) -> Response:
    """Raises: NotFound: nothing is stored there."""
    headers = {"Cache-Control": cache}
    place = storage.local_path(key)
    if place is not None:
        if not place.is_file():
            raise NotFound
        return FileResponse(place, media_type=kind, headers=headers)
    if await storage.size(key) is None:
        raise NotFound
    return StreamingResponse(storage.read(key), media_type=kind, headers=headers)


async def ranged(request: Request, key: str, kind: str, cache: str) -> Response:
    """The same, or the one range of it that is asked for: a player that jumps. Several at once get the whole.

    Raises:
        NotFound: nothing is stored there.

    Source: RFC 9110, 14.2
    """
    if storage.local_path(key) is not None:
        # It knows ranges by itself.
        return await file(key, kind, cache)
    size = await storage.size(key)
    if size is None:
        raise NotFound
    headers = {"Cache-Control": cache, "Accept-Ranges": "bytes"}
    asked = ranges_in(request.headers.get("range", ""))
    if len(asked) != 1:
        return StreamingResponse(
            storage.read(key), media_type=kind, headers={**headers, "Content-Length": str(size)}
        )
    span = span_of(*asked[0], size)
    if span is None:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, length = span
    headers |= {"Content-Length": str(length), "Content-Range": f"bytes {start}-{start + length - 1}/{size}"}
    return StreamingResponse(storage.read(key, start=start, length=length), 206, headers, kind)
