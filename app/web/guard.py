"""Who is asking, and whether the route's declared permission lets them in."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.params import Depends as DependsMarker
from starlette.responses import Response

from app.accounts import sessions
from app.accounts.permissions import MAY, Permission, Viewer
from app.accounts.signing_in import Device
from app.clock import utcnow
from app.db import Db, Querying, transaction
from app.errors import Forbidden, SignInRequired
from app.settings import get_settings

E = TypeVar("E", bound=Callable[..., Any])


def cookie_name() -> str:
    """`__Host-limber` where cookies can be Secure; `limber` on plain loopback."""
    return "__Host-limber" if get_settings().secure_cookies else "limber"


def set_session_cookie(response: Response, token: str) -> None:
    """Hand the browser its sign-in. Sent again with every page, so that the days count from the last use."""
    settings = get_settings()
    response.set_cookie(
        cookie_name(),
        token,
        max_age=settings.session_days * 86400,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response) -> None:
    # Browsers ignore a `__Host-` cookie, and so its deletion, unless it is Secure.
    response.delete_cookie(
        cookie_name(), path="/", secure=get_settings().secure_cookies, httponly=True, samesite="lax"
    )


def device_of(request: Request) -> Device:
    """Where this request comes from, for a new sign-in."""
    return Device(
        user_agent=request.headers.get("user-agent", ""),
        ip=request.client.host if request.client else "",
        old_token=request.cookies.get(cookie_name()),
    )


async def viewer_of(request: Request, db: Querying) -> Viewer | None:
    """The signed-in viewer, or None. Remembered on the request, so that error pages show the same header."""
    token = request.cookies.get(cookie_name())
    viewer = await sessions.find(db, token, utcnow()) if token else None
    request.state.viewer = viewer
    return viewer


async def current_viewer(request: Request, db: Db) -> Viewer | None:
    """The same for FastAPI's routes."""
    return await viewer_of(request, db)


MaybeViewer = Annotated[Viewer | None, Depends(current_viewer)]


async def signed_in(viewer: MaybeViewer) -> Viewer:
    """The viewer of a route that needs one.

    Raises:
        SignInRequired: for anonymous visitors.
    """
    if viewer is None:
        raise SignInRequired
    return viewer


SignedIn = Annotated[Viewer, Depends(signed_in)]


class Needs:
    """The dependency that a route declares its permission with; `permission` is what the route walk reads."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, viewer: MaybeViewer) -> None:
        if MAY[self.permission](viewer):
            return
        if viewer is None:
            raise SignInRequired
        raise Forbidden


async def brief_viewer(request: Request) -> Viewer | None:
    """The same viewer for routes that talk to the outside world: looked up in a transaction that is over by then."""
    async with transaction() as session:
        return await current_viewer(request, session)


BriefViewer = Annotated[Viewer | None, Depends(brief_viewer)]


async def brief_signed_in(viewer: BriefViewer) -> Viewer:
    """As `signed_in`, with no transaction open behind it."""
    return await signed_in(viewer)


BriefSignedIn = Annotated[Viewer, Depends(brief_signed_in)]


class NeedsBriefly(Needs):
    """For routes that call other servers: no transaction stays open behind the permission."""

    async def __call__(self, viewer: BriefViewer) -> None:
        await super().__call__(viewer)


class NeedsNothingFromCookies(Needs):
    """For routes whose permission is checked by other means: no session is looked up, no query is made."""

    async def __call__(self) -> None:  # type: ignore[override]
        return


def needs(permission: Permission) -> Any:
    """`dependencies=[needs(Permission.STAFF)]` on a router or a route."""
    if permission in (Permission.PUBLIC, Permission.MEMBER, Permission.STAFF):
        return Depends(Needs(permission))
    return Depends(NeedsNothingFromCookies(permission))


def needs_briefly(permission: Permission) -> Any:
    """The same, for routes that take `BriefViewer` (or no viewer) and no `Db`, because they call other servers."""
    return Depends(NeedsBriefly(permission))


def declares(permission: Permission) -> Callable[[E], E]:
    """The same declaration for bare Starlette endpoints, which have no dependencies."""

    def mark(endpoint: E) -> E:
        endpoint.permission = permission  # type: ignore[attr-defined]
        return endpoint

    return mark


def declared(dependencies: list[DependsMarker], endpoint: Any) -> list[Permission]:
    """Every permission that a route declares, by either form."""
    found = [d.dependency.permission for d in dependencies if isinstance(d.dependency, Needs)]
    if hasattr(endpoint, "permission"):
        found.append(endpoint.permission)
    return found
