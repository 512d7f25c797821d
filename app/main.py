"""create_app(): routers, middleware and error pages; nothing is wired elsewhere."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import db, i18n
from app.errors import LimberError
from app.playback.keeping import keeping
from app.practice.queries import language
from app.settings import get_settings
from app.web import articles, closing, courses, failures, media, playback, static
from app.web.kept import KeptPages
from app.web.shield import BodyLimit, CrossSiteShield, HeadAsGet, SecurityHeaders

# One module for each audience; each offers `router`, and may offer bare Starlette `routes` for hot paths.
WEB = (
    "ops",
    "home",
    "feeds",
    "response_feeds",
    "sitemaps",
    "auth",
    "account",
    "leaving",
    "plan_change",
    "cancelling",
    "bills",
    "courses",
    "library",
    "articles",
    "responding",
    "finding",
    "drafts",
    "series",
    "following",
    "own_responses",
    "waiting",
    "reporting",
    "article_files",
    "clips",
    "contact",
    "playback",
    "media",
    "billing",
    "card",
    "gifts",
    "refunds",
    # Before the studio's articles, whose addresses end in anything.
    "article_pictures",
    "studio",
    "uploads",
    "exports",
    "pictures",
    "look",
    "theme",
    # Last: its addresses are one word each, and every other page comes first.
    "own_pages",
)

# The first sees a request first.
SHIELDS = (SecurityHeaders, CrossSiteShield, BodyLimit)
ERRORS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    LimberError: failures.on_limber_error,
    HTTPException: failures.on_http_error,
    RequestValidationError: failures.on_invalid_request,
    DataError: failures.on_data_error,
    OperationalError: failures.on_database_error,
    Exception: failures.on_crash,
}


async def _speak() -> None:
    """Answer in the site's language also before the first page was asked for."""
    try:
        async with db.transaction() as session:
            i18n.use_locale(await language(session))
    except (SQLAlchemyError, OSError):
        # The database may come up later; then the first page tells.
        return


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    settings = get_settings()
    if settings.database_url is None:
        raise RuntimeError("the web process needs DATABASE_URL")
    db.open_database(settings.database_url)
    await _speak()
    # A token that another process signed with a new key is known from the first request on.
    keys = asyncio.create_task(keeping.keep_fresh())
    with closing.heeding_signals():
        yield
    keys.cancel()
    await asyncio.gather(keys, return_exceptions=True)
    await db.close_database()


def served() -> FastAPI:
    """`create_app` in a process that does nothing else.

    What start-up made stays for good, and is put out of the garbage collector's sight: its walks over those 200,000
    objects held a request in a hundred up for 80 ms and more.
    """
    app = create_app()
    # FastAPI prepares a router's routes when it first looks among them: the first reader would wait 0.3 s for that.
    for route in app.routes:
        route.matches({"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []})
    gc.collect()
    gc.freeze()
    return app


class Site(FastAPI):
    """What players ask for, and the pages that are read most, need nothing of FastAPI: its middleware, its walk over
    all routes and its dependencies were most of such a request.

    `direct` answers the beginning of a viewing and those pages, behind the same shields and with the same error pages.
    """

    direct: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if media.is_meant(scope):
            await media.serve(scope, receive, send)
        elif playback.is_start(scope) or courses.is_read(scope) or articles.is_read(scope):
            await self.direct(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app() -> Site:
    """The whole site as one ASGI application.

    Raises:
        pydantic.ValidationError: when the settings are refused.
    """
    i18n.look_in(get_settings().data_dir / "locale")
    # The interactive API pages load scripts from elsewhere, which the CSP forbids.
    app = Site(
        title="Limber",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    for name in WEB:
        module = import_module(f"app.web.{name}")
        if hasattr(module, "router"):
            app.include_router(module.router)
        app.router.routes.extend(getattr(module, "routes", []))
    app.router.routes.append(Route("/static/{name:path}", static.static_file, methods=["GET", "HEAD"]))
    for error, page in ERRORS.items():
        app.add_exception_handler(error, page)
    app.add_middleware(HeadAsGet)
    app.add_middleware(KeptPages)
    for shield in reversed(SHIELDS):
        app.add_middleware(shield)
    app.direct = Starlette(
        routes=[*playback.routes, *courses.routes, *articles.routes],
        middleware=[Middleware(one) for one in (*SHIELDS, KeptPages, HeadAsGet)],
        exception_handlers=ERRORS,
    )
    return app
