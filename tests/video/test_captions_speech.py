"""Speech to text: only where it is set up, never over what a person wrote, shown to nobody before it is read.

What stands in here is `faster_whisper` alone, which cannot fetch its model without the internet: a module of that
name, in a Python of its own, that speaks as the real one does.
"""

import asyncio
import os
import stat
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app import db, worker
from app.jobs import engine, lifeline
from app.settings import get_settings
from app.video import drafting, queries, speech
from app.video.captions_models import CaptionDraft
from app.video.source import EncodingFailed, Unusable
from app.video.subtitles import Cue
from tests import factories
from tests.video.crashing import runs, workers

WHISPER = """
import os, time
class Segment:
    def __init__(self, start, end, text):
        self.start, self.end, self.text = start, end, text
class WhisperModel:
    def __init__(self, size, device="cpu", compute_type="default", download_root=None):
        assert size == "small" and os.path.isdir(download_root)
        if os.path.exists(__file__ + ".offline"):
            raise OSError("cannot reach the hub")
    def transcribe(self, audio, language=None, vad_filter=False):
        assert os.path.isfile(audio)
        if os.path.exists(__file__ + ".silent"):
            raise IndexError("tuple index out of range")
        def heard():
            print("a library's chatter")
            yield Segment(0.0, 2.5, f" Lie down <slowly> & breathe ({language}).")
            while os.path.exists(__file__ + ".slow"):
                time.sleep(0.05)
            yield Segment(2.5, 4.0, "And again.")
        return heard(), None
"""


@pytest.fixture
def whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python with such a module; files beside it (`.offline`, `.silent`, `.slow`) change how it behaves."""
    folder = tmp_path / "speech"
    folder.mkdir()
    module = folder / "faster_whisper.py"
    module.write_text(textwrap.dedent(WHISPER))
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("LIMBER_SPEECH_PYTHON", str(python))
    monkeypatch.setenv("LIMBER_DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    return module


def behaves(module: Path, how: str, *, now: bool = True) -> None:
    mark = module.with_name(f"{module.name}.{how}")
    mark.touch() if now else mark.unlink()


async def film(tmp_path: Path) -> UUID:
    """A film that is ready, with its original on this disk."""
    async with db.transaction() as session:
        video = await factories.video(session, state="ready", source_key="originals/film.mp4", duration_s=4.0)
    original = get_settings().media_dir / "originals" / "film.mp4"
    original.parent.mkdir(parents=True, exist_ok=True)
    original.write_bytes(b"film")
    found: UUID = video.id
    return found


async def draft(video_id: UUID) -> CaptionDraft | None:
    async with db.transaction() as session:
        return await drafting.find(session, video_id)


async def until(video_id: UUID, *states: str, seconds: int = 20) -> CaptionDraft:
    for _ in range(seconds * 20):
        found = await draft(video_id)
        if found is not None and found.state in states:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"the draft never was {states}")


@pytest.fixture
async def working(database: db.Database, whisper: Path) -> AsyncIterator[None]:
    """The worker's engine with all its handlers, in this process."""
    worker.register_handlers()
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    await engine.register_queues(encode_concurrency=1)
    yield
    await asyncio.to_thread(engine.stop, 2)


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)


def test_what_is_heard_becomes_safe_cues() -> None:
    heard = [(0.0, 1.25, " Lie <down> & breathe."), (1.25, 1.25, "x"), (2.0, 3.0, "  ")]
    assert speech.cues_from(heard) == (Cue(0, 1250, "Lie &amp; breathe."),)


async def test_the_child_tells_what_it_hears_and_how_far_it_is(whisper: Path, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.touch()
    seen: list[int] = []
    first, second = await speech.transcribe(path, "pt-BR", 4.0, seen.append)
    assert (first.start_ms, first.end_ms, second.text) == (0, 2500, "And again.")
    assert "(pt)" in first.text
    assert "<slowly>" not in first.text
    assert seen == [62, 99]


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [("offline", EncodingFailed, "model"), ("silent", Unusable, "no speech")],
)
async def test_what_goes_wrong_has_its_sentence(
    whisper: Path, tmp_path: Path, how: str, kind: type[Exception], words: str
) -> None:
    behaves(whisper, how)
    path = tmp_path / "film.mp4"
    path.touch()
    with pytest.raises(kind) as refused:
        await speech.transcribe(path, "en", 4.0)
    assert words in str(getattr(refused.value, "message", refused.value))


async def test_where_it_is_not_set_up_there_is_no_button(client: httpx.AsyncClient, teacher: None) -> None:
    assert not speech.is_available(), "absent by default"
    async with db.transaction() as session:
        video = await factories.video(session, state="ready", source_key="originals/film.mp4")
    page = await client.get(f"/studio/videos/{video.id}/captions")
    assert "Write captions from the speech" not in page.text
    asked = await client.post(f"/studio/videos/{video.id}/draft", data={"language": "en"})
    assert (asked.status_code, "cannot be written" in asked.text) == (409, True)


async def test_a_draft_is_written_read_and_published(
    client: httpx.AsyncClient, teacher: None, working: None, tmp_path: Path
) -> None:
    video_id = await film(tmp_path)
    url = f"/studio/videos/{video_id}"
    assert "Write a draft" in (await client.get(f"{url}/captions")).text
    assert (await client.post(f"{url}/draft", data={"language": "en"})).status_code == 303
    await until(video_id, "ready")
    assert "Nobody sees it until you have read it" in (await client.get(f"{url}/captions")).text
    async with db.transaction() as session:
        assert await queries.caption_tracks(session, video_id) == [], "nothing is shown of it yet"
    page = await client.get(f"{url}/draft")
    assert "And again." in page.text
    vtt = "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\nLie down and breathe.\n"
    done = await client.post(f"{url}/draft/publish", data={"vtt": vtt})
    assert done.status_code == 303
    async with db.transaction() as session:
        (track,) = await queries.caption_tracks(session, video_id)
    assert (track.language, "Lie down and breathe." in track.vtt) == ("en", True)
    assert await draft(video_id) is None


async def test_captions_that_somebody_wrote_are_never_replaced(
    client: httpx.AsyncClient, teacher: None, working: None, tmp_path: Path
) -> None:
    video_id = await film(tmp_path)
    url = f"/studio/videos/{video_id}"
    await client.post(f"{url}/draft", data={"language": "en"})
    await until(video_id, "ready")
    vtt = b"WEBVTT\n\n00:00.000 --> 00:02.000\nBy hand.\n"
    added = await client.post(
        f"{url}/captions", data={"language": "en"}, files={"file": ("hand.vtt", vtt, "text/vtt")}
    )
    assert added.status_code == 303
    refused = await client.post(
        f"{url}/draft/publish", data={"vtt": "WEBVTT\n\n00:00.000 --> 00:02.000\nBy machine.\n"}
    )
    assert (refused.status_code, "By machine." in refused.text) == (409, True)
    async with db.transaction() as session:
        (track,) = await queries.caption_tracks(session, video_id)
    assert "By hand." in track.vtt
    assert await draft(video_id) is not None, "nothing is lost"


async def test_a_draft_that_failed_says_why_and_is_tried_again(
    client: httpx.AsyncClient, teacher: None, working: None, whisper: Path, tmp_path: Path
) -> None:
    video_id = await film(tmp_path)
    url = f"/studio/videos/{video_id}"
    behaves(whisper, "offline")
    await client.post(f"{url}/draft", data={"language": "en"})
    await until(video_id, "failed")
    page = await client.get(f"{url}/captions")
    assert "could not be fetched" in page.text
    assert "Try again" in page.text
    behaves(whisper, "offline", now=False)
    await client.post(f"{url}/draft", data={"language": "en"})
    await until(video_id, "ready")


async def test_a_draft_that_is_stopped_stops(
    client: httpx.AsyncClient, teacher: None, working: None, whisper: Path, tmp_path: Path
) -> None:
    video_id = await film(tmp_path)
    url = f"/studio/videos/{video_id}"
    behaves(whisper, "slow")
    await client.post(f"{url}/draft", data={"language": "en"})
    await until(video_id, "running")
    twice = await client.post(f"{url}/draft", data={"language": "en"})
    assert (twice.status_code, "being written already" in twice.text) == (409, True)
    assert (await client.post(f"{url}/draft/discard")).status_code == 303
    for _ in range(200):
        if not _children(whisper):
            break
        await asyncio.sleep(0.05)
    assert not _children(whisper), "the child ends with it"
    assert await draft(video_id) is None


async def test_a_language_that_has_captions_is_refused_before_the_work(
    client: httpx.AsyncClient, teacher: None, whisper: Path, tmp_path: Path
) -> None:
    video_id = await film(tmp_path)
    url = f"/studio/videos/{video_id}"
    vtt = b"WEBVTT\n\n00:00.000 --> 00:02.000\nBy hand.\n"
    await client.post(
        f"{url}/captions", data={"language": "en"}, files={"file": ("hand.vtt", vtt, "text/vtt")}
    )
    refused = await client.post(f"{url}/draft", data={"language": "en"})
    assert (refused.status_code, "already" in refused.text) == (409, True)
    assert await draft(video_id) is None


@pytest.mark.long
async def test_a_worker_that_is_killed_is_continued_by_another(
    client: httpx.AsyncClient, teacher: None, database: db.Database, whisper: Path, tmp_path: Path
) -> None:
    video_id = await film(tmp_path)
    behaves(whisper, "slow")
    with workers(database.url, 1) as crew:
        await client.post(f"/studio/videos/{video_id}/draft", data={"language": "en"})
        await until(video_id, "running", seconds=60)
        async with db.transaction() as session:
            found = await session.execute(text("SELECT workflow_uuid FROM dbos.workflow_status"))
        (work,) = [one for one in found.scalars() if one.startswith(f"draft:{video_id}")]
        await crew.killed_when(work, lambda pid: runs(pid, "speech_child"))
        behaves(whisper, "slow", now=False)
        crew.start()
        done = await until(video_id, "ready", "failed", seconds=90)
    assert (done.state, done.vtt.count("-->"), done.turn) == ("ready", 2, 1)


def _children(module: Path) -> list[int]:
    """Processes that run the module's Python."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"speech_child" in words and str(get_settings().data_dir).encode() in words:
                found.append(int(entry.name))
    assert module.name
    return found


async def test_members_have_no_drafts(client: httpx.AsyncClient, whisper: Path, tmp_path: Path) -> None:
    async with db.transaction() as session:
        user = await factories.user(session)
    video_id = await film(tmp_path)
    await factories.sign_in(client, user)
    assert (await client.get(f"/studio/videos/{video_id}/draft")).status_code == 403
    for verb in ("draft", "draft/publish", "draft/discard"):
        assert (await client.post(f"/studio/videos/{video_id}/{verb}")).status_code == 403
