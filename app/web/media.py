"""Streams: a token in the path, bytes behind it; answered before FastAPI (app/main.py), as players ask all the time."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import storage
from app.accounts.permissions import Permission
from app.errors import SignInRequired, Unavailable
from app.playback import keyring, tokens
from app.playback.standing import standing
from app.web import failures
from app.web.guard import declares
from app.web.media_edge import Answer, all_news, is_edge, news
from app.web.media_elsewhere import from_elsewhere
from app.web.media_files import Whole, absent, files
from app.web.media_ranges import ranges_in

log = logging.getLogger("limber.web")

# One spelling for every file, as it comes over the wire: nothing encoded, dots only inside a name, no empty part.
# deploy/nginx/address.conf has the same expression, so both front doors open to the same addresses.
_NAME = r"[A-Za-z0-9_-]+"
_KINDS = "m3u8|mp4|m4s|m4a|jpg|vtt"
ADDRESS = re.compile(
    r"(?=.{1,500}\Z)/media/(?P<token>[A-Za-z0-9_.-]{20,128})"
    r"/(?P<video>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?P<version>[1-9][0-9]{0,8})"
    rf"/(?P<path>(?:{_NAME}(?:\.{_NAME})*/){{0,3}}{_NAME}(?:\.{_NAME})*\.(?P<kind>{_KINDS}))\Z"
)
TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
    "m4a": "audio/mp4",
    "jpg": "image/jpeg",
    "vtt": "text/vtt; charset=utf-8",
}
# Of every file, by its kind.
SAID = {
    kind: {
        "Content-Type": told,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    for kind, told in TYPES.items()
}
# Written again under the same address: a playlist grows while its film is encoded, and captions are corrected.
CHANGING = frozenset({"m3u8", "vtt"})
# Below the question's own address, which nginx shows nobody (deploy/nginx/site.conf).
NEWS = "/media-auth/news"
Ask = Callable[[tokens.Verified, str, str], Awaitable[bool]]


class Address(NamedTuple):
    """A media URL that is well formed; nothing is known yet about its token."""

    token: str
    video: str
    version: str
    path: str
    kind: str

    @property
    def key(self) -> str:
        return f"videos/{self.video}/{self.version}/{self.path}"


def parse(raw_path: str) -> Address | None:
    """The parts of a path as it came over the wire; None for any other spelling."""
    found = ADDRESS.match(raw_path)
    return Address(*found.groups()) if found else None


async def permitted(raw_path: str, ask: Ask) -> tuple[Address, tokens.Verified] | None:
    """Both checks: the token is ours and meant for this video and version, and its playback stands."""
    address = parse(raw_path)
    if address is None:
        return None
    token, video, version = address[:3]
    ring = keyring.media_ring()
    verified = tokens.verify(ring, token, video, version, time.time())
    if verified is None:
        kid = token.partition(".")[0]
        if ring.find(kid) is None and await keyring.knows(kid):
            verified = tokens.verify(keyring.media_ring(), token, video, version, time.time())
    if verified is None:
        return None
    if not await ask(verified, video, version):
        return None
    return address, verified


@declares(Permission.MEDIA_TOKEN)
async def media(request: Request) -> ASGIApp:
    """GET and HEAD /media/{token}/{video}/{version}/{path}."""
    return await _media(request.scope)


async def _media(scope: Scope) -> ASGIApp:
    """Whatever is wrong with an address, the answer is the same."""
    passed = await permitted(_raw_path(scope), standing.stands)
    if passed is None:
        return refused()
    address, verified = passed
    # By this browser alone; no longer than the token lives.
    keep = "private, no-cache" if address.kind in CHANGING else f"private, max-age={_seconds_left(verified)}"
    key, said = address.key, SAID[address.kind]
    held = files.recent(key)
    if held is None:
        place = storage.local_path(key)
        if place is None:
            return await from_elsewhere(
                scope["method"], key, address.kind, _header(scope, b"range"), {**said, "Cache-Control": keep}
            )
        held = files.find(key, place, said)
    if held is None:
        return absent()
    asked = _header(scope, b"range")
    if not asked:
        return Whole(held, keep)
    if not ranges_in(asked):
        # FileResponse answers 400 to what is to be ignored.
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"range"]
    return FileResponse(held.place, headers={**said, "Cache-Control": keep}, stat_result=held.facts)


@declares(Permission.MEDIA_TOKEN)
async def media_auth(request: Request) -> ASGIApp:
    """For nginx's auth_request, about the address in X-Original-URI: 204 or 403, never anything else.

    Source: https://nginx.org/en/docs/http/ngx_http_auth_request_module.html (other statuses become 500 there)
    """
    return await _media_auth(request.scope)


async def _media_auth(scope: Scope) -> ASGIApp:
    is_told = is_edge(_header(scope, b"x-limber-edge"))
    if is_told:
        standing.tell()
    try:
        raw_path = _header(scope, b"x-original-uri").partition("?")[0]
        passed = await permitted(raw_path, standing.stands_for_nginx)
    except (SQLAlchemyError, OSError):
        # A door that cannot ask stays shut.
        passed = None
    more = news() if is_told else []
    if passed is None:
        return Answer(403, [(b"content-length", b"0"), *more])
    return Answer(204, [(b"x-media-max-age", b"%d" % _seconds_left(passed[1])), *more])


@declares(Permission.MEDIA_TOKEN)
async def media_news(request: Request) -> ASGIApp:
    """For nginx's clock: 204 with X-Media-Stands and X-Media-Keys; 403 for anybody else. `?more`: what had no room."""
    return await _media_news(request.scope)


async def _media_news(scope: Scope) -> ASGIApp:
    if not is_edge(_header(scope, b"x-limber-edge")):
        return refused()
    return Answer(204, await all_news(goes_on=scope["query_string"] == b"more"))


def is_meant(scope: Scope) -> bool:
    """Whether a player, or nginx on its behalf, asks here."""
    return (
        scope["type"] == "http"
        and scope["path"].startswith("/media")
        and scope["method"] in ("GET", "HEAD")
        and (scope["path"].startswith("/media/") or scope["path"] in ("/media-auth", NEWS))
    )


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what `is_meant`."""
    if scope["path"] == "/media-auth":
        response = await _media_auth(scope)
    elif scope["path"] == NEWS:
        response = await _media_news(scope)
    else:
        try:
            response = await _media(scope)
        except SQLAlchemyError as fault:
            log.error("streams: %s", fault)
            response = await failures.answer(scope, Unavailable())
    await response(scope, receive, send)


def _header(scope: Scope, wanted: bytes) -> str:
    """The first of that name, or "". Starlette's Headers are many times as dear."""
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value, "latin-1")
    return ""


def _seconds_left(token: tokens.Verified) -> int:
    return max(0, int(token.expires - time.time()))


def refused() -> Response:
    return PlainTextResponse(
        SignInRequired().sentence, status_code=403, headers={"Cache-Control": "no-store"}
    )


def _raw_path(scope: Scope) -> str:
    """What stood in the request line: the decoded path has lost how it was spelled."""
    raw: bytes = scope.get("raw_path") or b""
    return raw.partition(b"?")[0].decode("latin-1")


routes: list[Any] = [
    # Everything under /media/ comes here, so that no other spelling meets a page that says more.
    Route("/media/{rest:path}", media, methods=["GET", "HEAD"]),
    Route("/media-auth", media_auth, methods=["GET", "HEAD"]),
    Route(NEWS, media_news, methods=["GET", "HEAD"]),
]
