"""Errors as people meet them: a page, problem+json, or an htmx redirect, always with the sentence and a way back."""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Scope

from app import db, errors
from app.articles import old_addresses
from app.articles.queries import ArticleCard, published
from app.billing.trouble import trouble_of
from app.clock import utcnow
from app.i18n import _
from app.practice.queries import PracticeView, practice
from app.web.guard import clear_session_cookie, cookie_name, current_viewer
from app.web.last_resort import last_resort
from app.web.pages import Frame, draw, safe_next

log = logging.getLogger("limber.web")

LATEST = 4

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
    """`next` is where to go after signing in or paying: the page that was asked for."""

    status: int
    sentence: str
    next: str
    email: str = ""
    error: str = ""
    # Articles to read instead of what is not here.
    latest: tuple[ArticleCard, ...] = ()


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
    """Where to be after signing in or paying: this page; for what is no page, the one that it was asked from.

    A form, a script, htmx and an event stream name that page themselves; one of another site counts for nothing.
    """
    home = "/studio" if str(scope["path"]).startswith("/studio") else "/library"
    if scope["method"] in ("GET", "HEAD") and not is_htmx(scope) and not wants_json(scope):
        query = scope.get("query_string", b"").decode("latin-1")
        return safe_next(quote(str(scope["path"])) + (f"?{query}" if query else ""), home)
    headers = Headers(scope=scope)
    return _own_page(headers.get("hx-current-url") or headers.get("referer"), headers.get("host", "")) or home


def _own_page(url: str | None, host: str) -> str:
    """Path and query of an address on this host, else nothing."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    if not host or parts.scheme not in ("http", "https") or parts.netloc.lower() != host.lower():
        return ""
    return safe_next(parts.path + (f"?{parts.query}" if parts.query else ""), "")


def login_url(scope: Scope) -> str:
    return f"/login?next={quote(way_back(scope), safe='')}"


def plans_url(scope: Scope) -> str:
    return f"/plans?next={quote(way_back(scope), safe='')}"


def problem(error: errors.LimberError, scope: Scope) -> JSONResponse:
    """RFC 9457 problem details.

    Source: https://www.rfc-editor.org/rfc/rfc9457
    """
    body: dict[str, Any] = {
        "type": f"urn:limber:problem:{error.code}",
        "title": error.sentence,
        "status": error.status,
        "detail": error.sentence,
        **error.members,
    }
    if error.status == 401:
        body["login_url"] = login_url(scope)
    if error.status == 402:
        body["plans_url"] = plans_url(scope)
    return JSONResponse(body, status_code=error.status, media_type="application/problem+json")


def for_htmx(error: errors.LimberError, scope: Scope) -> Response:
    """A whole new page to sign in or to pay; anything else is said above the page, where it replaces nothing."""
    if error.status in (401, 402):
        target = login_url(scope) if error.status == 401 else plans_url(scope)
        return PlainTextResponse(error.sentence, status_code=error.status, headers={"HX-Redirect": target})
    # htmx swaps errors too: left to itself it would put this in the place of a table's row, or of typed words.
    headers = {
        "HX-Retarget": "#trouble",
        "HX-Reswap": "innerHTML",
        "HX-Reselect": ".notice",
    }
    said = Markup('<p class="notice notice-bad">{}</p>').format(error.sentence)
    return HTMLResponse(said, status_code=error.status, headers=headers)


async def _frame(scope: Scope, *, with_latest: bool) -> tuple[Frame, tuple[ArticleCard, ...]]:
    """The frame of an error page, and the latest articles for one that leads nowhere.

    It needs nothing, so that it can be drawn while the database is down.
    """
    request = Request(scope)
    viewer, facts, trouble = None, PracticeView(), None
    latest: tuple[ArticleCard, ...] = ()
    try:
        async with db.transaction() as session:
            viewer = await current_viewer(request, session)
            facts = await practice(session)
            trouble = await trouble_of(session, viewer.user_id, utcnow()) if viewer else None
            latest = tuple(await published(session, utcnow(), limit=LATEST)) if with_latest else ()
    except (SQLAlchemyError, OSError, RuntimeError) as fault:
        log.warning("error page without the database: %s", type(fault).__name__)
    return Frame(viewer, facts, getattr(request.state, "csp_nonce", ""), scope["path"], trouble), latest


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
        response = for_htmx(error, scope)
    elif wants_json(scope):
        response = problem(error, scope)
    else:
        template = "errors/401.html" if error.status == 401 else "errors/error.html"
        is_lost = error.status in (404, 410) and not scope["path"].startswith("/studio")
        frame, latest = await _frame(scope, with_latest=is_lost)
        page = ErrorPage(error.status, error.sentence, way_back(scope), latest=latest)
        response = HTMLResponse(draw(template, frame, page), status_code=error.status)
    response.headers.update(headers)
    if error.status == 401 and any(
        cookie_name() in value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"
    ):
        clear_session_cookie(response)
    return response


async def on_limber_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.LimberError)
    if error.status == 404 and (moved := await moved_to(request.scope)):
        return moved
    return await answer(request.scope, error)


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and (moved := await moved_to(request.scope)):
        return moved
    if error.status_code == 404 and (target := without_slash(request.scope)):
        return RedirectResponse(target, status_code=308)
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
    """A body or parameter of the wrong shape: hand-made, or an address that lost a part; forms check their own fields.

    A program is told which part, in its own words; a person, what to do.
    """
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0] if error.errors() else {"loc": ("",), "msg": ""}
    where = ".".join(str(part) for part in first["loc"][1:]) or _("the request")
    if first["loc"][:1] == ("path",):
        return await answer(request.scope, errors.NotFound())
    if not wants_json(request.scope):
        sentence = _("Something is missing in this address. Please go back and try once more.")
        return await answer(request.scope, errors.BadInput(sentence))
    return await answer(request.scope, errors.BadInput(_("Not understood: ") + f"{where}: {first['msg']}"))


def without_slash(scope: Scope) -> str | None:
    """Where a GET address with a slash at its end leads: old ones, WordPress's above all, end so.

    Starlette's own redirect names whatever host the request named; this one names none.
    """
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD") or not path.endswith("/") or not path.strip("/"):
        return None
    query = scope["query_string"].decode("latin-1")
    return "/" + quote(path.strip("/")) + (f"?{query}" if query else "")


async def moved_to(scope: Scope) -> Response | None:
    """The permanent redirect to where a page of a former address is now; None for what never was here."""
    if scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(("/media/", "/static/")):
        return None
    try:
        async with db.transaction() as session:
            found = await old_addresses.find(session, scope["path"], scope["query_string"].decode("latin-1"))
    except (SQLAlchemyError, OSError, RuntimeError):
        # The page about the missing page needs no database either.
        return None
    return RedirectResponse(found, status_code=301) if found else None


async def on_data_error(request: Request, error: Exception) -> Response:
    """PostgreSQL cannot hold what a hand-made request asked about: a NUL in a text, a number out of bounds."""
    log.warning("refused by the database: %s", error)
    if request.method in ("GET", "HEAD"):
        return await answer(request.scope, errors.NotFound())
    return await answer(request.scope, errors.BadInput(_("This request is not understood.")))


async def on_database_error(request: Request, error: Exception) -> Response:
    log.error("database: %s", error)
    return await answer(request.scope, errors.Unavailable())


async def on_crash(request: Request, error: Exception) -> Response:
    log.exception("unhandled", exc_info=error)
    try:
        return await answer(request.scope, errors.LimberError())
    except Exception:
        # What broke the page may break the page about it, too.
        log.exception("no error page")
        return last_resort(500, way_back(request.scope))
