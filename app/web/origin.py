"""Which article brought somebody: said in addresses only, so that no cookie is needed and no reader is known by it."""

import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request

from app.catalog.rules import is_slug

_ARTICLE = re.compile(r"/articles/([^/]+)\Z")
LONGEST = 100


def of(request: Request) -> str:
    """The slug that `?from=` says, else the article that is shown; "" for none."""
    said = request.query_params.get("from", "")
    here = _ARTICLE.match(request.url.path)
    slug = said or (here[1] if here else "")
    return slug if is_slug(slug) else ""


async def _of(request: Request) -> str:
    return of(request)


# For routes that keep it.
CameFrom = Annotated[str, Depends(_of)]


def carried(path: str, came_from: str, **more: str) -> str:
    """The path with the article, and those of `more` that are not empty, in its query."""
    query = urlencode({name: value for name, value in {**more, "from": came_from}.items() if value})
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path
