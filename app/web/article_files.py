"""Pictures and hand-outs of articles, for everybody who knows their name."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.accounts.permissions import Permission
from app.articles import figures, paths, pictures
from app.errors import NotFound
from app.web import stored
from app.web.guard import needs

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["articles"])

# A name never changes its meaning.
CACHE = "public, max-age=31536000, immutable"
SOON = "public, max-age=30"


def _kind(name: str) -> str:
    return pictures.KINDS[name.rpartition(".")[2]]


@router.get("/pictures/{name}")
async def picture(name: str) -> Response:
    """GET /pictures/{name}."""
    if paths.PICTURE_NAME.fullmatch(name) is None:
        raise NotFound
    return await stored.file(pictures.key_of(name), _kind(name), CACHE)


@router.get("/pictures/{name}/{size}")
async def smaller_picture(name: str, size: str) -> Response:
    """GET /pictures/{name}/{size}: one of the sizes that pages name; the whole picture until it is made."""
    if size not in figures.sizes_of(name):
        raise NotFound
    try:
        return await stored.file(pictures.size_key(name, size), _kind(size), CACHE)
    except NotFound:
        # Browsers look at what they get, not at what was announced.
        return await stored.file(pictures.key_of(name), _kind(name), SOON)


@router.get("/files/{name}")
async def handout(name: str) -> Response:
    """GET /files/{name}: a PDF, or a recording."""
    if paths.FILE_NAME.fullmatch(name) is None:
        raise NotFound
    return await stored.file(pictures.key_of(name), _kind(name), CACHE)
