"""What stands before every route: headers (strict CSP and friends), refusal of cross-site changes, HEAD."""

import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import CrossSite, TooLarge
from app.settings import get_settings
from app.templating import manifest
from app.web.failures import answer, on_crash

# The policy's word.
NOBODY = "'none'"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# These answer HEAD in a way of their own.
OWN_HEAD = ("/media/", "/static/", "/studio/uploads/")

# Larger than any form here (a lesson with its transcript), encoded and in another script. Uploads count for themselves.
LARGEST_BODY = 2 * 2**20
OWN_BODIES = "/studio/uploads"
# A telephone's picture (app/video/pictures.py, app/articles/pictures.py) and the form around it, which may be an
# article's; nginx takes as much.
PICTURES = re.compile(r"/studio/videos/[^/]+/poster/picture|/studio/articles(?:/[^/]+)?/picture")
LARGEST_PICTURE = 16_700_000
# A site's whole export: counted here, as its reader spools it to the disk. nginx takes as much.
EXPORTS = "/studio/import/files"
LARGEST_EXPORT = 2 * 10**9


@lru_cache(maxsize=16)
def _policy(framing: str, framed_by: str, stripe: str, films: str) -> tuple[str, str]:
    """What stands before and behind the nonce."""
    styles = " ".join(f"'{value}'" for value in manifest()["style_hashes"])
    form_targets = f"'self' https://checkout.stripe.com https://billing.stripe.com {stripe}".rstrip()
    rest = (
        f"style-src 'self' {styles}".rstrip(),
        "img-src 'self' data:",
        "font-src 'self'",
        f"connect-src 'self' {films}".rstrip(),
        # data: hls.js gives each caption track an empty file of its own.
        f"media-src 'self' blob: data: {films}".rstrip(),
        "worker-src 'self'",
        "manifest-src 'self'",
        f"form-action {form_targets}",
        "base-uri 'none'",
        f"frame-src {framing}",
        f"frame-ancestors {framed_by}",
    )
    return "default-src 'none'; script-src 'self' 'nonce-", "'; " + "; ".join(rest)


def content_security_policy(nonce: str, *, framing: str = NOBODY, framed_by: str = NOBODY) -> str:
    """Our own files only; the player's style elements by their hash, a page's scripts by nonce.

    `framing`: whose pages may stand in this one; `framed_by`: in whose this one may stand. Nobody's, but for the
    preview of the site's look in the studio (app/web/look.py).
    """
    settings = get_settings()
    stripe = settings.stripe_api_base if settings.is_demo else ""
    before, behind = _policy(framing, framed_by, stripe, settings.cdn_origin)
    return before + nonce + behind


FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)
ONLY_TLS = (b"strict-transport-security", b"max-age=31536000")


def _with_headers(given: Iterable[tuple[bytes, bytes]], nonce: str) -> list[tuple[bytes, bytes]]:
    """The response's headers, and ours where it sets none of that name. ASGI's names are in small letters."""
    headers = list(given)
    own = {name for name, _value in headers}
    ours = [*FIXED, ONLY_TLS] if get_settings().secure_cookies else FIXED
    headers += [pair for pair in ours if pair[0] not in own]
    if b"content-security-policy" not in own:
        headers.append((b"content-security-policy", content_security_policy(nonce).encode("latin-1")))
    return headers


class SecurityHeaders:
    """Adds the headers to every HTTP response that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/media/"):
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["csp_nonce"] = nonce
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = _with_headers(message.get("headers", ()), nonce)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as fault:
            # Starlette's own place for this is outside of every header set here.
            if has_begun:
                raise
            response = await on_crash(Request(scope), fault)
            await response(scope, receive, send_with_headers)


def is_cross_site(method: str, headers: Headers, host: str) -> bool:
    """Whether a browser sent this unsafe request from another origin.

    Browsers tell by Sec-Fetch-Site; old ones by Origin; whoever sends neither is no browser and has no cookie to abuse.
    Source: Go 1.25 net/http CrossOriginProtection.
    """
    if method in SAFE_METHODS:
        return False
    site = headers.get("sec-fetch-site")
    if site:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if not origin:
        return False
    try:
        return urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:
        return True


class CrossSiteShield:
    """Refuses cross-site POST, PUT, PATCH and DELETE before any route sees them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if is_cross_site(scope["method"], headers, headers.get("host", "")):
                response = await answer(scope, CrossSite())
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def largest_of(path: str) -> int:
    """How many bytes a request to this path may bring."""
    if path == EXPORTS:
        return LARGEST_EXPORT
    return LARGEST_PICTURE if PICTURES.fullmatch(path) else LARGEST_BODY


class BodyLimit:
    """Refuses bodies that no form needs, before they fill the memory: FastAPI reads JSON of any size."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OWN_BODIES):
            await self.app(scope, receive, send)
            return
        largest = largest_of(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        if len(announced) > 15 or (announced.isdecimal() and int(announced) > largest):
            response = await answer(scope, TooLarge())
            await response(scope, receive, send)
            return
        size = 0

        async def receive_some() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > largest:
                raise TooLarge
            return message

        await self.app(scope, receive_some, send)


class HeadAsGet:
    """Answers HEAD as the page answers GET, without its body: so ask uptime monitors and link checkers.

    FastAPI's routes, other than Starlette's, know only the methods that they were given.
    Source: RFC 9110, 9.3.2.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(OWN_HEAD):
            await self.app(scope, receive, send)
            return
        is_over = False

        async def send_head(message: Message) -> None:
            nonlocal is_over
            if message["type"] == "http.response.start":
                await send(message)
            elif not is_over:
                is_over = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self.app({**scope, "method": "GET"}, receive, send_head)
