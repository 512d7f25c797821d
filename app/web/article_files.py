"""Pictures and hand-outs of articles, for everybody who knows their name."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.accounts.permissions import Permission
from app.articles import paths, pictures
from app.errors import NotFound
from app.web import stored
from app.web.guard import needs

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["articles"])

# A name never changes its meaning.
CACHE = "public, max-age=31536000, immutable"


@router.get("/pictures/{name}")
async def picture(name: str) -> Response:
    """GET /pictures/{name}."""
    if paths.PICTURE_NAME.fullmatch(name) is None:
        raise NotFound
    return await stored.file(pictures.key_of(name), pictures.KINDS[name.rpartition(".")[2]], CACHE)


@router.get("/files/{name}")
async def handout(name: str) -> Response:
    """GET /files/{name}: a PDF, or a recording."""
    if paths.FILE_NAME.fullmatch(name) is None:
        raise NotFound
    return await stored.file(pictures.key_of(name), pictures.KINDS[name.rpartition(".")[2]], CACHE)
