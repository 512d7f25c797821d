"""Addresses: former ones in the form in which they are kept and looked up, and the names of pictures. Pure."""

import re
import unicodedata
from urllib.parse import parse_qsl, unquote

# Four bytes a character, and PostgreSQL indexes 2,700.
LONGEST = 600
# The first words of Limber's own addresses: a page of that name keeps its longer address (a test compares the routes).
_OWN = """
account articles billing body change-email checkout clips coming conditions confirm contact courses drafts feed
files forgot gifts healthz join join-plan lessons library login logout media media-auth metrics muscles pictures
plans playbacks posters readyz reset responses search series sitemaps static studio theme topics waiting webhooks
"""
RESERVED = frozenset(_OWN.split())
# Made of the content; a picture's tells its size, and its colours in a glance (`figures.glance_of`).
PICTURE_NAME = re.compile(
    r"(?P<stem>[0-9a-f]{32}-(?P<width>[1-9][0-9]{0,4})x(?P<height>[1-9][0-9]{0,4})(?:-(?P<glance>[A-Za-z0-9_-]{24}))?)"
    r"\.(?P<kind>jpg|png|webp|gif)"
)
SIZE_NAME = re.compile(r"(?P<width>[1-9][0-9]{2,3})\.(?P<kind>avif|webp|jpg|png)")
FILE_NAME = re.compile(r"[0-9a-f]{32}\.(pdf|mp3|m4a)")
# Parts and feeds of a page, as WordPress names them, and a picture in one of its smaller sizes.
_PARTS = re.compile(r"/(?:comment-page-\d+|page/\d+|feed(?:/\w+)?|amp|embed|trackback|\d{1,3})\Z")
_SIZED = re.compile(r"-\d{1,5}x\d{1,5}(?=\.\w{2,5}\Z)")


def address(slug: str, is_listed: bool) -> str:
    """Where an article is read; a page (not listed) has an address of one word, like `/imprint`."""
    return f"/articles/{slug}" if is_listed or slug in RESERVED else f"/{slug}"


def kept(path: str) -> str:
    """A path as it is kept and looked up: decoded, composed, with a slash before it and none at its end; "" for "/"."""
    plain = unicodedata.normalize("NFC", unquote(path)).replace("\0", "")
    plain = re.sub(r"/{2,}", "/", plain).strip("/")
    return f"/{plain}"[:LONGEST] if plain else ""


def forms(path: str) -> list[str]:
    """The kept path, and those of the page or the picture that it is a part of, the closest first."""
    whole = kept(path)
    shorter = _PARTS.sub("", whole)
    return list(
        dict.fromkeys(one for one in (whole, _SIZED.sub("", whole), shorter, _PARTS.sub("", shorter)) if one)
    )


def numbered(path: str, query: str) -> str | None:
    """The path with the number in `?p=12`, `?page_id=12` or `?attachment_id=12`, by which WordPress knows its pages."""
    for name, value in parse_qsl(query, max_num_fields=20) if len(query) < 2000 else []:
        if name in ("p", "page_id", "attachment_id") and re.fullmatch(r"[0-9]{1,18}", value):
            return f"{kept(path) or '/'}?p={int(value)}"
    return None


def size_of(path: str) -> tuple[int, int] | None:
    """Width and height in pixels of a picture at this address of ours, or None."""
    found = PICTURE_NAME.fullmatch(path.removeprefix("/pictures/"))
    return (int(found["width"]), int(found["height"])) if found and path.startswith("/pictures/") else None
