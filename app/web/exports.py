"""A WordPress export on its way in: read from the line onto the disk and into storage, with no transaction open."""

from collections.abc import AsyncIterator
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from app import db, storage
from app.accounts.permissions import Permission
from app.clock import utcnow
from app.errors import LimberError
from app.moving import runs
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import pages_of
from app.web.studio import importing

router = APIRouter(prefix="/studio/import", dependencies=[needs_briefly(Permission.STAFF)])
PIECE_BYTES = 2**20


@router.post("/files")
async def send(request: Request, viewer: BriefSignedIn) -> Response:
    """POST /studio/import/files: one export, in one file or several, to be looked at.

    The form is read here and not declared: whoever may not send anything is refused before a byte of it is read.
    """
    async with request.form(max_files=runs.MOST_FILES + 1, max_fields=5) as form:
        # A form without a chosen file sends one without a name.
        files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
        told = [(one.filename or "", one.size or 0) for one in files]
        try:
            runs.check_files(told)
            run_id = uuid4()
            for number, file in enumerate(files):
                await storage.put_stream(runs.key_of(run_id, number), _pieces(file), file.size or 0)
        except LimberError as refused:
            async with db.transaction() as session:
                return await importing.show_list(await pages_of(request, session, viewer), session, refused)
        fetches = form.get("fetches_pictures") == "1"
    async with db.transaction() as session:
        await runs.look(session, viewer.user_id, run_id, told, utcnow(), fetches_pictures=fetches)
    return RedirectResponse(f"/studio/import/{run_id}", 303)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    await file.seek(0)
    while piece := await file.read(PIECE_BYTES):
        yield piece
