"""The tus endpoint: bare Starlette, because a body of any size is streamed and no transaction may span it.

Source: https://tus.io/protocols/resumable-upload (1.0.0)
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from app.accounts.permissions import MAY, Permission, Viewer
from app.errors import Forbidden, LimberError, NotFound, SignInRequired, TooLarge
from app.i18n import _
from app.settings import get_settings
from app.video import tus, upload_removal, uploads
from app.video.upload_standing import Standing
from app.web.failures import answer
from app.web.guard import brief_viewer, declares

PATH = "/studio/uploads"
Act = Callable[[Request, Viewer], Awaitable[Response]]


@declares(Permission.STAFF)
async def collection(request: Request) -> Response:
    """OPTIONS and POST /studio/uploads."""
    return await _answered(request, _offer if request.method == "OPTIONS" else _create)


@declares(Permission.STAFF)
async def resource(request: Request) -> Response:
    """OPTIONS, HEAD, PATCH and DELETE /studio/uploads/{id}; POST with X-HTTP-Method-Override for any of them."""
    method = request.method
    if method == "POST":
        method = request.headers.get("x-http-method-override", "").upper()
    acts: dict[str, Act] = {"HEAD": _tell, "PATCH": _append, "DELETE": _discard}
    if request.method == "OPTIONS":
        return await _answered(request, _offer)
    return await _answered(request, acts.get(method, _nothing))


async def _answered(request: Request, act: Act) -> Response:
    """What `act` answers, or its error as problem+json, with the headers that tus wants on both."""
    try:
        viewer = await brief_viewer(request)
        if viewer is None:
            raise SignInRequired
        if not MAY[Permission.STAFF](viewer):
            raise Forbidden
        if act is not _offer:
            tus.check_version(request.headers)
        response = await act(request, viewer)
    except LimberError as error:
        response = await answer(_as_tus(request.scope), error)
        if isinstance(error, tus.WrongVersion):
            response.headers["Tus-Version"] = tus.VERSION
    response.headers["Tus-Resumable"] = tus.VERSION
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_tus(scope: Scope) -> Scope:
    """Whoever comes here speaks tus, also when the header that says so was forgotten: no HTML for them."""
    return {**scope, "headers": [*scope["headers"], (b"tus-resumable", b"")]}


async def _offer(_request: Request, _viewer: Viewer) -> Response:
    return Response(status_code=204, headers=tus.offered(get_settings().max_upload_bytes))


async def _nothing(_request: Request, _viewer: Viewer) -> Response:
    """A POST that says nothing of what it stands for; said to staff alone, as everything here."""
    raise NotFound


async def _create(request: Request, viewer: Viewer) -> Response:
    """Creation, and creation-with-upload when there is a body."""
    headers = request.headers
    if "upload-defer-length" in headers:
        raise tus.BadTus(_("The length of the file has to be known when its upload begins."))
    length = tus.number(headers, "upload-length")
    announced = tus.content_length(headers)
    has_body = bool(announced) or "transfer-encoding" in headers
    if has_body:
        tus.check_bytes(headers)
        if announced is not None and announced > length:
            raise TooLarge(_("More bytes came than the file was said to have."))
    checksum = tus.checksum(headers)
    standing = await uploads.begin(viewer.user_id, length, headers.get("upload-metadata", ""))
    location = f"{PATH}/{standing.id}"
    if has_body:
        try:
            standing = await uploads.append(
                standing.id, viewer.user_id, 0, _body(request), announced=announced, checksum=checksum
            )
        except LimberError:
            # The answer is an error without a Location: nobody could ever go on with this one.
            with suppress(LimberError):
                await upload_removal.discard(standing.id, viewer.user_id)
            raise
    return Response(status_code=201, headers={"Location": location, **_progress(standing)})


async def _tell(request: Request, viewer: Viewer) -> Response:
    standing = await uploads.standing(_id(request), viewer.user_id)
    headers = {"Upload-Length": str(standing.length), **_progress(standing)}
    if standing.tus_metadata:
        headers["Upload-Metadata"] = standing.tus_metadata
    return Response(status_code=200, headers=headers)


async def _append(request: Request, viewer: Viewer) -> Response:
    tus.check_bytes(request.headers)
    standing = await uploads.append(
        _id(request),
        viewer.user_id,
        tus.number(request.headers, "upload-offset"),
        _body(request),
        announced=tus.content_length(request.headers),
        checksum=tus.checksum(request.headers),
    )
    return Response(status_code=204, headers=_progress(standing))


async def _discard(request: Request, viewer: Viewer) -> Response:
    await upload_removal.discard(_id(request), viewer.user_id)
    return Response(status_code=204)


async def _body(request: Request) -> AsyncIterator[bytes]:
    """What arrives. A line that breaks ends it, so that the bytes before the break are kept."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        return


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["upload_id"])
    except ValueError:
        raise NotFound(_("This upload is not here any more. Please begin it again.")) from None


def _progress(standing: Standing) -> dict[str, str]:
    headers = {"Upload-Offset": str(standing.offset)}
    if standing.video_id is not None:
        headers["Limber-Video"] = str(standing.video_id)
    else:
        headers["Upload-Expires"] = tus.expires(standing.expires_at)
    return headers


routes: list[Any] = [
    Route(PATH, collection, methods=["OPTIONS", "POST"]),
    Route(PATH + "/{upload_id}", resource, methods=["OPTIONS", "HEAD", "PATCH", "DELETE", "POST"]),
]
