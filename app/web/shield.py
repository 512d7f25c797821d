"""What stands before every route: headers (strict CSP and friends), refusal of cross-site changes, HEAD."""

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import CrossSite, TooLarge
from app.settings import get_settings
from app.templating import manifest
from app.web.failures import answer

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# These answer HEAD in a way of their own.
OWN_HEAD = ("/media/", "/static/", "/studio/uploads/")

# Larger than any form here (a lesson with its transcript), encoded and in another script. Uploads count for themselves.
LARGEST_BODY = 2 * 2**20
OWN_BODIES = "/studio/uploads"
# A telephone's picture (app/video/pictures.py) and the form around it; nginx takes as much.
PICTURES = re.compile(r"/studio/videos/[^/]+/poster/picture")
LARGEST_PICTURE = 16_000_000


def content_security_policy(nonce: str) -> str:
    """Our own files only; the player's style elements by their hash, a page's scripts by nonce."""
    styles = " ".join(f"'{value}'" for value in manifest()["style_hashes"])
    form_targets = "'self' https://checkout.stripe.com https://billing.stripe.com"
    settings = get_settings()
    if settings.is_demo:
        form_targets += f" {settings.stripe_api_base}"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' {styles}".rstrip(),
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' {settings.cdn_origin}".rstrip(),
            # data: hls.js gives each caption track an empty file of its own.
            f"media-src 'self' blob: data: {settings.cdn_origin}".rstrip(),
            "worker-src 'self'",
            "manifest-src 'self'",
            f"form-action {form_targets}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


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

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", content_security_policy(nonce))
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                headers.setdefault(
                    "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"
                )
                if get_settings().secure_cookies:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self.app(scope, receive, send_with_headers)


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


class BodyLimit:
    """Refuses bodies that no form needs, before they fill the memory: FastAPI reads JSON of any size."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OWN_BODIES):
            await self.app(scope, receive, send)
            return
        largest = LARGEST_PICTURE if PICTURES.fullmatch(scope["path"]) else LARGEST_BODY
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
