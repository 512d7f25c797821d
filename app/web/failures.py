"""Errors as people meet them: a page, problem+json, or an htmx redirect, always with the sentence and a way back."""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Scope

from app import db, errors
from app.i18n import _
from app.practice.queries import PracticeView, practice
from app.web.guard import clear_session_cookie, cookie_name, current_viewer
from app.web.pages import Frame, draw

log = logging.getLogger("limber.web")

BY_STATUS: dict[int, type[errors.LimberError]] = {
    401: errors.SignInRequired,
    402: errors.PaymentRequired,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
    413: errors.TooLarge,
    422: errors.BadInput,
    429: errors.TooMany,
    503: errors.Unavailable,
}


@dataclass(frozen=True)
class ErrorPage:
    """`next` is where to go after signing in: the page that was asked for."""

    status: int
    sentence: str
    next: str
    email: str = ""
    error: str = ""


def wants_json(scope: Scope) -> bool:
    """Callers that ask for JSON, send JSON, or speak tus or server-sent events get no HTML."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if "tus-resumable" in headers or headers.get("content-type", "").startswith("application/json"):
        return True
    accept = headers.get("accept", "")
    return "text/html" not in accept and ("json" in accept or "text/event-stream" in accept)


def is_htmx(scope: Scope) -> bool:
    return any(name.lower() == b"hx-request" for name, _value in scope["headers"])


def way_back(scope: Scope) -> str:
    """The page to land on after signing in: this one when it can be opened again, else the library."""
    if scope["method"] not in ("GET", "HEAD"):
        return "/library"
    query = scope.get("query_string", b"").decode("latin-1")
    return str(scope["path"]) + (f"?{query}" if query else "")


def problem(error: errors.LimberError, scope: Scope) -> JSONResponse:
    """RFC 9457 problem details.

    Source: https://www.rfc-editor.org/rfc/rfc9457
    """
    body: dict[str, Any] = {
        "type": f"urn:limber:problem:{error.code}",
        "title": error.sentence,
        "status": error.status,
        "detail": error.sentence,
    }
    if error.status == 401:
        body["login_url"] = f"/login?next={quote(way_back(scope), safe='')}"
    return JSONResponse(body, status_code=error.status, media_type="application/problem+json")


async def _frame(scope: Scope) -> Frame:
    """The frame of an error page; it needs nothing, so that it can be drawn while the database is down."""
    request = Request(scope)
    viewer, facts = None, PracticeView()
    try:
        async with db.transaction() as session:
            viewer = await current_viewer(request, session)
            facts = await practice(session)
    except (SQLAlchemyError, OSError, RuntimeError) as fault:
        log.warning("error page without the database: %s", type(fault).__name__)
    return Frame(viewer, facts, getattr(request.state, "csp_nonce", ""), scope["path"])


async def answer(scope: Scope, error: errors.LimberError) -> Response:
    """The response for an error, in the form that the caller understands."""
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        # Any scheme but Basic: a browser would otherwise open its own password box.
        headers["WWW-Authenticate"] = 'Cookie realm="limber", form-action="/login"'
    response: Response
    if scope["path"].startswith("/media/"):
        response = PlainTextResponse(error.sentence, status_code=error.status)
    elif is_htmx(scope):
        target = f"/login?next={quote(way_back(scope), safe='')}" if error.status == 401 else ""
        response = PlainTextResponse(error.sentence, status_code=error.status)
        if target:
            headers["HX-Redirect"] = target
    elif wants_json(scope):
        response = problem(error, scope)
    else:
        template = "errors/401.html" if error.status == 401 else "errors/error.html"
        page = ErrorPage(error.status, error.sentence, way_back(scope))
        response = HTMLResponse(draw(template, await _frame(scope), page), status_code=error.status)
    response.headers.update(headers)
    if error.status == 401 and any(
        cookie_name() in value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"
    ):
        clear_session_cookie(response)
    return response


async def on_limber_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.LimberError)
    return await answer(request.scope, error)


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = BY_STATUS.get(error.status_code)
    if kind is None:
        translated = errors.LimberError(_("This request is not understood here."))
        translated.status = error.status_code
    else:
        translated = (
            kind() if kind is not errors.BadInput else errors.BadInput(_("This request is not understood."))
        )
    response = await answer(request.scope, translated)
    response.headers.update(error.headers or {})
    return response


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """A body or parameter of the wrong shape: only hand-made requests get here, since forms check their own fields."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0] if error.errors() else {"loc": ("",), "msg": ""}
    where = ".".join(str(part) for part in first["loc"][1:]) or _("the request")
    if first["loc"][:1] == ("path",):
        return await answer(request.scope, errors.NotFound())
    return await answer(request.scope, errors.BadInput(_("Not understood: ") + f"{where}: {first['msg']}"))


async def on_database_error(request: Request, error: Exception) -> Response:
    log.error("database: %s", error)
    return await answer(request.scope, errors.Unavailable())


async def on_crash(request: Request, error: Exception) -> Response:
    log.exception("unhandled", exc_info=error)
    return await answer(request.scope, errors.LimberError())
