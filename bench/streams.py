"""Films of filled segments and viewings of them, for benchmarks of delivery."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx

from bench.courses import lessons_of_a_course
from bench.front_door import ROOT, free_port

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.catalog.models import Lesson

VIDEO_BYTES = 3_000_000
AUDIO_BYTES = 100_000
SMALL_BYTES = 4096
FILMS = 10
VIDEO, AUDIO, SMALL = "1080p/seg_00001.m4s", "audio/seg_00001.m4s", "small/seg_00001.m4s"


@dataclass(frozen=True)
class Viewing:
    """One member's: what its tokens are made of."""

    playback: UUID
    user: UUID
    sign_in: UUID
    video: UUID

    def prefix(self, expires: int) -> str:
        """`/media/{token}/{video}/1/` of a token that ends at `expires`."""
        from app.playback import tokens
        from app.playback.starting import media_ring

        token = tokens.sign(media_ring(), self.playback, self.video, 1, expires)
        return f"/media/{token}/{self.video}/1/"

    @property
    def folder(self) -> str:
        """The same files, by nobody asked after."""
        return f"/plain/videos/{self.video}/1/"


async def viewings(database_url: str, media: Path, count: int) -> list[Viewing]:
    """`count` members, each signed in, entitled, and watching one of ten paid films whose files lie in `media`."""
    from app import db

    db.open_database(database_url, pool_size=1)
    try:
        async with db.transaction() as session:
            lessons = await lessons_of_a_course(session, FILMS)
            _fill((one.video_id for one in lessons if one.video_id is not None), media)
            return [await _viewing(session, lessons[number % FILMS], number) for number in range(count)]
    finally:
        await db.close_database()


def _fill(videos: Iterable[UUID], media: Path) -> None:
    dice = random.Random(5)
    for video in videos:
        for name, size in ((VIDEO, VIDEO_BYTES), (AUDIO, AUDIO_BYTES), (SMALL, SMALL_BYTES)):
            place = media / "videos" / str(video) / "1" / name
            place.parent.mkdir(parents=True)
            place.write_bytes(dice.randbytes(size))


async def _viewing(session: "AsyncSession", lesson: "Lesson", number: int) -> Viewing:
    from app.access.models import Entitlement
    from app.accounts.models import User, UserSession
    from app.clock import utcnow
    from app.playback.models import Playback

    now = utcnow()
    user = User(email=f"m{number}@example.com", name="M", password_hash="!", email_confirmed_at=now)
    session.add(user)
    await session.flush()
    sign_in = UserSession(user_id=user.id, token_hash=uuid4().bytes * 2, expires_at=now + timedelta(days=1))
    right = Entitlement(user_id=user.id, source_kind="manual", source_id=str(number), starts_at=now)
    session.add_all([sign_in, right])
    await session.flush()
    assert lesson.video_id
    row = Playback(
        lesson_id=lesson.id,
        video_id=lesson.video_id,
        video_version=1,
        user_id=user.id,
        session_id=sign_in.id,
    )
    session.add(row)
    await session.flush()
    return Viewing(row.id, user.id, sign_in.id, lesson.video_id)


def postmaster(folder: Path) -> int:
    """The process id of the private PostgreSQL whose data folder this is."""
    return int((folder / "postgres/postmaster.pid").read_text().split()[0])


@dataclass(frozen=True)
class Web:
    port: int
    pid: int


@contextmanager
def serving(command: list[str] | None = None, **environment: str) -> Iterator[Web]:
    """Limber's web process (or `command`, which gets its port as the last word), once it answers /healthz.

    Raises:
        RuntimeError: it does not.
    """
    port = free_port()
    words = [*command, str(port)] if command else [sys.executable, "-m", "app", "serve"]
    process = subprocess.Popen(
        words, cwd=ROOT, env=os.environ | {"LIMBER_PORT": str(port), **environment}, stdout=sys.stderr
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError("the web process does not answer") from None
                time.sleep(0.1)
        yield Web(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)
