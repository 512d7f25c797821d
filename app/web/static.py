"""Built files under /static: named by hash, kept for a year, sent brotli or gzip as they lie on disk."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app.accounts.permissions import Permission
from app.errors import NotFound
from app.templating import DIST
from app.web.failures import answer
from app.web.guard import declares

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".ico": "image/x-icon",
}
# With ".br" behind it, what file systems take as a name.
LONGEST = 200
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


def _pick(path: Path, accepted: str) -> tuple[Path, str | None]:
    words = {part.partition(";")[0].strip() for part in accepted.split(",")}
    for name, suffix in ENCODINGS:
        packed = path.with_name(path.name + suffix)
        if name in words and packed.is_file():
            return packed, name
    return path, None


@declares(Permission.PUBLIC)
async def static_file(request: Request) -> Response:
    """GET /static/{name}: one flat folder, so that no path can lead out of it."""
    name = request.path_params["name"]
    path = DIST / name
    is_odd = "/" in name or name.startswith(".") or len(name) > LONGEST
    if is_odd or path.suffix not in TYPES or not path.is_file():
        return await answer(request.scope, NotFound())
    picked, encoding = _pick(path, request.headers.get("accept-encoding", ""))
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "Content-Type": TYPES[path.suffix],
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    return FileResponse(picked, headers=headers, media_type=TYPES[path.suffix])
