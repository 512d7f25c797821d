"""Free clips: what may be cut, that a cut holds exactly its piece and nothing else, and that it goes with its film."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app import db, storage
from app.clock import utcnow
from app.jobs import engine, lifeline
from app.video import clip_rules, clip_work, clipping, editing, ffmpeg, removal  # noqa: F401
from app.video.captions_models import CaptionTrack
from app.video.clip_cut import touched
from app.video.clip_models import Clip
from app.video.clip_rules import ClipDraft, Span
from app.video.hls import Segment
from app.video.models import Video
from app.video.probe import probe
from app.video.subtitles import Cue
from tests import factories
from tests.video.making import make_stream
from tests.video.sources import X264
from tests.video.sources import ffmpeg as made_by_ffmpeg

LENGTH_S = 20
# Each picture bears its number: so many bars, black or white.
BITS = 9


@pytest.mark.parametrize(
    ("typed", "ms"),
    [
        ("5", 5000), ("65.5", 65_500), ("1:05", 65_000), ("1:05,25", 65_250), ("0:01:05.250", 65_250),
        (" 1:05 ", 65_000), ("", None), ("1:60", None), ("1:60:00", None), ("-5", None), ("1:05:", None),
        ("five", None), ("٥", None), ("1.5.5", None), ("1e3", None),
    ],
)  # fmt: skip
def test_times_are_read_as_people_write_them(typed: str, ms: int | None) -> None:
    assert clip_rules.milliseconds(typed) == ms


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("0", "20", None),
        ("1:00", "1:20", None),
        ("1:00", "1:20.001", "end"),
        ("10", "10.5", "end"),
        ("10", "5", "end"),
        ("80", "91", "end"),
        ("x", "5", "start"),
        ("5", "", "end"),
    ],
)
def test_a_clip_lasts_from_one_to_twenty_seconds_of_its_film(start: str, end: str, field: str | None) -> None:
    _span, errors = clip_rules.check(ClipDraft("Two seconds", start, end), film_s=90.0)
    assert list(errors) == ([field] if field else [])


def test_a_clip_needs_a_title() -> None:
    assert list(clip_rules.check(ClipDraft("", "0", "5"), 90.0)[1]) == ["title"]
    assert list(clip_rules.check(ClipDraft("x" * 121, "0", "5"), 90.0)[1]) == ["title"]


def test_only_what_is_said_in_the_piece_comes_with_it() -> None:
    cues = [
        Cue(0, 5000, "before"),
        Cue(4000, 6000, "begins"),
        Cue(7000, 8000, "in"),
        Cue(9000, 20_000, "on"),
        Cue(10_000, 11_000, "after"),
    ]
    assert clip_rules.cues_within(cues, Span(5000, 10_000)) == [
        Cue(0, 1000, "begins"),
        Cue(2000, 3000, "in"),
        Cue(4000, 5000, "on"),
    ]


def test_only_segments_of_the_piece_are_read() -> None:
    segments = [Segment(f"{n}.m4s", 6.0) for n in range(1, 5)]
    assert touched(segments, Span(7000, 11_000)) == segments[1:2]
    assert touched(segments, Span(5000, 13_000)) == segments[0:3]
    # The sound's decoder needs what comes just before.
    assert touched(segments, Span(6000, 12_000)) == segments[0:2]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose pictures bear their numbers, with a beep at each whole second."""
    folder = tmp_path_factory.mktemp("clips")
    path = folder / "film.mp4"
    bars = f"geq=lum='if(mod(floor(N/pow(2,floor(X*{BITS}/W))),2),235,16)':cb=128:cr=128"
    made_by_ffmpeg(
        "-f", "lavfi", "-i", f"color=black:s={BITS * 8}x40:r=25:d={LENGTH_S},{bars},scale=432:240:flags=neighbor",
        "-f", "lavfi", "-i", f"aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t,1),0.05)':s=48000:d={LENGTH_S}",
        *X264, "-c:a", "aac", path,
    )  # fmt: skip
    return asyncio.run(make_stream(path, folder))[2]


async def film_of(stream: Path) -> Video:
    """The stream in storage, as a film that is ready."""
    folder = next(path.name for path in stream.iterdir() if path.name.startswith("v"))
    async with db.transaction() as session:
        row = await factories.video(session, duration_s=float(LENGTH_S))
        row.renditions = [{"folder": folder, "name": "240p", "width_px": 432, "height_px": 240}]
    for path in stream.rglob("*"):
        if path.is_file():
            await storage.put(f"videos/{row.id}/1/{path.relative_to(stream)}", path)
    return row


async def added(video: Video, start_ms: int, end_ms: int) -> Clip:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        return await clipping.add(
            session, teacher.id, video.id, f"clip-{start_ms}", "A clip", Span(start_ms, end_ms), utcnow()
        )


async def kept(clip: Clip) -> Clip | None:
    async with db.transaction() as session:
        return await session.get(Clip, clip.id)


async def file_of(clip: Clip, folder: Path) -> Path:
    path = folder / "clip.mp4"
    path.write_bytes(await storage.get(f"{clip_rules.folder(clip)}/{clip_rules.MP4}"))
    return path


def decoded(path: Path, *words: str) -> bytes:
    """Everything that any player could find in the file: edit lists are not heeded."""
    command = [ffmpeg.binary(), "-v", "error", "-ignore_editlist", "1", "-i", str(path), *words, "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def numbers(path: Path) -> list[int]:
    """Of each picture in the file, in order."""
    bars = decoded(
        path,
        "-vf",
        f"scale={BITS}:1:flags=area",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
    )
    pictures = [bars[at : at + BITS] for at in range(0, len(bars), BITS)]
    return [sum((bar > 128) << place for place, bar in enumerate(picture)) for picture in pictures]


@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 3000), (7480, 13_520), (18_000, 20_000)])
async def test_a_cut_holds_each_picture_of_its_piece_and_no_other(
    database: db.Database, stream: Path, tmp_path: Path, start_ms: int, end_ms: int
) -> None:
    clip = await added(await film_of(stream), start_ms, end_ms)
    await clip_work.cut(clip.id, clip.turn)
    path = await file_of(clip, tmp_path)
    assert numbers(path) == list(range(start_ms // 40, end_ms // 40))
    row = await kept(clip)
    assert row is not None
    assert (row.state, row.width_px, row.height_px, row.error) == ("ready", 432, 240, None)
    assert abs((await probe(path)).duration_s - (end_ms - start_ms) / 1000) < 0.1


async def test_sound_and_picture_stay_together(database: db.Database, stream: Path, tmp_path: Path) -> None:
    clip = await added(await film_of(stream), 7480, 11_480)
    await clip_work.cut(clip.id, clip.turn)
    path = await file_of(clip, tmp_path)
    samples = subprocess.run(
        [ffmpeg.binary(), "-v", "error", "-i", str(path), "-ac", "1", "-ar", "8000", "-f", "s16le", "-"],
        check=True,
        capture_output=True,
    ).stdout
    loud = [n / 8000 for n, value in enumerate(memoryview(samples).cast("h")) if abs(value) > 8000]
    begins = [at for at, before in zip(loud, [-1.0, *loud], strict=False) if at - before > 0.5]
    # Beeps at 8, 9, 10 and 11 s of the film.
    assert len(begins) == 4
    for at, due in zip(begins, (0.52, 1.52, 2.52, 3.52), strict=True):
        assert abs(at - due) < 0.02, begins


async def test_captions_come_with_it_and_nothing_of_the_camera_does(
    database: db.Database, stream: Path, tmp_path: Path
) -> None:
    video = await film_of(stream)
    async with db.transaction() as session:
        vtt = (
            "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nSecret\n\n00:00:06.000 --> 00:00:09.000\nTwo seconds\n"
        )
        session.add(CaptionTrack(video_id=video.id, language="en", label="English", vtt=vtt))
    clip = await added(video, 5000, 8000)
    await clip_work.cut(clip.id, clip.turn)
    row = await kept(clip)
    assert row is not None
    assert row.language == "en"
    assert "00:00:01.000 --> 00:00:03.000\nTwo seconds" in row.vtt
    assert "Secret" not in row.vtt
    data = (await file_of(clip, tmp_path)).read_bytes()
    assert b"Lavf" not in data
    # To play at once, its index comes first.
    assert data.index(b"moov") < data.index(b"mdat")


async def test_a_clip_that_was_deleted_meanwhile_leaves_no_file(database: db.Database, stream: Path) -> None:
    video = await film_of(stream)
    clip = await added(video, 0, 2000)
    cutting = asyncio.create_task(clip_work.cut(clip.id, clip.turn))
    while (row := await kept(clip)) is not None and row.state == "queued":
        await asyncio.sleep(0.01)
    async with db.transaction() as session:
        await clipping.delete(session, (await factories.staff(session)).id, video.id, clip.id)
    with pytest.raises(clip_work.Gone):
        await cutting
    assert await storage.sizes(f"videos/{video.id}/clips") == {}


@pytest.fixture
async def worker(database: db.Database) -> AsyncIterator[None]:
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    await engine.register_queues(encode_concurrency=1)
    yield
    await asyncio.to_thread(engine.stop, 1)


async def ended(clip_id: UUID) -> Clip:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        async with db.transaction() as session:
            row = await session.get_one(Clip, clip_id)
        if row.state in ("ready", "failed"):
            return row
        await asyncio.sleep(0.1)
    raise AssertionError(f"it is still {row.state}")


async def test_a_worker_cuts_it_says_why_not_and_takes_it_away_with_its_film(
    worker: None, stream: Path
) -> None:
    video = await film_of(stream)
    lost = await added(video, 0, 2000)
    assert (await ended(lost.id)).state == "ready"
    await storage.delete_prefix(f"videos/{video.id}/1/")
    failed = await ended((await added(video, 3000, 5000)).id)
    assert (failed.state, failed.error) == ("failed", clip_work.NO_STREAM)
    async with db.transaction() as session:
        await editing.delete(session, (await factories.staff(session)).id, video.id, [])
    deadline = time.monotonic() + 20
    while await storage.sizes(f"videos/{video.id}") and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert await storage.sizes(f"videos/{video.id}") == {}
    assert await kept(lost) is None
