"""A worker is killed at each step of its work; another one takes over, and the stream is as if nothing had been."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from app import db
from app.clock import utcnow
from app.settings import get_settings
from app.video import storage_verify
from bench.workers import frames
from tests.video.crashing import Gate, Workers, half_written, runs, until, workers
from tests.video.making import make_stream
from tests.video.rfc8216_stream import check_stream
from tests.video.sources import AAC, X264, ffmpeg, sound
from tests.video.test_transcode import add_video, until_ended

pytestmark = [pytest.mark.xdist_group("crashes"), pytest.mark.long]
STEPS = "dbos.operation_outputs"


@dataclass(frozen=True)
class AtGate:
    """Standing in the database: about to write a row. `part` is whose worker is killed, the film's own if empty."""

    name: str
    event: str
    table: str
    when: str
    part: str = ""


@dataclass(frozen=True)
class Seen:
    """`is_there(worker's process id, video's id)` holds while the worker is stopped."""

    name: str
    part: str
    is_there: Callable[[int, UUID], bool]
    is_brief: bool = False


def says(name: str, state: str) -> AtGate:
    return AtGate(name, "UPDATE", "video", f"NEW.state = '{state}'")


def recorded(name: str, step: str, part: str = "") -> AtGate:
    """All of a step is done, and nobody knows it yet: it will be done again."""
    return AtGate(name, "INSERT", STEPS, f"NEW.function_name = '{step}'", part)


def stream(video_id: UUID) -> Path:
    return get_settings().media_dir / "videos" / str(video_id) / "1"


def is_delivering(_pid: int, video_id: UUID) -> bool:
    """Some of the second chunk's segments are there, not all, and the chunk itself is."""
    made = len(list((get_settings().data_dir / "work" / f"{video_id}-1" / "chunk-1").glob("v*/*.m4s")))
    there = sum(path.name >= "seg_00005" for path in stream(video_id).glob("v*/seg_*.m4s"))
    return 0 < there < made


PLACES: list[AtGate | Seen] = [
    says("queued", "checking"),
    Seen("probing", ":plan", lambda pid, _id: runs(pid, "app.video.probe")),
    recorded("planned", "_prepare", ":plan"),
    Seen("sound", ":sound", lambda pid, _id: runs(pid, "[sound]")),
    recorded("sound-made", "_sound", ":sound"),
    Seen("first-chunk", ":chunk-0", lambda pid, _id: runs(pid, "[v0]")),
    recorded("first-chunk-delivered", "_chunk", ":chunk-0"),
    AtGate("beginning-written", "UPDATE", "video", "NEW.begun_version > 0 AND OLD.begun_version = 0"),
    recorded("beginning-shown", "_grow"),
    Seen("later-chunk", ":chunk-1", lambda pid, _id: runs(pid, "[v0]")),
    Seen("delivering", ":chunk-1", is_delivering, is_brief=True),
    says("packaging", "packaging"),
    says("verifying", "verifying"),
    recorded("finished", "_finish"),
    says("publishing", "ready"),
    recorded("published", "_ready"),
    recorded("before-clean-up", "_captions"),
    recorded("cleaned-up", "_clean"),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("crashes") / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=44", *sound(44), *X264, *AAC, path)
    return path


@pytest.fixture(scope="module")
def undisturbed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    _source, _ladder, place = asyncio.run(make_stream(film, tmp_path_factory.mktemp("undisturbed")))
    made = frames(place)
    assert len(made["v180"]) == 44 * 25
    return made


@pytest.fixture(autouse=True)
def nothing_is_stored(database: db.Database) -> None:
    for folder in ("media", "work"):
        shutil.rmtree(get_settings().data_dir / folder, ignore_errors=True)


# Each film dies at every third point: nine minutes would go into starting workers for one film each.
@pytest.mark.parametrize(
    "places", [PLACES[n::3] for n in range(3)], ids=lambda places: ",".join(place.name for place in places)
)
async def test_a_worker_killed_at_any_step_leaves_the_same_stream(
    places: list[AtGate | Seen], database: db.Database, film: Path, undisturbed: dict[str, list[str]]
) -> None:
    with workers(database.url, 1) as crew, ExitStack() as stack:
        gates = {}
        for number, place in enumerate(places):
            if isinstance(place, AtGate):
                gates[place.name] = Gate(database.url, number, place.event, place.table, place.when)
                stack.callback(gates[place.name].open)
        for gate in gates.values():
            stack.callback(gate.unlock)
        video_id = await add_video(film.read_bytes())
        for place in places:
            await die(crew, place, gates.get(place.name), video_id)
            crew.start()
        await is_as_if_nothing_had_been(video_id, undisturbed)


async def test_a_living_worker_takes_the_work_of_a_killed_one_over(
    database: db.Database, film: Path, undisturbed: dict[str, list[str]]
) -> None:
    with workers(database.url, 2) as crew:
        video_id = await add_video(film.read_bytes())
        later = next(place for place in PLACES if place.name == "later-chunk")
        await die(crew, later, None, video_id)
        assert len(crew.running) == 1
        await is_as_if_nothing_had_been(video_id, undisturbed)


async def die(crew: Workers, place: AtGate | Seen, gate: Gate | None, video_id: UUID) -> None:
    work = f"transcode:{video_id}:1{place.part}"
    if isinstance(place, Seen):
        kill = crew.killed_within if place.is_brief else crew.killed_when
        await kill(work, lambda pid: place.is_there(pid, video_id))
    else:
        assert gate is not None
        await crew.killed_at_gate(gate, work)


async def is_as_if_nothing_had_been(video_id: UUID, undisturbed: dict[str, list[str]]) -> None:
    video = await until_ended(video_id, 90)
    assert (video.state, video.failure, video.version, video.attempt) == ("ready", None, 1, 1)

    async def is_over() -> bool:
        return not any((get_settings().data_dir / "work").iterdir()) and await all_done()

    await until(is_over, 30, "something is left of the work")
    folder = stream(video_id)
    assert check_stream(folder) == []
    assert frames(folder) == undisturbed
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
    assert half_written(folder) == []
    said: list[str] = []
    found = await storage_verify.verify(utcnow(), said.append)
    assert (found.broken, found.orphans, found.young, said) == (0, 0, 0, [])


async def all_done() -> bool:
    async with db.transaction() as session:
        states = await session.scalars(
            text("SELECT DISTINCT status FROM dbos.workflow_status WHERE workflow_uuid LIKE 'transcode:%'")
        )
        return set(states) == {"SUCCESS"}
