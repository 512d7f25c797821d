"""Articles and lessons for readers who are not signed in: drawn once, kept while nothing that they show changes.

Before a kept page is sent, one question asks for its mark (app/practice/marks.py); another mark, and it is drawn anew.
So nobody ever gets an old page, on any number of processes, and nothing has to be told when something changes. What
differs from reader to reader, the policy's nonce and the time at which a form was opened, is put in as it leaves.
"""

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import db
from app.practice.marks import article_mark, courses_mark
from app.web.guard import cookie_name
from app.web.writing_forms import HOLE, holes, new_stamp

LARGEST_BYTES = 1_000_000
MOST_BYTES = 64_000_000
_ARTICLE = re.compile(r"/articles/([a-z0-9-]{1,100})")
_COURSE = re.compile(r"/courses/[a-z0-9-]{1,100}(?:/[a-z0-9-]{1,100})?")
# Nobody can write it into a page: it is of this process alone.
_NONCE = secrets.token_hex(16)
_PLACES = re.compile(rf"({_NONCE}|{HOLE}\d{{4}})".encode())


@dataclass(frozen=True)
class Kept:
    """A page between its holes: text, hole, text, … `stamps`: what the stamp in each hole is for."""

    mark: str
    parts: tuple[bytes, ...]
    stamps: dict[bytes, str]
    headers: tuple[tuple[bytes, bytes], ...]
    size: int

    def filled(self, nonce: str) -> bytes:
        values = {hole: new_stamp(purpose).encode() for hole, purpose in self.stamps.items()}
        values[_NONCE.encode()] = nonce.encode()
        return b"".join(values.get(part, part) for part in self.parts)


class Shelf:
    """The kept pages of this process, those asked for last at the end."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def get(self, path: str, mark: str) -> Kept | None:
        found = self._pages.get(path)
        if found is None or found.mark != mark:
            return None
        self._pages.move_to_end(path)
        return found

    def put(self, path: str, page: Kept) -> None:
        former = self._pages.pop(path, None)
        self._bytes += page.size - (former.size if former else 0)
        self._pages[path] = page
        while self._bytes > MOST_BYTES:
            _path, oldest = self._pages.popitem(last=False)
            self._bytes -= oldest.size


async def _mark(path: str) -> str | None:
    """The page's mark; None for pages that are not kept."""
    article = _ARTICLE.fullmatch(path)
    if article is None and _COURSE.fullmatch(path) is None:
        return None
    try:
        async with db.statements() as connection:
            return await (article_mark(connection, article[1]) if article else courses_mark(connection))
    except (SQLAlchemyError, OSError):
        # The page itself says so, better.
        return None


class KeptPages:
    """Answers a GET without query and cookie from the shelf, or keeps what the site answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.shelf = Shelf()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mark = await _mark(scope["path"]) if _is_plain(scope) else None
        if mark is None:
            await self.app(scope, receive, send)
            return
        nonce = scope["state"]["csp_nonce"]
        page = self.shelf.get(scope["path"], mark)
        if page is None:
            await self._draw(scope, receive, send, mark, nonce)
            return
        body = page.filled(nonce)
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*page.headers, length]})
        await send({"type": "http.response.body", "body": body})

    async def _draw(self, scope: Scope, receive: Receive, send: Send, mark: str, nonce: str) -> None:
        """Let the site draw it with holes; keep it when it is a whole page, and send it filled."""
        state = scope["state"] = {**scope["state"], "csp_nonce": _NONCE}
        stamps: dict[str, str] = {}
        token = holes.set(stamps)
        begun: Message = {}
        pieces: list[bytes] = []

        async def gather(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.update(message)
                return
            pieces.append(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = tuple(pair for pair in begun["headers"] if pair[0] != b"content-length")
            parts = tuple(_PLACES.split(b"".join(pieces)))
            purposes = {hole.encode(): purpose for hole, purpose in stamps.items()}
            page = Kept(mark, parts, purposes, headers, sum(len(part) for part in parts))
            holes.set(None)
            is_whole = begun["status"] == 200 and not any(name == b"set-cookie" for name, _value in headers)
            if is_whole and page.size <= LARGEST_BYTES:
                self.shelf.put(scope["path"], page)
            body = page.filled(nonce)
            await send({**begun, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        try:
            await self.app(scope, receive, gather)
        except BaseException:
            # The page about it is sent as it is.
            state["csp_nonce"] = nonce
            raise
        finally:
            holes.reset(token)


def _is_plain(scope: Scope) -> bool:
    """A page asked for by its address alone, by a browser that is not signed in, as HTML."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return False
    if not scope["path"].startswith(("/articles/", "/courses/")):
        return False
    cookie = cookie_name().encode()
    for name, value in scope["headers"]:
        if (name == b"cookie" and cookie in value) or name in (b"hx-request", b"tus-resumable"):
            return False
    return True
