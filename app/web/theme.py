"""The accent's stylesheet: made of the colour in its address and of nothing else, so it is kept for ever.

The policy forbids styles in pages. What the teacher saves is one colour; its address carries the colour and a mark of
what the stylesheet holds, so that no cache ever has an old one and nothing has to be stored.
"""

import hashlib
import re
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.accounts.permissions import Permission
from app.errors import NotFound
from app.practice.colours import CLAY, is_colour, stylesheet
from app.web.guard import declares

CACHE = "public, max-age=31536000, immutable"
_NAME = re.compile(r"([0-9a-f]{6})-([0-9a-f]{8})\.css")


@lru_cache(maxsize=64)
def _made(accent: str) -> tuple[str, str]:
    """(stylesheet, mark)."""
    css = stylesheet(accent)
    return css, hashlib.sha256(css.encode()).hexdigest()[:8]


def address(accent: str) -> str | None:
    """Where the stylesheet of this colour is; None for the one that is built in."""
    if accent == CLAY or not is_colour(accent):
        return None
    return f"/theme/{accent[1:]}-{_made(accent)[1]}.css"


@declares(Permission.PUBLIC)
async def theme(request: Request) -> Response:
    """GET /theme/{colour}-{mark}.css; no question to the database.

    Raises:
        NotFound: for what no page of ours links to.
    """
    found = _NAME.fullmatch(request.path_params["name"])
    if found is None or _made(f"#{found[1]}")[1] != found[2]:
        raise NotFound
    css = _made(f"#{found[1]}")[0]
    return Response(css, media_type="text/css; charset=utf-8", headers={"Cache-Control": CACHE})


routes = [Route("/theme/{name}", theme, methods=["GET", "HEAD"])]
