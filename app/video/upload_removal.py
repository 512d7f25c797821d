"""An upload given up by its owner or left alone: its row, its bytes, its parts in S3."""

import asyncio
from uuid import UUID

from app import db, storage
from app.clock import utcnow
from app.errors import Forbidden, Locked, NotFound
from app.i18n import _
from app.video import receiving, upload_files, upload_parts
from app.video.models import Upload
from app.video.upload_files import video_id_of
from app.video.upload_standing import find, lock_name

# How often, a tenth of a second apart, whoever gives an upload up looks whether its last request has ended.
DISCARD_LOOKS = 10


async def discard(upload_id: UUID, owner_id: UUID) -> None:
    """Give an upload up and free its space. A finished one is a video by now: only its row goes.

    Raises:
        NotFound, Forbidden: as `find`.
        Locked: bytes are arriving at this moment.
        storage.StorageDown: S3 still keeps its parts.
    """
    for _look in range(DISCARD_LOOKS):
        async with db.try_lock(lock_name(upload_id)) as held:
            if held:
                await remove(upload_id, owner_id)
                return
        # Whoever gives up breaks the line first: the request that wrote is about to notice.
        receiving.push_aside(upload_id)
        await asyncio.sleep(0.1)
    await find(upload_id, owner_id, utcnow())
    raise Locked(_("This file is being sent from another window or connection at the moment."))


async def remove(upload_id: UUID, owner_id: UUID | None = None) -> None:
    """Delete row and bytes; the caller holds the lock. `owner_id` None: the sweep, which may remove anybody's."""
    async with db.transaction() as session:
        row = await session.get(Upload, upload_id)
    if row is None:
        raise NotFound(_("This upload is not here any more. Please begin it again."))
    if owner_id is not None and row.owner_id != owner_id:
        raise Forbidden(_("This upload was begun from another account."))
    # The row last of what is elsewhere: without it nobody would know what S3 keeps.
    await upload_parts.give_up(upload_id)
    async with db.transaction() as session:
        await session.delete(await session.get_one(Upload, upload_id, with_for_update=True))
    if row.finished_at is None:
        await asyncio.to_thread(upload_files.remove, upload_id)
        # A crash may have left the whole file at its later place, with no video to show for it.
        await storage.delete_prefix(f"sources/{video_id_of(upload_id)}/")
