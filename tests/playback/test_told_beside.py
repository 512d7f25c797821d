"""What nginx is told while many watch: a real nginx, in both ways in which it keeps answers."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from app import db
from app.clock import utcnow
from app.playback import keyring, tokens
from app.playback.keeping import EVERY_S
from app.playback.models import MediaKey, Playback
from app.playback.news import ROOM
from app.playback.starting import media_ring
from bench.front_door import IN_FILES, IN_MEMORY, FrontDoor, front_door, has_lua
from tests import factories
from tests.apart import own_database, settings_of
from tests.machine import open_folder
from tests.playback.scene import Scene, set_up
from tests.web.server import Server, running

KEY = "told-edge-secret-" * 3
# One web process for all.
pytestmark = pytest.mark.xdist_group("told")
needs_lua = pytest.mark.skipif(not has_lua(), reason="nginx has no Lua")
WAYS = [IN_FILES, pytest.param(IN_MEMORY, marks=needs_lua)]
# More than one answer has room for (app/playback/news.py).
FILMS = 460
# 10 s that nginx keeps a yes, and 6 that the application does.
PROMISED_S = 16.0
# A web process that has just been started is done with it.
FIRST_LOOK_S = 2.0
T = TypeVar("T")


def get(port: int, target: str, *headers: str) -> tuple[int, bytes]:
    """Status, and all that was sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        head = "".join(f"{one}\r\n" for one in ("Host: 127.0.0.1", "Connection: close", *headers))
        line.sendall(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
        said = b"".join(iter(lambda: line.recv(65_536), b""))
    return int(said.split(b" ", 2)[1]), said


def statuses(port: int, targets: list[str]) -> set[int]:
    return {get(port, target)[0] for target in targets}


def in_database(url: str, work: Callable[[], Awaitable[T]]) -> T:
    """What `work` answers, in the database that the web process asks too."""

    async def inside() -> T:
        db.open_database(url, pool_size=1)
        try:
            return await work()
        finally:
            await db.close_database()

    return asyncio.run(inside())


async def watch(scene: Scene) -> list[tuple[UUID, UUID]]:
    """(playback, film) of a viewing more than are told at once, each of a film of its own: the longest news."""
    async with db.transaction() as session:
        section = await factories.section(session, scene.course)
        lessons = [await factories.lesson(session, section, is_free=True) for _ in range(FILMS + 1)]
        rows = [Playback(lesson_id=one.id, video_id=one.video_id, video_version=1) for one in lessons]
        session.add_all(rows)
        await session.flush()
        return [(row.id, row.video_id) for row in rows]


@dataclass(frozen=True)
class House:
    """A web process and viewings. `media`: where their films are; `place`: what nginx writes in this test."""

    server: Server
    media: Path
    watching: list[tuple[UUID, UUID]]
    place: Path

    def in_database(self, work: Callable[[], Awaitable[T]]) -> T:
        return in_database(self.server.environment["DATABASE_URL"], work)

    def addresses(self, lives_s: int = 3600) -> list[str]:
        """Of each viewing's playlist, with a token that lives so long."""
        ends, ring = int(time.time()) + lives_s, media_ring()
        return [
            f"/media/{tokens.sign(ring, one, film, 1, ends)}/{film}/1/master.m3u8"
            for one, film in self.watching
        ]

    @contextmanager
    def front(self, answers: str, workers: int = 1, extra: str = "") -> Iterator[FrontDoor]:
        with front_door(
            self.place, self.server.port, self.media, answers=answers, workers=workers, extra=extra
        ) as door:
            yield door

    def have_news(self) -> None:
        """The application has something that it would tell nginx: what one answer had no room for."""
        # (nginx's clock may come between.)
        for _ in range(3):
            said = get(self.server.port, "/media-auth/news", f"X-Limber-Edge: {KEY}")[1].lower()
            if b"x-media-more: 1" in said:
                return
        raise AssertionError(said)

    def said_by_nginx(self) -> str:
        return (self.place / "nginx-error.log").read_text()


@pytest.fixture(scope="module")
def shared(worker_database_url: str) -> Iterator[House]:
    """The web process that all tests here ask: starting one takes longer than most of them."""

    async def prepare() -> list[tuple[UUID, UUID]]:
        return await watch(await set_up())

    with open_folder("told") as folder, own_database(worker_database_url, "told") as url:
        # nginx and the web process read the key from the environment.
        with settings_of(DATABASE_URL=url, LIMBER_DATA_DIR=str(folder / "data"), LIMBER_EDGE_KEY=KEY):
            watching = in_database(url, prepare)
            server = Server(url, folder / "data")
        for _playback, film in watching:
            stream = folder / "data/media/videos" / str(film) / "1"
            stream.mkdir(parents=True)
            (stream / "master.m3u8").write_text("#EXTM3U\n")
        with running(server):
            yield House(server, folder / "data/media", watching, folder)


def start(server: Server) -> None:
    """Who asks while a process first looks at its keys is told of the others with the next question, not with this."""
    server.start()
    time.sleep(FIRST_LOOK_S)


async def _go_on() -> None:
    """All watch, as if they had begun now."""
    async with db.transaction() as session:
        await session.execute(update(Playback).values(revoked_at=None, renewed_at=utcnow()))
        await session.execute(delete(MediaKey))


@pytest.fixture
def house(shared: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """For one test: nginx has nothing of what another test's had."""
    monkeypatch.setenv("LIMBER_EDGE_KEY", KEY)
    shared.in_database(_go_on)
    if shared.server.process is None:
        start(shared.server)
    with TemporaryDirectory(dir=shared.place) as place:
        Path(place).chmod(0o755)
        yield replace(shared, place=Path(place))


@pytest.fixture
def own(house: House) -> Iterator[House]:
    """The same, with a web process that is for this test alone."""
    if house.server.process is not None:
        house.server.stop()
    start(house.server)
    yield house
    if house.server.process is not None:
        house.server.stop()


@pytest.mark.parametrize("answers", WAYS)
def test_the_longest_news_shut_nobody_out(house: House, answers: str) -> None:
    """Others, each with a film of its own: more than one answer has room for. Each is let in."""
    first, *others = house.addresses()
    with house.front(answers) as door:
        assert get(door.port, first)[0] == 200
        time.sleep(EVERY_S)
        assert statuses(door.port, others[::-1]) == {200}
        # So long is what it is told then.
        said = get(house.server.port, "/media-auth/news", f"X-Limber-Edge: {KEY}")[1]
        assert len(said) > ROOM
    assert house.said_by_nginx() == ""


@pytest.mark.long
@needs_lua
def test_nginx_asks_for_all_who_stand_by_its_own_clock(own: House) -> None:
    """One viewer came, and nobody since. The others are known to it all the same, those too of which one answer
    has no room to tell."""
    first, *others = own.addresses()
    with own.front(IN_MEMORY, workers=2) as door:
        assert get(door.port, first)[0] == 200
        # Longer than anything is kept that was told beside that answer.
        time.sleep(12)
        own.server.kill()
        # (What was told last is kept for 6 s at least.)
        assert statuses(door.port, [first, *others]) == {200}


def questions(door: FrontDoor) -> int:
    """How many answers about tokens nginx asked for, by its log."""
    # It is written down every 5 s.
    time.sleep(5.5)
    return door.log.read_text().count(" auth=MISS ")


@needs_lua
def test_a_nginx_that_was_just_started_is_told_of_all_with_the_first_question(house: House) -> None:
    """Though another was told of them a moment ago."""
    first, *others = house.addresses()
    with house.front(IN_MEMORY) as door:
        assert get(door.port, first)[0] == 200
        time.sleep(1)
    with house.front(IN_MEMORY, workers=2) as door:
        door.log.write_text("")
        assert get(door.port, first)[0] == 200
        time.sleep(1)
        assert statuses(door.port, others) == {200}
        assert questions(door) == 1


@needs_lua
def test_with_another_key_nginx_asks_about_each(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMBER_EDGE_KEY", "of-another-installation-" * 2)
    addresses = house.addresses()[:40]
    with house.front(IN_MEMORY) as door:
        assert statuses(door.port, addresses) == {200}
        assert questions(door) == 40


def test_keys_are_not_written_into_files(house: House) -> None:
    """Where answers are files, nothing is told that would stand in them."""
    with house.front(IN_FILES) as door:
        assert get(door.port, house.addresses()[0])[0] == 200
        [cache] = [
            Path(line.split()[1])
            for line in (house.place / "nginx.conf").read_text().splitlines()
            if line.startswith("proxy_cache_path") and "limber_auth" in line
        ]
        kept = [one.read_bytes().lower() for one in cache.rglob("*") if one.is_file()]
        assert [b"x-media-max-age" in one for one in kept] == [True]
        assert not any(b"x-media-keys" in one or b"x-media-stands" in one for one in kept)


def left_alone(own: House, door: FrontDoor) -> float:
    """nginx was asked for the first, and told of the others; the web process is gone. Answers when (monotonic s)."""
    first, *others = own.addresses()
    for _ in range(3):
        assert get(door.port, first)[0] == 200
        began = time.monotonic()
        # (Asked while the process looks up all who stand, it tells of them with nginx's next question, at once.)
        time.sleep(1)
        own.server.kill()
        # Whoever was not told of is asked about, in vain.
        if statuses(door.port, others[:60]) == {200}:
            return began
        own.server.start()
    raise AssertionError("nginx was not told")


@needs_lua
@pytest.mark.long
def test_two_workers_know_the_same_and_still_do_when_nginx_is_loaded_again(own: House) -> None:
    first, *others = own.addresses()
    with own.front(IN_MEMORY, workers=2) as door:
        began = left_alone(own, door)
        os.kill(door.pid, signal.SIGHUP)
        time.sleep(1)
        assert statuses(door.port, others[60:120]) == {200}
        assert time.monotonic() - began < 9, "the machine is too slow to say"
        time.sleep(PROMISED_S - (time.monotonic() - began))
        assert statuses(door.port, [first, *others]) == {500}


@needs_lua
@pytest.mark.long
def test_what_ended_is_shut_in_16_seconds(own: House) -> None:
    """Every viewing is stopped while all its viewers go on asking, with tokens that nginx has and has not met."""
    met, new = own.addresses(), own.addresses(3000)

    async def stop() -> None:
        async with db.transaction() as session:
            await session.execute(update(Playback).values(revoked_at=utcnow()))

    with own.front(IN_MEMORY, workers=2) as door:
        assert statuses(door.port, met) == {200}
        own.in_database(stop)
        stopped = time.monotonic()
        while time.monotonic() - stopped < PROMISED_S:
            statuses(door.port, [*met[::16], *new[::16]])
        assert statuses(door.port, [*met, *new]) == {403}


@needs_lua
@pytest.mark.long
def test_another_ring_shuts_out_tokens_of_the_one_before(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key's name with another secret, as after a leak: nginx forgets the old one within 10 s."""
    old = own.addresses()
    with own.front(IN_MEMORY, workers=2) as door:
        assert statuses(door.port, old[:40]) == {200}
        own.server.stop()
        another = "m1:" + "another-media-secret-" * 3
        monkeypatch.setitem(own.server.environment, "LIMBER_MEDIA_KEYS", another)
        own.server.start()
        began = time.monotonic()
        while time.monotonic() - began < PROMISED_S:
            statuses(door.port, old[::16])
        assert statuses(door.port, old) == {403}


@needs_lua
@pytest.mark.long
def test_keys_that_were_rotated_at_once_open_nothing_16_seconds_later(own: House) -> None:
    """Counted from when the new key begins, which was announced 15 s before."""
    old = own.addresses()

    async def rotate() -> datetime:
        async with db.transaction() as session:
            return (await keyring.rotate(session, utcnow(), at_once=True)).signs_at

    with own.front(IN_MEMORY, workers=2) as door:
        assert statuses(door.port, old[:40]) == {200}
        begins = own.in_database(rotate)
        while utcnow() < begins + timedelta(seconds=PROMISED_S):
            before = utcnow()
            said = statuses(door.port, old[::16])
            assert said == {200} or before > begins - timedelta(seconds=1)
        assert statuses(door.port, old) == {403}


@needs_lua
def test_a_token_ends_at_nginx_when_it_ends(house: House) -> None:
    """Those that nginx verifies itself: not a second later, whatever it knows."""
    first, *short = house.addresses(4)
    with house.front(IN_MEMORY) as door:
        assert get(door.port, first)[0] == 200
        assert statuses(door.port, short[:20]) == {200}
        time.sleep(5)
        assert statuses(door.port, short) == {403}


INNER = [
    *("/media-auth", "//media-auth", "/media-auth/", "/media-auth?x", "/media-auth%0a", "/media-auth%00"),
    *(
        "/%6dedia-auth",
        "/media%2dauth",
        "/%256dedia-auth",
        "/./media-auth",
        "/x/../media-auth",
        "/media-auth;x",
    ),
    *("/x/%2e%2e/media-auth", "/studio/uploads/../../media-auth", "/studio/uploads/%2e%2e/%2e%2e/media-auth"),
    *(
        "/media/../media-auth",
        "/media/%2e%2e/media-auth",
        "/media/x/../../media-auth",
        "/metrics/../media-auth",
    ),
    *("http://127.0.0.1/media-auth", "http://x//media-auth", "/media-auth#x", "/\\media-auth", "/MEDIA-AUTH"),
    *(
        "/media-auth/news",
        "/media-auth//news",
        "/media-auth/news?more",
        "/x/../media-auth/news",
        "/media-auth/%6eews",
    ),
    *("/_media_auth", "/_media_asking.m4s", "/media-auth%20", "/static/../media-auth", "/..%2fmedia-auth"),
    *("/studio/videos/events/../../../media-auth", "/%2fmedia-auth", "/media-auth%2f", "/media-auth\\..\\"),
]


@pytest.mark.parametrize("answers", WAYS)
def test_not_even_who_knows_the_edge_key_is_told_through_nginx(house: House, answers: str) -> None:
    """A viewer's own headers reach the application with other pages: that address does not, however it is spelled."""
    good = house.addresses()[0]
    mine = (f"X-Limber-Edge: {KEY}", f"X-Original-URI: {good}")
    # The application itself would tell: it is nginx that does not let this through.
    house.have_news()
    assert b"x-media-keys" in get(house.server.port, "/media-auth", *mine)[1].lower()
    with house.front(answers) as door:
        for number, target in enumerate([*INNER, good, good.replace("master", "gone"), f"/media/x/{good}"]):
            if number % 10 == 0:
                house.have_news()
            status, said = get(door.port, target, *mine)
            head = said.partition(b"\r\n\r\n")[0].lower()
            assert b"x-media-" not in head, target
            assert KEY.encode() not in said, target
            assert status != 204, target
    for secret in (KEY, *(tokens.media_key(one).hex() for _kid, one in media_ring().keys)):
        for log in ("nginx-error.log", "nginx-access.log"):
            assert secret not in (house.place / log).read_text()
        assert secret not in house.server.words()


# An operator's mistake: the question's address, open to everybody.
OPEN = "location = /open { proxy_pass http://limber_web/media-auth; }\n"


@pytest.mark.parametrize("answers", WAYS)
def test_what_a_viewer_says_as_nginx_stays_at_nginx(house: House, answers: str) -> None:
    good = house.addresses()[0]
    with house.front(answers, extra=OPEN) as door:
        house.have_news()
        status, said = get(door.port, "/open", f"X-Limber-Edge: {KEY}", f"X-Original-URI: {good}")
        assert status == 204
        assert b"x-media-max-age" in said.lower()
        assert b"x-media-keys" not in said.lower()
        assert b"x-media-stands" not in said.lower()
