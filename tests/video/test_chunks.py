"""A film cut into chunks is the film: every picture once, in its place; and who may begin which chunk when."""

import asyncio
import itertools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from app import db
from app.settings import get_settings
from app.video import hls, parts, transcode  # noqa: F401 (registers the work)
from app.video.chunks import CHUNK_S, FIRST_S, LEAST_S, cut, starts
from app.video.ffmpeg import binary
from app.video.graph import PLAYLIST
from app.video.ladder import SEGMENT_S, Ladder, Rung, plan
from app.video.models import Video
from app.video.probe import probe
from app.video.renditions import Rendition
from app.video.source import Source
from tests.forked import start_worker
from tests.video.making import make_stream
from tests.video.rfc8216 import check_grown
from tests.video.rfc8216_stream import check_stream
from tests.video.sources import AAC, X264, ffmpeg, sound
from tests.video.test_transcode import add_video, until_ended, worker  # noqa: F401 (a fixture)

pytestmark = pytest.mark.xdist_group("chunks")
LOOKS = 900


def test_a_film_begins_with_a_short_chunk_and_ends_with_none_that_is_too_short() -> None:
    assert starts(1.0) == [0]
    assert starts(FIRST_S + LEAST_S - 0.1) == [0]
    assert starts(FIRST_S + LEAST_S) == [0, FIRST_S]
    assert starts(600) == [0, *range(FIRST_S, 600 - LEAST_S, CHUNK_S)]


def a_source(demuxer: str = "mov", length_s: float = 200.0) -> Source:
    return Source(
        demuxer=demuxer, size_bytes=1, duration_s=length_s, picture_s=length_s, sound_s=length_s, video_index=0,
        video_codec="h264", pixel_format="yuv420p", width_px=640, height_px=360, coded_width_px=640,
        coded_height_px=360, rotation=0, rate=(25, 1), interlaced=False, matrix="", primaries="", transfer="",
        full_range=False, audio_index=None, audio_codec="", audio_channels=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    "rate",
    [(24000, 1001), (30000, 1001), (60000, 1001), (25, 1), (5, 1), (14985, 1000), (1001, 100), (59, 2)],
)
def test_chunks_follow_one_another_without_a_gap_and_begin_where_segments_do(rate: tuple[int, int]) -> None:
    ladder = Ladder((Rung("360p", 640, 360, 800_000),), rate)
    chunks = cut(a_source(), ladder)
    assert len(chunks) == 4
    for chunk, after in itertools.pairwise(chunks):
        assert chunk.frames is not None
        assert chunk.first_frame + chunk.frames == after.first_frame
        assert after.start_s % SEGMENT_S == 0
        assert 0 <= after.late_s < Fraction(rate[1], rate[0])
    assert chunks[-1].frames is None
    assert sum(chunk.length_s(200.0) for chunk in chunks) == pytest.approx(200.0)


def test_a_container_that_cannot_be_entered_exactly_is_not_cut() -> None:
    assert len(cut(a_source("mpegts"), plan(a_source("mpegts")))) == 1


@pytest.mark.parametrize(("rate", "suffix"), [("30000/1001", "mp4"), ("24", "mkv")])
def test_every_picture_of_a_cut_film_is_there_once_and_in_its_place(
    rate: str, suffix: str, tmp_path: Path
) -> None:
    """Each picture of the source is grey by its number, so that one too many or too few shows in all after it."""
    path = tmp_path / f"numbered.{suffix}"
    grey = "geq=lum='20+mod(N*37,200)':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", f"color=s=64x36:r={rate}:d=100,{grey}", "-c:v", "libx264", "-crf", "5",
           "-g", "250", "-bf", "3", "-pix_fmt", "yuv420p", path)  # fmt: skip
    _source, ladder, place = asyncio.run(make_stream(path, tmp_path / "work"))
    assert len(list((tmp_path / "work").glob("chunk-*"))) == 3
    shown = pictures(place / ladder.top.folder)
    expected = round(100 * float(Fraction(rate)))
    assert abs(len(shown) - expected) <= 1
    wrong = [n for n, grey_ in enumerate(shown) if abs(grey_ - (20 + n * 37 % 200)) > 8]
    assert wrong == []


def pictures(folder: Path) -> list[int]:
    """The brightness of each picture of a rendition."""
    rendition = Rendition.load(folder)
    data = rendition.init + b"".join((folder / part.uri).read_bytes() for part in rendition.segments)
    look = ["-vf", "crop=8:8,scale=1:1:flags=area,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo"]
    command = [binary(), "-v", "error", "-i", "pipe:0", *look, "pipe:1"]
    raw = subprocess.run(command, input=data, capture_output=True, check=True, timeout=120).stdout
    # ffmpeg gives greys in full range, the film is in limited range.
    return [round(16 + value * 219 / 255) for value in raw]


@pytest.fixture(scope="module")
def two_chunks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two") / "two.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=44", *sound(44), *X264, *AAC, path)
    return path


async def test_the_beginning_can_be_watched_while_the_rest_is_encoded(
    worker: str,  # noqa: F811
    two_chunks: Path,
) -> None:
    video_id = await add_video(two_chunks.read_bytes())
    folder = get_settings().media_dir / "videos" / str(video_id) / "1"
    for _look in range(LOOKS):
        async with db.transaction() as session:
            video = await session.get_one(Video, video_id)
        if video.begun_version:
            break
        assert video.state not in ("ready", "failed"), video.failure
        await asyncio.sleep(0.05)
    assert (video.begun_version, video.version, video.state) == (1, 0, "encoding")
    assert "AVERAGE-BANDWIDTH" in (folder / "master.m3u8").read_text()
    growing = {path: path.read_text() for path in folder.glob("*/media.m3u8")}
    assert {path.parent.name for path in growing} == {"a", "v180"}
    for path, said in growing.items():
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in said
        assert "#EXT-X-ENDLIST" not in said
        uris = [line for line in said.splitlines() if not line.startswith("#")]
        assert len(uris) in (4, 5)
        assert all((path.parent / uri).is_file() for uri in uris)
    ended = await until_ended(video_id)
    assert (ended.state, ended.version, ended.begun_version, ended.parts) == ("ready", 1, 0, {})
    assert check_stream(folder) == []
    for path, said in growing.items():
        whole = path.read_text()
        assert check_grown(said, whole) == []
        assert sum(part.duration_s for part in hls.parse_media(whole)) == pytest.approx(44, abs=0.1)


@pytest.mark.long
async def test_no_storage_leaves_the_work_queued_until_it_is_back(worker: str, two_chunks: Path) -> None:  # noqa: F811
    """Where streams go lies a file: nothing can be put there until it is gone."""
    media = get_settings().media_dir
    media.mkdir(parents=True, exist_ok=True)
    # What earlier tests of this process left there comes back.
    before = media / "videos-before"
    if (media / "videos").exists():
        (media / "videos").rename(before)
    (media / "videos").write_text("in the way")
    try:
        video_id = await add_video(two_chunks.read_bytes())
        for _look in range(LOOKS):
            async with db.transaction() as session:
                video = await session.get_one(Video, video_id)
            if video.stage:
                break
            assert video.state not in ("ready", "failed"), video.failure
            await asyncio.sleep(0.1)
        assert (video.state, video.stage) == ("queued", "no-storage")
    finally:
        (media / "videos").unlink()
        if before.exists():
            before.rename(media / "videos")
    assert (await until_ended(video_id, 120)).state == "ready"


@contextmanager
def workers(url: str, count: int) -> Iterator[None]:
    running = [start_worker(url) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


@dataclass(frozen=True)
class Begun:
    """A chunk's encoding: by which worker and when, in ms since 1970."""

    executor_id: str
    at_ms: int


async def chunks_begun(video_id: UUID) -> list[Begun]:
    """Those that a worker has taken, the earliest first."""
    async with db.transaction() as session:
        found = await session.execute(
            text(
                "SELECT executor_id, started_at_epoch_ms FROM dbos.workflow_status"
                " WHERE name = 'encode_chunk' AND workflow_uuid LIKE :mine"
                " AND started_at_epoch_ms IS NOT NULL ORDER BY started_at_epoch_ms"
            ),
            {"mine": f"transcode:{video_id}:%"},
        )
        return [Begun(*row) for row in found]


@pytest.mark.long
async def test_four_workers_share_a_long_film_and_a_short_one_does_not_wait_for_it(
    database: db.Database, tmp_path: Path, two_chunks: Path
) -> None:
    path = tmp_path / "long.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=10:d=600", *sound(600), *X264, *AAC, path)
    source = await probe(path)
    assert len(cut(source, plan(source))) == 11
    long_id = await add_video(path.read_bytes(), "long.mp4")
    with workers(database.url, 4):
        for _look in range(LOOKS):
            if await chunks_begun(long_id):
                break
            await asyncio.sleep(0.1)
        short_id = await add_video(two_chunks.read_bytes(), "short.mp4")
        assert (await until_ended(short_id, 200)).state == "ready"
        assert (await until_ended(long_id, 400)).state == "ready"
    long, short = await chunks_begun(long_id), await chunks_begun(short_id)
    assert (len(long), len(short)) == (11, 2)
    assert len({chunk.executor_id for chunk in long}) == 4
    # The long film's chunks had all been waiting before the short one was there. How soon the short one is ready after
    # its last chunk, and how far the long one is then, is the machine's affair.
    assert short[-1].at_ms < long[-1].at_ms
    top = get_settings().media_dir / "videos" / str(long_id) / "1" / "v360" / PLAYLIST
    assert sum(part.duration_s for part in hls.parse_media(top.read_text())) == pytest.approx(600, abs=0.1)
