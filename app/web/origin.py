"""Which article brought somebody: said in addresses only, so that no cookie is needed and no reader is known by it."""

import re
from typing import Annotated
from urllib.parse import urlencode, urlsplit

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


def stepped_out_of(request: Request) -> str:
    """The article whose page the reader has just left for this one, by a link in a browser; "" for anything else.

    Browsers alone say how they came (a page asked for by a program has no such words), and a preview is no visit.
    Source: https://www.w3.org/TR/fetch-metadata/
    """
    said = request.headers
    is_step = said.get("sec-fetch-mode") == "navigate" and said.get("sec-fetch-site") == "same-origin"
    if not is_step or "prefetch" in said.get("sec-purpose", said.get("purpose", "")):
        return ""
    try:
        left = _ARTICLE.match(urlsplit(said.get("referer", "")).path)
    except ValueError:
        return ""
    return of(request) if left and left[1] == request.query_params.get("from") else ""


async def _of(request: Request) -> str:
    return of(request)


# For routes that keep it.
CameFrom = Annotated[str, Depends(_of)]


def carried(path: str, came_from: str, **more: str) -> str:
    """The path with the article, and those of `more` that are not empty, in its query."""
    query = urlencode({name: value for name, value in {**more, "from": came_from}.items() if value})
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path
