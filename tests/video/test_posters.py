"""The picture that stands for a film: what is offered, and that a choice outlives the stream it was made in."""

import asyncio
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from app import db, storage
from app.clock import utcnow
from app.jobs import engine, lifeline
from app.settings import get_settings
from app.video import editing, poster, poster_choice, poster_files, poster_rules, queueing, transcode  # noqa: F401
from app.video.models import Video
from app.video.renditions import KeyFrame
from app.video.upload_parts import source_key
from tests import factories
from tests.video.sources import X264, ffmpeg

SIZE = "640x360"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Black for 2 s, then three patterns of 6 s each."""
    path = tmp_path_factory.mktemp("scenes") / "scenes.mp4"
    inputs = [f"color=black:s={SIZE}:r=25:d=2"]
    inputs += [f"{name}=s={SIZE}:r=25:d=6" for name in ("testsrc", "smptehdbars", "rgbtestsrc")]
    words: list[str] = []
    for one in inputs:
        words += ["-f", "lavfi", "-i", one]
    joined = "".join(f"[{n}:v]format=yuv420p,setsar=1[v{n}];" for n in range(4))
    graph = f"{joined}{''.join(f'[v{n}]' for n in range(4))}concat=n=4[v]"
    ffmpeg(*words, "-filter_complex", graph, "-map", "[v]", *X264, path)
    return path


@pytest.fixture
async def worker(database: db.Database) -> AsyncIterator[None]:
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    await engine.register_queues(encode_concurrency=1)
    yield
    await asyncio.to_thread(engine.stop, 1)


async def encoded(film: Path) -> Video:
    async with db.transaction() as session:
        row = await factories.video(
            session, version=0, state="queued", source_filename="scenes.mp4", source_bytes=film.stat().st_size
        )
        row.source_key = source_key(row.id, "scenes.mp4")
        await queueing.enqueue_transcode(session, row.id, row.attempt)
    await storage.put(row.source_key, film)
    return await until_ready(row.id, 1)


async def until_ready(video_id: UUID, version: int) -> Video:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        async with db.transaction() as session:
            row = await session.get_one(Video, video_id)
        assert row.state != "failed", row.failure
        if row.version == version:
            return row
        await asyncio.sleep(0.2)
    raise AssertionError(f"it is still {row.state}")


async def again(row: Video, actor_id: UUID) -> Video:
    async with db.transaction() as session:
        after = await editing.retry(session, actor_id, row.id, utcnow())
    return await until_ready(row.id, after.attempt)


def grey(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("L").resize(poster.GLANCE)


def media(key: str) -> Path:
    return get_settings().media_dir / key


@pytest.mark.long
async def test_a_choice_outlives_the_stream_that_it_was_made_in(worker: None, scenes: Path) -> None:
    first = await encoded(scenes)
    place = media(f"videos/{first.id}/1")
    assert len(first.poster_times) >= 3, "a film of one chunk has several"
    assert all(at_ms >= 2000 for at_ms in first.poster_times), "none is black"
    offered = {int(path.name): path for path in (place / "posters").iterdir()}
    assert sorted(offered) == sorted(first.poster_times)
    for path in offered.values():
        assert sorted(file.name for file in path.iterdir()) == ["poster-small.jpg", "poster.jpg"]
    assert (place / "poster.jpg").read_bytes() == (offered[first.poster_times[0]] / "poster.jpg").read_bytes()

    async with db.transaction() as session:
        staff = await factories.staff(session)
        wanted = first.poster_times[1]
        await poster_choice.choose(session, staff.id, first.id, str(wanted), utcnow())
    second = await again(first, staff.id)
    assert (second.poster_choice, second.poster_at_ms) == ("time", wanted)
    chosen = media(poster_rules.folder(second.id, second))
    assert chosen.parent.parent.name == "2"
    assert grey(chosen / "poster.jpg").tobytes() == grey(offered[wanted] / "poster.jpg").tobytes()

    stored = await poster_choice.store(first.id, dict.fromkeys(poster_rules.NAMES, b"own"))
    async with db.transaction() as session:
        await poster_choice.show_own(session, staff.id, first.id, stored, utcnow())
    third = await again(second, staff.id)
    assert poster_rules.folder(third.id, third) == f"videos/{first.id}/own/{stored.name}"
    async with db.transaction() as session:
        await poster_choice.remove_own(session, staff.id, first.id, utcnow())
    for _ in range(100):
        if not media(f"videos/{first.id}/own/{stored.name}").exists():
            break
        await asyncio.sleep(0.1)
    assert not media(f"videos/{first.id}/own/{stored.name}").exists()


async def test_a_time_that_was_chosen_too_late_for_a_stream_is_taken_from_it(
    worker: None, scenes: Path
) -> None:
    row = await encoded(scenes)
    assert 10_000 not in row.poster_times[:1]
    async with db.transaction() as session:
        late = await session.get_one(Video, row.id)
        late.poster_choice, late.poster_at_ms = "time", 10_100
        late.poster_times = [at for at in late.poster_times if at != 10_000]
        version = late.poster_version
    assert poster_rules.shown_ms(late) in late.poster_times, "the nearest stands in"
    # Two at the same time, as when a worker comes back; the worker of the queue may be the third.
    await asyncio.gather(*(poster_files.keep_choice(row.id, 1) for _ in range(2)))
    async with db.transaction() as session:
        row = await session.get_one(Video, row.id)
    assert row.poster_at_ms == 10_000
    assert row.poster_version == version + 1, "one of them counts"
    assert poster_rules.shown_ms(row) == 10_000
    picture = grey(media(f"{poster_rules.folder(row.id, row)}/poster.jpg"))
    assert picture.getextrema() != (0, 0)
    await poster_files.keep_choice(row.id, 1)
    async with db.transaction() as session:
        assert (await session.get_one(Video, row.id)).poster_version == version + 1, "once is enough"


def drawn(level: int, width: int = 20) -> Image.Image:
    """A grey picture with a bright bar whose width tells it from others."""
    picture = Image.new("L", poster.THUMB, level)
    picture.paste(230, (0, 0, width, poster.THUMB[1]))
    return picture


def test_pictures_that_look_alike_are_offered_once() -> None:
    assert poster.candidates([drawn(90)] * 12, 8) == [1]
    assert len(poster.candidates([drawn(90), drawn(90), drawn(90, 40), drawn(90, 40)], 8)) == 2


def test_dark_and_flat_pictures_are_offered_only_when_there_is_nothing_else() -> None:
    black, flat = Image.new("L", poster.THUMB, 0), Image.new("L", poster.THUMB, 128)
    mixed = [black, drawn(60), flat, drawn(120, 40), black]
    assert sorted(poster.candidates(mixed, 8)) == [1, 3]
    assert len(poster.candidates([black, black], 8)) == 1
    assert poster.candidates([], 8) == [0]


def test_no_more_are_offered_than_asked_for_and_they_are_spread() -> None:
    found = poster.candidates([drawn(60 + n) for n in range(0, 120, 2)], 8)
    assert len(found) == len(set(found)) == 8
    assert min(found) < 10
    assert max(found) > 50


@pytest.mark.parametrize(("chunks", "each"), [(1, 8), (2, 4), (3, 3), (8, 1), (200, 1)])
def test_chunks_share_the_pictures(chunks: int, each: int) -> None:
    assert poster.share_of(chunks) == each


def test_the_nearest_time_is_exact_in_fractions() -> None:
    assert KeyFrame(0, Fraction(60060, 30000)).at_ms == 2002


def test_an_address_changes_with_each_stream_and_each_choice() -> None:
    marks = [poster_rules.mark(*pair) for pair in ((1, 0), (2, 0), (1, 1), (1, 2), (11, 1))]
    assert len(set(marks)) == 5
