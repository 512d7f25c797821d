"""Keep the stand-ins on this machine: they take any card and any key, so only loopback may reach them."""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class NotLoopback(ValueError):
    """Raised when a stand-in is asked to listen where other machines could reach it."""


def is_loopback(host: str) -> bool:
    """Whether this name or address (with or without a port's brackets) can only be this machine."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def require_loopback(host: str) -> str:
    """Give the host back if it is loopback.

    Raises:
        NotLoopback: for every other address or name, the wildcard addresses included.
    """
    if not is_loopback(host):
        raise NotLoopback(f"A stand-in listens on loopback only (127.0.0.1 or ::1), not on {host!r}.")
    return host


def require_loopback_url(url: str) -> str:
    """Give the address back if it is http(s) on loopback: a stand-in sends nothing to anyone else.

    Raises:
        NotLoopback: for every other address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not is_loopback(parts.hostname or ""):
        raise NotLoopback(f"A stand-in sends to loopback addresses only, not to {url!r}.")
    return url


class LoopbackOnly:
    """ASGI middleware: other machines, foreign host names and other sites' forms get 403.

    The host name is checked because a web page anywhere may resolve its own name to 127.0.0.1, and
    `Sec-Fetch-Site` because it may post a form to an address that it cannot read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass lifespan events and acceptable requests on."""
        if scope["type"] == "http":
            reason = self._refusal(HTTPConnection(scope))
            if reason:
                await PlainTextResponse(reason, status_code=403)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    @staticmethod
    def _refusal(connection: HTTPConnection) -> str | None:
        client = connection.client
        if client is not None and not is_loopback(client.host):
            return "This stand-in answers this machine only.\n"
        if not is_loopback(connection.url.hostname or ""):
            return "This stand-in answers to loopback names only.\n"
        unsafe = connection.scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if unsafe and connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "This stand-in takes no forms from other sites.\n"
        return None
