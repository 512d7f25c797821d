"""Both front doors, the application's and nginx's as it is shipped, open to the same addresses and to no other."""

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest

from app import db
from app.clock import utcnow
from app.playback import tokens
from app.playback.models import Playback
from app.playback.starting import media_ring
from app.web.media import ADDRESS
from bench.front_door import IN_FILES, IN_MEMORY, SHIPPED, front_door, has_lua
from tests.apart import own_database, settings_of
from tests.machine import open_folder
from tests.playback.scene import Scene, set_up
from tests.playback.spellings import Good, spellings
from tests.web.server import Server, running

PLAYLIST = b"#EXTM3U\n# free\n"
SEGMENT = b"free" * 1000
SECRET = b"paid" * 1000
REFUSED = {400, 403, 404}
# What no longer begins with /media/ is a page that does not exist; a slash at its end is taken away first.
ELSEWHERE = REFUSED | {308}
KEY = "doors-edge-secret-" * 2
# One web process for all.
pytestmark = pytest.mark.xdist_group("doors")
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
    """Ports of the application and of two nginx, which differ in where they keep answers; and the latters' logs."""

    app: int
    nginx: dict[str, int]
    good: Good
    logs: dict[str, Path]
    media: Path
    server: Server

    @property
    def all(self) -> list[int]:
        return [self.app, *self.nginx.values()]


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


@dataclass(frozen=True)
class House:
    """The web process that all tests here ask, and what lies on its disk."""

    server: Server
    folder: Path
    good: Good

    @property
    def media(self) -> Path:
        return self.folder / "data/media"


@pytest.fixture(scope="module")
def house(worker_database_url: str) -> Iterator[House]:
    with open_folder("doors") as folder, own_database(worker_database_url, "doors") as url:
        # Both sides read the key from the environment.
        with settings_of(DATABASE_URL=url, LIMBER_DATA_DIR=str(folder / "data"), LIMBER_EDGE_KEY=KEY):
            good = asyncio.run(_prepared(url))
            server = Server(url, folder / "data")
        media = folder / "data/media/videos"
        _fill(media / str(good.video), PLAYLIST, SEGMENT)
        _fill(media / str(good.paid), SECRET, SECRET)
        with running(server):
            yield House(server, folder, good)


async def _prepared(url: str) -> Good:
    db.open_database(url, pool_size=1)
    scene = await set_up()
    playback, stopped = await _playbacks(scene)
    await db.close_database()
    assert scene.free.video_id
    assert scene.paid.video_id
    ends = int(time.time()) + 3600
    return Good(media_ring(), playback, scene.free.video_id, 1, ends, PATHS, scene.paid.video_id, stopped)


def _fill(film: Path, playlist: bytes, segment: bytes) -> None:
    """Its first version; the second is nothing that anybody may see."""
    for version, (list_of, bytes_of) in {"1": (playlist, segment), "2": (SECRET, SECRET)}.items():
        rung = film / version / "360p"
        rung.mkdir(parents=True, exist_ok=True)
        (rung.parent / "master.m3u8").write_bytes(list_of)
        (rung / "media.m3u8").write_bytes(list_of)
        (rung / "seg_00001.m4s").write_bytes(bytes_of)


@pytest.fixture
def doors(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    """Two nginx that were never asked."""
    monkeypatch.setenv("LIMBER_EDGE_KEY", KEY)
    with ExitStack() as stack:
        nginx = {}
        for kept in (IN_FILES, IN_MEMORY) if has_lua() else (IN_FILES,):
            place = Path(stack.enter_context(TemporaryDirectory(dir=house.folder)))
            place.chmod(0o755)
            nginx[kept] = stack.enter_context(front_door(place, house.server.port, house.media, answers=kept))
        ports = {kept: door.port for kept, door in nginx.items()}
        logs = {kept: door.log for kept, door in nginx.items()}
        yield Doors(house.server.port, ports, house.good, logs, house.media, house.server)


@pytest.fixture
def new_doors(doors: Doors) -> Iterator[Doors]:
    """The same, with a web process that was never asked either, and may be killed."""
    doors.server.stop()
    doors.server.start()
    yield doors
    if doors.server.process is None:
        doors.server.start()


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
    with ThreadPoolExecutor(len(doors.all)) as pool:
        seen = list(pool.map(answers, doors.all, [targets] * len(doors.all)))
    wrong = []
    for target, *said in zip(targets, *seen, strict=True):
        statuses = [status for status, _body in said]
        opened = statuses[0] == 200
        fine = (
            all((status == 200) == opened for status in statuses)
            and (doors.good.opens(target) or not opened)
            and (opened or set(statuses) <= (REFUSED if target.startswith("/media/") else ELSEWHERE))
            and all(b"paid" * 9 not in body for _status, body in said)
            and (not opened or len({body for _status, body in said}) == 1)
        )
        if not fine:
            wrong.append((target[:300], *statuses))
    assert not wrong, "\n".join(str(case) for case in wrong[:20])
    opened_count = sum(status == 200 for status, _body in seen[0])
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
    """The same letters, apart from how each writes the name of a group, a limit, and the end of what it looks at.

    nginx's has `++` for `+`: no part gives back what it took, which no other part could take up.
    """
    line = next(
        line
        for line in (SHIPPED / "address.conf").read_text("utf-8").splitlines()
        if "$request_uri !~" in line
    )
    theirs = re.sub(r"^.*!~ \"\^|\"\) \{$", "", line)
    theirs = theirs.replace(r"(?:(?!(?s:.{501}))|(?=[^?#]{1,500}(?:[?#]|\z)))", r"(?=.{1,500}\Z)")
    theirs = re.sub(r"([+*}])\+", r"\1", theirs.replace(r"(?:[?#]|\z)", r"\Z"))
    theirs = theirs.replace("(?<media_viewing>", "").replace("[0-9]{0,8}))/", "[0-9]{0,8})/")
    assert theirs.replace("(?<media_", "(?P<") == ADDRESS.pattern


@pytest.mark.parametrize("length", [499, 500, 501, 502, 900])
def test_an_address_ends_at_500_letters_at_every_door(doors: Doors, length: int) -> None:
    """Whether or not something is asked for behind it."""
    good = doors.good
    long = f"/media/{good.token}/{good.video}/1/"
    long += "a" * (length - len(long) - 4) + ".m4s"
    for behind in ("", "?" + "x" * 600):
        seen = [answers(port, [long + behind])[0][0] for port in doors.all]
        # A name of more than 255 letters is no file's.
        assert seen == ([404] if length <= 500 else [403]) * len(doors.all), behind


def test_a_token_warmed_on_a_free_film_opens_no_paid_one_at_either_door(doors: Doors) -> None:
    good = doors.good
    address = f"/media/{good.token}/{good.video}/1/360p/seg_00001.m4s"
    stolen = address.replace(str(good.video), str(good.paid))
    for port in doors.all:
        seen = answers(port, [address, stolen, stolen, address, address.replace("/1/", "/2/"), stolen])
        assert [status for status, _body in seen] == [200, 403, 403, 200, 403, 403]


def test_what_nginx_keeps_to_itself(doors: Doors) -> None:
    """Its question to the application, and tokens: the log names films only."""
    good = doors.good
    inner = [
        "/media-auth",
        "/_media_auth",
        "//media-auth",
        "/%6dedia-auth",
        "/x/../media-auth",
        "/_too_long",
        "/_media_asking.m4s",
    ]
    prefix = f"/media/{good.token}/{good.video}/1"
    asked = [f"{prefix}/master.m3u8", f"{prefix}/master.m3u8", f"{prefix}/gone.m4s"]
    assert answers(doors.app, asked[2:])[0][0] == 404
    for port in doors.nginx.values():
        assert {status for status, _body in answers(port, inner)} == {404}
        assert [status for status, _body in answers(port, asked)] == [200, 200, 404]
    deadline = time.monotonic() + 15
    for log in doors.logs.values():
        # nginx writes it down every 5 s.
        while "gone.m4s" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.2)
        lines = [line for line in log.read_text().splitlines() if str(good.video) in line]
        assert [" auth=MISS " in line for line in lines] == [True, False, False]
        assert [" auth=HIT " in line for line in lines] == [False, True, True]
        assert good.token not in log.read_text()


def test_neither_links_nor_folders_are_films(doors: Doors) -> None:
    good = doors.good
    place = doors.media / "videos" / str(good.video) / "1"
    (place / "link.m4s").symlink_to(doors.media / "videos" / str(good.paid) / "1/360p/seg_00001.m4s")
    (place / "out").symlink_to(doors.media / "videos" / str(good.paid))
    (place / "folder.m4s").mkdir()
    for name in ("link.m4s", "out/1/360p/seg_00001.m4s", "folder.m4s"):
        seen = [answers(port, [f"/media/{good.token}/{good.video}/1/{name}"])[0] for port in doors.all]
        assert {status for status, _body in seen} <= REFUSED, (name, seen)
        assert all(b"paid" * 9 not in body for _status, body in seen)


def test_those_who_ask_together_are_asked_about_together(doors: Doors) -> None:
    """Pictures and sound of one film with a new token: whoever waits for the other's answer is let in by it.

    And a no is a no for all of them, each time.
    """
    good = doors.good
    address = f"/media/{good.token}/{good.video}/1/360p/seg_00001.m4s"
    stolen = address.replace(str(good.video), str(good.paid))
    for port in doors.nginx.values():
        for target, wanted in ((address, 200), (stolen, 403)):
            with ThreadPoolExecutor(8) as pool:
                seen = list(pool.map(answers, [port] * 8, [[target] * 3] * 8))
            assert {status for said in seen for status, _body in said} == {wanted}


def told(doors: Doors) -> int:
    """nginx (in memory) once it has asked about the viewing that was stopped, beside which it was told who else stands;
    the web process is gone then, so whatever opens is opened by nginx alone, which has 10 s for it."""
    good, port = doors.good, doors.nginx[IN_MEMORY]
    stopped = tokens.sign(good.ring, good.stopped, good.video, 1, good.expires)
    for _ in range(3):
        assert answers(port, [f"/media/{stopped}/{good.video}/1/master.m3u8"])[0][0] in (200, 403)
        doors.server.kill()
        if answers(port, [f"/media/{good.token}/{good.video}/1/master.m3u8"])[0][0] == 200:
            return port
        # A process that has just begun to look up all who stand tells them with nginx's next question.
        doors.server.start()
    raise AssertionError("nginx was not told")


@pytest.mark.skipif(not has_lua(), reason="nginx has no Lua")
def test_nginx_opens_to_whom_it_was_told_of_and_to_nobody_else(new_doors: Doors) -> None:
    good = new_doors.good
    stopped = tokens.sign(good.ring, good.stopped, good.video, 1, good.expires)
    port = told(new_doors)
    path = f"{good.video}/1/360p/seg_00001.m4s"
    signed, _dot, signature = good.token.rpartition(".")
    ended = tokens.sign(good.ring, good.playback, good.video, 1, int(time.time()) - 1)
    later = tokens.sign(good.ring, good.playback, good.video, 1, good.expires + 1)
    other = "A" if signature[9] != "A" else "B"
    for token, wanted in (
        (good.token, {200}),
        (later, {200}),
        (ended, {500}),
        (stopped, {403, 500}),
        (f"{signed}.{signature[:9]}{other}{signature[10:]}", {500}),
        (f"{signed}.{signature[:-1]}", {500}),
        (f"{signed}.{signature}A", {500}),
    ):
        # 500: it asked, and nobody answered.
        assert {status for status, _body in answers(port, [f"/media/{token}/{path}"] * 3)} <= wanted, token
    for film in (f"{good.video}/2", f"{good.paid}/1"):
        assert answers(port, [f"/media/{good.token}/{film}/360p/seg_00001.m4s"])[0][0] == 500


@pytest.mark.skipif(not has_lua(), reason="nginx has no Lua")
def test_nginx_alone_opens_no_address_that_is_not_good(new_doors: Doors) -> None:
    good = new_doors.good
    targets = list(spellings(good, 2_000, seed=7))
    port = told(new_doors)
    seen = answers(port, targets)
    opened = [target for target, (status, _body) in zip(targets, seen, strict=True) if status == 200]
    assert len(opened) > 10
    assert [target for target in opened if not good.opens(target)] == []
    assert all(b"paid" * 9 not in body for _status, body in seen)
