"""A disk that is really full: what arrived is kept, what is to be encoded waits, both go on when there is room."""

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from app import db, storage
from app.settings import get_settings
from app.video import words
from app.video.models import Video
from tests.video.crashing import half_written, until, workers
from tests.video.rfc8216_stream import check_stream
from tests.video.small_disk import SmallDisk, small_disk
from tests.video.sources import AAC, X264, ffmpeg, sound
from tests.video.test_transcode import add_video, until_ended
from tests.video.test_uploads import TUS, arrives, create, headers, noise, stands_at, token
from tests.web.server import COOKIE, serving

pytestmark = [pytest.mark.xdist_group("full"), pytest.mark.long]
MIB = 2**20


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """Beside a data folder of the test's own, which has all the room of this machine."""
    monkeypatch.setenv("LIMBER_DATA_DIR", str(tmp_path / "data"))
    fresh()
    with small_disk(tmp_path / "small") as found:
        yield found
    monkeypatch.undo()
    fresh()


def fresh() -> None:
    get_settings.cache_clear()
    storage.store.cache_clear()


def moved(folder: Path, disk: SmallDisk) -> None:
    """What lies in `folder`, and will, lies on the small disk."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, disk.folder / folder.name)
    folder.symlink_to(disk.folder / folder.name)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=44", *sound(44), *X264, *AAC, path)
    return path


async def test_an_upload_goes_on_when_there_is_room_again(database: db.Database, disk: SmallDisk) -> None:
    settings = get_settings()
    data = noise(12 * MIB)
    with serving(database.url, settings.data_dir) as server:
        async with httpx.AsyncClient(
            base_url=server.url, cookies={COOKIE: await token()}, trust_env=False, verify=False, timeout=30
        ) as teacher:
            # Begun while there was room for it: else it would have been refused.
            url = await create(teacher, data)
            moved(settings.data_dir / "uploads", disk)
            moved(settings.media_dir / "sources", disk)
            disk.fill(5 * MIB)
            refused = await teacher.patch(url, content=data, headers=headers(0))
            assert (refused.status_code, refused.headers["content-type"]) == (507, "application/problem+json")
            assert refused.json()["detail"].startswith("The disk is full. What has arrived is kept")
            kept = await stands_at(teacher, url)
            assert kept > 0
            upload = next((disk.folder / "uploads").iterdir())
            assert hashlib.sha256(upload.read_bytes()[:kept]).digest() == hashlib.sha256(data[:kept]).digest()
            again = await teacher.patch(url, content=data[kept:], headers=headers(kept))
            assert again.status_code == 507
            assert await stands_at(teacher, url) >= kept
            assert (await teacher.get("/healthz")).status_code == 200
            disk.make_room()
            await arrives(teacher, url, data)
            assert TUS["Tus-Resumable"] == refused.headers["tus-resumable"]


@pytest.mark.parametrize("folder", ["work", "media"])
async def test_a_film_waits_for_room_and_ends_ready(
    folder: str, database: db.Database, disk: SmallDisk, film: Path
) -> None:
    """`work`: where chunks are encoded; `media`: where they are delivered, which is another disk then."""
    settings = get_settings()
    video_id = await add_video(film.read_bytes())
    moved(settings.data_dir / folder, disk)
    disk.fill(200_000)
    with workers(database.url, 1):
        # Each of its parts is tried five times before, on however slow a machine.
        await until(lambda: waits(video_id), 300, "it never waited for room")
        disk.make_room()
        video = await until_ended(video_id, 120)
    assert (video.state, video.failure, video.version) == ("ready", None, 1)
    stream = settings.media_dir / "videos" / str(video_id) / "1"
    assert check_stream(stream) == []
    assert half_written(stream) == []
    await until(lambda: is_empty(settings.data_dir / "work"), 15, "something is left of the work")


async def waits(video_id: UUID) -> bool:
    async with db.transaction() as session:
        video = await session.get_one(Video, video_id)
    assert video.state not in ("ready", "failed"), video.failure
    if (video.state, video.stage) != ("queued", words.NO_ROOM):
        return False
    assert words.stage(video) == "Waiting for space on the disk"
    return True


async def is_empty(folder: Path) -> bool:
    return not await asyncio.to_thread(lambda: any(folder.iterdir()))
