"""A teacher's own picture as the poster of a film: taken in, and stored with no transaction open meanwhile."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from app import db
from app.accounts.permissions import Permission
from app.clock import utcnow
from app.errors import LimberError, NotFound
from app.video import pictures, poster_choice, queries
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import pages_of
from app.web.studio import videos

router = APIRouter(prefix="/studio/videos", dependencies=[needs_briefly(Permission.STAFF)])


@router.post("/{video_id}/poster/picture")
async def upload(
    video_id: UUID,
    request: Request,
    viewer: BriefSignedIn,
    picture: Annotated[UploadFile | str, File()] = "",
) -> Response:
    """POST /studio/videos/{id}/poster/picture: a JPEG, PNG, WebP or HEIC file that stands for the film from now on."""
    async with db.transaction() as session:
        await queries.by_id(session, video_id)
    # A form without a chosen file sends an empty text.
    data = b"" if isinstance(picture, str) else await picture.read(pictures.FILE_BYTES + 1)
    try:
        stored = await poster_choice.store(video_id, await pictures.as_poster(data))
        async with db.transaction() as session:
            await poster_choice.show_own(session, viewer.user_id, video_id, stored, utcnow())
    except NotFound:
        raise
    except LimberError as refused:
        async with db.transaction() as session:
            page = await pages_of(request, session, viewer)
            return await videos.show(page, session, video_id, poster_error=refused)
    return RedirectResponse(f"/studio/videos/{video_id}?done=poster#posters", 303)
