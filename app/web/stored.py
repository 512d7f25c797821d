"""Hand out a stored file whole, from this machine's disk or out of S3. Streams have `media.py`, which knows ranges."""

from fastapi.responses import FileResponse, Response, StreamingResponse

from app import storage
from app.errors import NotFound

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
