"""What is not to be kept goes, in its time, and nothing else; what is deleted leaves nothing behind."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import db, storage
from app.clock import utcnow
from app.settings import Settings
from app.video import originals, removal
from app.video.models import Video
from tests import factories


async def video(**values: Any) -> UUID:
    async with db.transaction() as session:
        row = await factories.video(session, **values)
        row.source_key = f"sources/{row.id}/original.mov"
    await storage.put(row.source_key, b"film")
    await storage.put(f"videos/{row.id}/1/1080p/1.m4s", b"part")
    return row.id


async def source_of(video_id: UUID) -> tuple[str, bool]:
    async with db.transaction() as session:
        key = (await session.get_one(Video, video_id)).source_key
    return key, await storage.size(f"sources/{video_id}/original.mov") is not None


def test_originals_are_kept_unless_told_otherwise() -> None:
    assert Settings.model_fields["keep_originals"].default is True


async def test_an_original_goes_a_day_after_its_video_became_ready(database: db.Database) -> None:
    now = utcnow()
    old = await video(ready_at=now - timedelta(hours=25))
    young = await video(ready_at=now - timedelta(hours=23))
    failed = await video(ready_at=now - timedelta(hours=25), state="failed", failure="It broke.")
    assert await originals.drop(now) == 1
    assert await originals.drop(now) == 0
    async with db.transaction() as session:
        works = list(await session.scalars(text("SELECT workflow_uuid FROM dbos.workflow_status")))
    assert works == [f"remove_original:{old}"]
    for video_id in (old, young, failed):
        await originals.remove(str(video_id))
    assert await source_of(old) == ("", False)
    assert (await source_of(young))[1]
    assert (await source_of(failed))[1]
    assert await storage.size(f"videos/{old}/1/1080p/1.m4s") == 4


async def test_a_deleted_video_leaves_nothing_in_storage(database: db.Database) -> None:
    gone, kept = await video(), await video()
    await removal.remove(str(gone))
    assert (await source_of(gone))[1], "a video that is there loses nothing"
    async with db.transaction() as session:
        await session.delete(await session.get_one(Video, gone))
    await removal.remove(str(gone))
    for folder in ("videos", "sources"):
        place = storage.local_path(f"{folder}/{gone}")
        assert place is not None
        assert not place.exists()
        assert storage.local_path(f"{folder}/{kept}").is_dir()  # type: ignore[union-attr]
