"""A film's whole way through the front door: sent by tus, encoded by a worker process, and streamed to a visitor.

Nothing is looked up behind the door: what a browser would ask for is all that is asked, of media on disk and in S3.
"""

import asyncio
import hashlib
import io
import re
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import boto3  # type: ignore[import-untyped]  # it has no stubs
import httpx
import pytest
from PIL import Image

from app import db
from app.accounts import sessions
from app.clock import utcnow
from tests import factories
from tests.forked import start_worker
from tests.s3 import credentials, object_store
from tests.video.rfc8216 import read_master, read_media
from tests.video.rfc8216_stream import check_stream, read_rendition
from tests.video.sources import AAC, X264, ffmpeg, picture, sound
from tests.web.server import COOKIE, Server
from tests.web.studio_course import COURSE

LENGTH_S = 8.0
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TUS = {"Tus-Resumable": "1.0.0"}


@contextmanager
def kept(where: str) -> Iterator[dict[str, str]]:
    """The environment in which media are kept on this disk, or in an S3."""
    if where == "disk":
        yield {}
        return
    with object_store() as endpoint:
        boto3.client(
            "s3", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test",
            region_name="us-east-1",
        ).create_bucket(Bucket="films")  # fmt: skip
        yield {**credentials(endpoint), "LIMBER_STORAGE_URL": "s3://films/studio"}


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.long)])
def site(request: pytest.FixtureRequest, worker_database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a web process beside which one worker runs: the two share a database, and the storage."""
    with kept(request.param) as environment:
        web = Server(worker_database_url, tmp_path / "web")
        web.environment.update(environment)
        web.start()
        # In S3 a worker may be another machine, with a disk of its own.
        place = "web" if request.param == "disk" else "worker"
        worker = start_worker(worker_database_url, LIMBER_DATA_DIR=str(tmp_path / place), **environment)
        yield web.url
        worker.terminate()
        worker.wait(30)
        web.stop()
        web.said.close()


@pytest.fixture
async def teacher(database: db.Database, site: str) -> AsyncIterator[httpx.AsyncClient]:
    async with db.transaction() as session:
        user = await factories.staff(session)
        token = await sessions.start(session, user, user_agent="test", ip="127.0.0.1", now=utcnow())
    async with httpx.AsyncClient(
        base_url=site, cookies={COOKIE: token}, trust_env=False, verify=False, timeout=60
    ) as client:
        yield client


@pytest.fixture
async def visitor(site: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site, trust_env=False, verify=False, timeout=60) as client:
        yield client


async def sent(client: httpx.AsyncClient, data: bytes) -> str:
    """The id of the video that a film became, sent in two pieces, of which the second says its digest."""
    named = f"filename {b64encode(b'hip_flexor.mp4').decode()},filetype {b64encode(b'video/mp4').decode()}"
    begun = await client.post(
        "/studio/uploads", headers={**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": named}
    )
    assert begun.status_code == 201, begun.text
    half = len(data) // 2
    digest = b64encode(hashlib.sha256(data[half:]).digest()).decode()
    for start, piece, said in (
        (0, data[:half], {}),
        (half, data[half:], {"Upload-Checksum": f"sha256 {digest}"}),
    ):
        answer = await client.patch(
            begun.headers["location"],
            content=piece,
            headers={
                **TUS, **said, "Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream",
            },
        )  # fmt: skip
        assert answer.status_code == 204, answer.text
    return str(answer.headers["limber-video"])


async def until_ready(client: httpx.AsyncClient, video_id: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        page = (await client.get(f"/studio/videos/{video_id}")).text
        found = re.search(rf'data-video-id="{video_id}" data-state="(\w+)"', page)
        assert found is not None, page
        assert found[1] != "failed", page
        if found[1] == "ready":
            return
        await asyncio.sleep(0.25)
    raise AssertionError("the film does not get ready")


async def shown(client: httpx.AsyncClient, video_id: str) -> str:
    """The id of a free lesson, made and published by the studio's forms, that shows the video."""

    async def post(path: str, **words: str) -> str:
        answer = await client.post(path, data=words)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"]).partition("?")[0]

    course = await post("/studio/courses", **COURSE)
    await post(f"{course}/sections", title="Warm-up")
    section = re.search(rf"/sections/({ID})", (await client.get(course)).text)
    assert section is not None
    lesson = await post(
        f"{course}/lessons", title="Hips", section_id=section[1], video_id=video_id, is_free="true"
    )
    await post(f"{lesson}/do/publish")
    await post(f"{course}/do/publish")
    return lesson.rpartition("/")[2]


async def fetched(client: httpx.AsyncClient, master_url: str, folder: Path) -> int:
    """Every file of a stream that its playlists name, put into `folder`; answers how many."""
    count = 0

    async def take(uri: str) -> str:
        nonlocal count
        answer = await client.get(urljoin(master_url, uri))
        assert answer.status_code == 200, uri
        path = folder / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answer.content)
        count += 1
        return answer.text if uri.endswith(".m3u8") else ""

    master = read_master(await take("master.m3u8"))
    for offer in [*master.variants, *master.media]:
        assert offer.uri is not None
        media = read_media(await take(offer.uri))
        names = {name for part in media.segments for name in (part.uri, part.init) if name}
        for name in sorted(names):
            await take(f"{offer.uri.rpartition('/')[0]}/{name}")
    return count


async def sheets(client: httpx.AsyncClient, master_url: str) -> list[tuple[int, int]]:
    """Sizes of the storyboard's pictures, each asked for by the name that its index gives it."""
    index_url = urljoin(master_url, "storyboard/storyboard.vtt")
    index = await client.get(index_url)
    assert index.status_code == 200
    assert index.text.startswith("WEBVTT")
    # A tile for each group of pictures.
    assert index.text.count(" --> ") == LENGTH_S / 2
    found = []
    for name in sorted(set(re.findall(r"^(\S+)#xywh=", index.text, re.MULTILINE))):
        answer = await client.get(urljoin(index_url, name))
        assert answer.status_code == 200, name
        with Image.open(io.BytesIO(answer.content)) as sheet:
            found.append(sheet.size)
    return found


@pytest.mark.long
async def test_a_film_goes_from_a_teachers_disk_to_a_visitors_player(
    teacher: httpx.AsyncClient, visitor: httpx.AsyncClient, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg(*picture("712x400", length_s=LENGTH_S), *sound(LENGTH_S), *X264, *AAC, film)
    video_id = await sent(teacher, film.read_bytes())
    await until_ready(teacher, video_id)
    lesson_id = await shown(teacher, video_id)
    begun = await visitor.post(f"/lessons/{lesson_id}/playback")
    assert begun.status_code == 201, begun.text
    master_url = urljoin(str(visitor.base_url), begun.json()["playlist_url"])
    folder = tmp_path / "fetched"
    # Two rungs and the sound, each with a playlist, a head and two segments.
    assert await fetched(visitor, master_url, folder) == 1 + 3 * 4
    assert check_stream(folder) == []
    top = max(read_master((folder / "master.m3u8").read_text()).variants,
              key=lambda offer: int(offer.attributes["BANDWIDTH"]))  # fmt: skip
    assert top.attributes["RESOLUTION"] == "712x400"
    assert sum(part.samples for part in read_rendition(folder, str(top.uri)).parts) == 25 * LENGTH_S
    assert await sheets(visitor, master_url) == [(6 * 256, 144)]
    # A letter changed in its token, and nothing of it is served.
    forged = re.sub(r"(?<=/media/)(.*?/)", lambda found: found[1][:-4] + "AAA/", master_url)
    assert (await visitor.get(forged)).status_code == 403
