"""Both front doors, the application's and nginx's as it is shipped, open to the same addresses and to no other."""

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from app import db
from app.clock import utcnow
from app.playback.models import Playback
from app.playback.starting import media_ring
from app.web.media import ADDRESS
from bench.front_door import SHIPPED, front_door
from tests.machine import open_folder
from tests.playback.scene import Scene, set_up
from tests.playback.spellings import Good, spellings
from tests.web.server import serving

PLAYLIST = b"#EXTM3U\n# free\n"
SEGMENT = b"free" * 1000
SECRET = b"paid" * 1000
REFUSED = {400, 403, 404}
# What no longer begins with /media/ is a page that does not exist; a slash at its end is taken away first.
ELSEWHERE = REFUSED | {308}
PATHS = ("master.m3u8", "360p/media.m3u8", "360p/seg_00001.m4s")


class Wire:
    """One connection that is kept, on which requests are sent letter by letter."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._open()

    def _open(self) -> None:
        self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.connection.makefile("rb")

    def ask(self, target: str) -> tuple[int, bytes]:
        """Status and body. A connection that the server closed meanwhile is opened anew, once."""
        try:
            return self._ask(target)
        except (OSError, IndexError):
            self.close()
            self._open()
            return self._ask(target)

    def _ask(self, target: str) -> tuple[int, bytes]:
        self.connection.sendall(b"GET " + target.encode("latin-1") + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        status = int(self.stream.readline().split()[1])
        length, stays = None, True
        while (line := self.stream.readline().lower().strip()) != b"":
            if line.startswith(b"content-length:"):
                length = int(line[15:])
            elif line == b"connection: close":
                stays = False
        body = self.stream.read(length) if length is not None else self.stream.read()
        if not stays or length is None:
            self.close()
            self._open()
        return status, body

    def close(self) -> None:
        self.stream.close()
        self.connection.close()


@dataclass(frozen=True)
class Doors:
    app: int
    nginx: int
    good: Good
    log: Path


async def _playbacks(scene: Scene) -> tuple[UUID, UUID]:
    """One of the free film by nobody in particular, and one that was stopped."""
    async with db.transaction() as session:
        rows = [
            Playback(lesson_id=scene.free.id, video_id=scene.free.video_id, video_version=1, revoked_at=ended)
            for ended in (None, utcnow())
        ]
        session.add_all(rows)
        await session.flush()
        return rows[0].id, rows[1].id


@pytest.fixture
def doors(database_url: str) -> Iterator[Doors]:
    async def prepare() -> tuple[Scene, UUID, UUID]:
        db.open_database(database_url, pool_size=1)
        scene = await set_up()
        made = await _playbacks(scene)
        await db.close_database()
        return scene, *made

    scene, playback, stopped = asyncio.run(prepare())
    assert scene.free.video_id
    assert scene.paid.video_id
    with open_folder("doors") as folder:
        media = folder / "data/media"
        for video, first, second in (
            (scene.free.video_id, PLAYLIST, SEGMENT),
            (scene.paid.video_id, SECRET, SECRET),
        ):
            for version in (1, 2):
                place = media / "videos" / str(video) / str(version) / "360p"
                place.mkdir(parents=True)
                (place.parent / "master.m3u8").write_bytes(first if version == 1 else SECRET)
                (place / "media.m3u8").write_bytes(first if version == 1 else SECRET)
                (place / "seg_00001.m4s").write_bytes(second if version == 1 else SECRET)
        good = Good(
            media_ring(),
            playback,
            scene.free.video_id,
            1,
            int(time.time()) + 3600,
            PATHS,
            scene.paid.video_id,
            stopped,
        )
        with (
            serving(database_url, folder / "data") as server,
            front_door(folder, server.port, media) as nginx,
        ):
            yield Doors(server.port, nginx.port, good, nginx.log)


def answers(port: int, targets: list[str]) -> list[tuple[int, bytes]]:
    wire = Wire(port)
    try:
        return [wire.ask(target) for target in targets]
    finally:
        wire.close()


def compared(doors: Doors, count: int, seed: int) -> tuple[int, int]:
    """Throw `count` addresses at both; answers how many opened, and how many were refused.

    Raises:
        AssertionError: naming addresses that are answered otherwise at one door than at the other, or wrongly.
    """
    targets = list(spellings(doors.good, count, seed))
    with ThreadPoolExecutor(2) as pool:
        app, nginx = pool.map(answers, (doors.app, doors.nginx), (targets, targets))
    wrong = []
    for target, (at_app, said_app), (at_nginx, said_nginx) in zip(targets, app, nginx, strict=True):
        opened = at_app == 200
        fine = (
            opened == (at_nginx == 200)
            and (doors.good.opens(target) or not opened)
            and (opened or {at_app, at_nginx} <= (REFUSED if target.startswith("/media/") else ELSEWHERE))
            and b"paid" * 9 not in said_app + said_nginx
            and (not opened or said_app == said_nginx)
        )
        if not fine:
            wrong.append((target[:300], at_app, at_nginx))
    assert not wrong, "\n".join(str(case) for case in wrong[:20])
    opened_count = sum(status == 200 for status, _said in app)
    return opened_count, count - opened_count


def test_both_doors_refuse_the_same_addresses(doors: Doors) -> None:
    opened, refused = compared(doors, 2_000, seed=1)
    assert opened > 10
    assert refused > 1_800


@pytest.mark.long
@pytest.mark.timeout(900)
def test_both_doors_refuse_the_same_of_100_000_addresses(doors: Doors, record_property: object) -> None:
    began = time.monotonic()
    sums = [compared(doors, 10_000, seed=seed) for seed in range(2, 12)]
    opened, refused = (sum(column) for column in zip(*sums, strict=True))
    assert callable(record_property)
    record_property("note", f"{opened} opened, {refused} refused, {time.monotonic() - began:.0f} s")
    assert opened + refused == 100_000
    assert refused > 90_000


def test_nginx_knows_the_applications_expression() -> None:
    """The same letters, apart from how each writes the name of a group and the end of what it looks at."""
    line = next(
        line for line in (SHIPPED / "site.conf").read_text("utf-8").splitlines() if "$request_uri !~" in line
    )
    theirs = re.sub(r"^.*!~ \"\^|\"\) \{$", "", line)
    theirs = theirs.replace(r"(?:[?#]|\z)", r"\Z").replace("[^?#]{1,500}", ".{1,500}")
    assert theirs.replace("(?<media_", "(?P<") == ADDRESS.pattern


def test_a_token_warmed_on_a_free_film_opens_no_paid_one_at_either_door(doors: Doors) -> None:
    good = doors.good
    address = f"/media/{good.token}/{good.video}/1/360p/seg_00001.m4s"
    stolen = address.replace(str(good.video), str(good.paid))
    for port in (doors.app, doors.nginx):
        seen = answers(port, [address, stolen, stolen, address, address.replace("/1/", "/2/"), stolen])
        assert [status for status, _body in seen] == [200, 403, 403, 200, 403, 403]


def test_what_nginx_keeps_to_itself(doors: Doors) -> None:
    """Its question to the application, and tokens: the log names films only."""
    good = doors.good
    inner = ["/media-auth", "/_media_auth", "//media-auth", "/%6dedia-auth", "/x/../media-auth", "/_too_long"]
    assert {status for status, _body in answers(doors.nginx, inner)} == {404}
    prefix = f"/media/{good.token}/{good.video}/1"
    seen = answers(doors.nginx, [f"{prefix}/master.m3u8", f"{prefix}/master.m3u8", f"{prefix}/gone.m4s"])
    assert [status for status, _body in seen] == [200, 200, 404]
    assert answers(doors.app, [f"{prefix}/gone.m4s"])[0][0] == 404
    deadline = time.monotonic() + 15
    # nginx writes it down every 5 s.
    while "gone.m4s" not in doors.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.2)
    lines = [line for line in doors.log.read_text().splitlines() if str(good.video) in line]
    assert [" auth=MISS " in line for line in lines] == [True, False, False]
    assert [" auth=HIT " in line for line in lines] == [False, True, True]
    assert good.token not in doors.log.read_text()
