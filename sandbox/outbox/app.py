"""The outbox in the browser: a list, one mail with its links, and JSON for tests."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from sandbox.loopback import LoopbackOnly
from sandbox.outbox.mailbox import Mail, Mailbox

_FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# A mail's HTML styles itself inline; it runs no script, loads nothing, and may only open links in a new tab.
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'self'; frame-ancestors 'self'"
)
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]']")

_environment = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def link_up(text: str) -> Markup:
    """A mail's text with its addresses as links."""
    parts: list[Markup] = []
    position = 0
    for match in _LINK.finditer(text):
        parts.append(escape(text[position : match.start()]))
        parts.append(Markup('<a href="{0}">{0}</a>').format(match[0]))
        position = match.end()
    parts.append(escape(text[position:]))
    return Markup("").join(parts)


_environment.filters["link_up"] = link_up


def create_app(mailbox: Mailbox) -> Starlette:
    """The application over a mailbox."""

    async def show_list(request: Request) -> Response:
        to = request.query_params.get("to") or None
        return _page("list.html", mails=mailbox.list(to), to=to)

    async def show_mail(request: Request) -> Response:
        mail = mailbox.find(request.path_params["mail"])
        if mail is None:
            return PlainTextResponse("There is no such mail.\n", 404)
        return _page("mail.html", mail=mail)

    async def show_html(request: Request) -> Response:
        mail = mailbox.find(request.path_params["mail"])
        if mail is None or mail.html is None:
            return PlainTextResponse("There is no such mail.\n", 404)
        html = f'<base target="_blank">{mail.html}'
        return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": _MAIL_POLICY})

    async def show_json(request: Request) -> Response:
        to = request.query_params.get("to") or None
        return JSONResponse([_as_json(mail) for mail in mailbox.list(to)], headers=_HEADERS)

    async def clear(request: Request) -> Response:
        mailbox.clear()
        return Response(status_code=204) if request.method == "DELETE" else RedirectResponse("/", 303)

    async def style(_request: Request) -> Response:
        return FileResponse(_FOLDER / "outbox.css", media_type="text/css")

    routes = [
        Route("/", show_list),
        Route("/outbox.css", style),
        Route("/messages.json", show_json),
        Route("/messages.json", clear, methods=["DELETE"]),
        Route("/clear", clear, methods=["POST"]),
        Route("/messages/{mail}", show_mail),
        Route("/messages/{mail}/html", show_html),
    ]
    return Starlette(routes=routes, middleware=[Middleware(LoopbackOnly)])


_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def _page(template: str, **context: Any) -> HTMLResponse:
    html = _environment.get_template(template).render(**context)
    return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": _POLICY})


def _as_json(mail: Mail) -> dict[str, Any]:
    return {**asdict(mail), "headers": dict(mail.headers), "received_at": mail.received_at.isoformat()}
