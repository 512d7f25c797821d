"""A video that is stopped while it is encoded: ffmpeg ends, nothing is left, and another try makes the stream."""

import asyncio
import time
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from app import db
from app.clock import utcnow
from app.settings import get_settings
from app.video import editing
from app.video.models import Video
from tests import factories
from tests.video import test_transcode
from tests.video.sources import AAC, X264, ffmpeg, sound

worker = test_transcode.worker


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stopped") / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=20", *sound(20), *X264, *AAC, path)
    return path


def encoders() -> list[int]:
    """The processes of ffmpeg that this one started."""
    return [one.pid for one in psutil.Process().children(recursive=True) if "ffmpeg" in one.name()]


async def until_encoding(video_id: UUID) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        async with db.transaction() as session:
            video = await session.get_one(Video, video_id)
        if video.state == "encoding" and encoders():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it is still {video.state}")


@pytest.mark.long
async def test_a_stopped_video_leaves_nothing_and_can_be_tried_again(worker: str, clip: Path) -> None:
    video_id = await test_transcode.add_video(clip.read_bytes())
    await until_encoding(video_id)
    async with db.transaction() as session:
        owner = await factories.staff(session)
        await editing.stop(session, owner.id, video_id, utcnow())
    work = get_settings().data_dir / "work"
    deadline = time.monotonic() + 30
    while encoders() or any(work.glob(f"{video_id}-*")):
        assert time.monotonic() < deadline, (encoders(), list(work.iterdir()))
        await asyncio.sleep(0.1)
    async with db.transaction() as session:
        video = await session.get_one(Video, video_id)
        assert (video.state, video.version) == ("failed", 0)
        assert (video.failure or "").startswith("You stopped this.")
        await editing.retry(session, owner.id, video_id, utcnow())
    video = await test_transcode.until_ended(video_id, 120)
    assert (video.state, video.failure, video.version) == ("ready", None, video.attempt)
    left = [path.name for path in (get_settings().media_dir / "videos" / str(video_id)).iterdir()]
    assert left == [str(video.attempt)]
