"""What nginx is told, beside an answer or when it asks for news: who may go on, to nobody but our own nginx."""

import asyncio
import hmac
import random
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text, update

from app import db
from app.clock import utcnow
from app.keys import KeyRing
from app.playback import news, tokens, verdicts
from app.playback import standing as standings
from app.playback.keeping import Keeping
from app.playback.models import Playback
from app.playback.standing import standing
from app.playback.starting import media_ring
from app.settings import get_settings
from app.web import media_edge
from tests.playback.scene import Scene, set_up
from tests.statements import statements

KEY = "test-edge-secret-" * 2


@pytest.fixture
async def scene(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setenv("LIMBER_EDGE_KEY", KEY)
    get_settings.cache_clear()
    standing.forget()
    yield await set_up()
    standing.forget()


@pytest.fixture(autouse=True)
def settings_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


async def viewing(scene: Scene, *, stopped: bool = False) -> tuple[UUID, str]:
    """A viewing of the free film, and a playlist's address with a token of its own."""
    assert scene.free.video_id
    row = Playback(
        lesson_id=scene.free.id,
        video_id=scene.free.video_id,
        video_version=1,
        revoked_at=utcnow() if stopped else None,
    )
    async with db.transaction() as session:
        session.add(row)
        await session.flush()
    token = tokens.sign(media_ring(), row.id, scene.free.video_id, 1, int(time.time()) + 300)
    return row.id, f"/media/{token}/{scene.free.video_id}/1/master.m3u8"


async def ask(client: httpx.AsyncClient, address: str, key: str | None = KEY) -> httpx.Response:
    headers = {"X-Original-URI": address} | ({} if key is None else {"X-Limber-Edge": key})
    return await client.get("/media-auth", headers=headers)


async def test_our_nginx_is_told_once_who_else_stands(client: httpx.AsyncClient, scene: Scene) -> None:
    _asked, address = await viewing(scene)
    others = [(await viewing(scene))[0] for _ in range(3)]
    await viewing(scene, stopped=True)
    answer = await ask(client, address)
    assert answer.status_code == 204
    film, _colon, sids = answer.headers["x-media-stands"].partition(":")
    assert film == f"{scene.free.video_id}/1"
    assert sorted(sids.split(",")) == sorted(tokens.spelled(one) for one in others)
    again = await ask(client, address)
    assert again.status_code == 204
    assert "x-media-stands" not in again.headers


@pytest.mark.parametrize("key", [None, "", "x", KEY[:-1], KEY + "x", KEY.upper()])
async def test_nobody_else_is_told_more_than_yes_or_no(
    client: httpx.AsyncClient, scene: Scene, key: str | None
) -> None:
    _asked, address = await viewing(scene)
    await viewing(scene)
    answer = await ask(client, address, key)
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.startswith("x-media-") and name != "x-media-max-age"]


async def test_without_a_key_of_ours_no_key_is_right(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMBER_EDGE_KEY", "")
    get_settings.cache_clear()
    _asked, address = await viewing(scene)
    await viewing(scene)
    for key in ("", KEY):
        assert "x-media-stands" not in (await ask(client, address, key)).headers


async def test_who_stopped_meanwhile_is_not_told_of(client: httpx.AsyncClient, scene: Scene) -> None:
    first, address = await viewing(scene, stopped=True)
    answer = await ask(client, address)
    assert answer.status_code == 403
    assert "x-media-stands" not in answer.headers
    _other, good = await viewing(scene)
    standing.forget()
    answer = await ask(client, good)
    assert tokens.spelled(first) not in answer.headers.get("x-media-stands", "")


async def test_a_token_is_verified_with_what_is_told_and_a_ring_is_not(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    _asked, address = await viewing(scene)
    await viewing(scene)
    told = (await ask(client, address)).headers["x-media-keys"]
    ring = KeyRing.parse(get_settings().media_keys)
    keys = dict(one.split(":") for one in told.split(","))
    assert list(keys) == [kid for kid, _secret in ring.keys]
    assert all(secret.hex() not in told and secret.decode() not in told for _kid, secret in ring.keys)
    token, video, version = address.split("/")[2:5]
    signed, _dot, signature = token.rpartition(".")
    mac = hmac.digest(
        bytes.fromhex(keys[token.split(".")[0]]), f"{signed}/{video}/{version}".encode(), "sha256"
    )
    assert urlsafe_b64encode(mac).rstrip(b"=").decode() == signature
    assert len(urlsafe_b64decode(signature + "=")) == 32


async def test_of_many_viewings_all_are_told_and_the_head_stays_short(
    client: httpx.AsyncClient, scene: Scene, database: db.Database
) -> None:
    """nginx keeps 32 kB for an answer's head; a longer one would be no answer."""
    many = 1_800
    assert scene.free.video_id
    async with db.transaction() as session:
        session.add_all(
            Playback(lesson_id=scene.free.id, video_id=scene.free.video_id, video_version=1)
            for _ in range(many)
        )
    _asked, address = await viewing(scene)
    # Beside the first answer as many as may hold it up; the others are looked up meanwhile.
    first = (await ask(client, address)).headers["x-media-stands"].partition(":")[2].split(",")
    assert len(first) == 256
    await asyncio.sleep(1)
    told = list(first)
    with statements(database) as seen:
        for least in (27_000, 0):
            answer = await ask(client, address)
            assert least < sum(len(name) + len(value) + 4 for name, value in answer.headers.items()) < 30_000
            told += answer.headers["x-media-stands"].partition(":")[2].split(",")
        assert "x-media-stands" not in (await ask(client, address)).headers
    assert [statement for statement in seen if "playback.id = ANY" in statement] == []
    assert (len(told), len(set(told))) == (many, many)


async def test_who_stands_is_looked_up_before_anybody_asks_and_told_with_the_next_answer(
    client: httpx.AsyncClient, scene: Scene, database: db.Database
) -> None:
    asked, address = await viewing(scene)
    stays, stops = (await viewing(scene))[0], (await viewing(scene))[0]

    async def told() -> set[str]:
        said = (await ask(client, address)).headers.get("x-media-stands", "").partition(":")[2]
        return set(said.split(",")) - {""}

    assert await told() == {tokens.spelled(stays), tokens.spelled(stops)}
    assert await told() == set()
    # (At once: what was asked for last is just being finished.)
    await standing.look_ahead()
    assert len(standing.news) == 3
    async with db.transaction() as session:
        await session.execute(update(Playback).where(Playback.id == stops).values(revoked_at=utcnow()))
    # Once more before anybody came for the last: who does not stand any longer is not told of.
    await standing.look_ahead()
    with statements(database) as seen:
        assert await told() == {tokens.spelled(stays), tokens.spelled(asked)}
    assert [statement for statement in seen if "playback.id = ANY" in statement] == []


async def test_who_is_told_of_goes_on_to_be_as_long_as_the_player_renews_and_who_begins_is_told_before_asking(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "AHEAD_IN_VAIN", 2)
    monkeypatch.setattr(standings, "LATELY_EVERY_S", 0.0)
    asked, address = await viewing(scene)
    renewed, silent = (await viewing(scene))[0], (await viewing(scene))[0]
    assert (await ask(client, address)).status_code == 204
    async with db.transaction() as session:
        ago = utcnow() - timedelta(minutes=10)
        await session.execute(update(Playback).where(Playback.id == silent).values(renewed_at=ago))
    began = (await viewing(scene))[0]

    async def told() -> set[str]:
        await standing.look_ahead()
        return {sid for sids in standing.news.take().values() for sid in sids}

    here = {tokens.spelled(one) for one in (asked, renewed, began)}
    assert await told() == here | {tokens.spelled(silent)}
    for _ in range(3):
        assert await told() == here


async def test_looking_ahead_ends_however_long_it_takes(
    client: httpx.AsyncClient, scene: Scene, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time the last was looked up, the first's answer is old enough to be looked up again."""
    monkeypatch.setattr(standings, "ALONG", 1)
    addresses = [(await viewing(scene))[1] for _ in range(4)]
    for address in addresses:
        assert (await ask(client, address)).status_code == 204
    with statements(database) as seen:
        await standing.look_ahead()
    assert len([statement for statement in seen if "playback.id = ANY" in statement]) == 4


async def test_looking_ahead_has_its_turn_while_questions_never_cease(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    _asked, address = await viewing(scene)
    assert (await ask(client, address)).status_code == 204
    assert scene.free.video_id
    film, ceased = str(scene.free.video_id), asyncio.Event()

    async def wonder() -> None:
        while not ceased.is_set():
            nobody = tokens.Verified(sid=tokens.spelled(uuid4()), expires=int(time.time()) + 9)
            assert not await standing.look_up(nobody, film, "1")
            await asyncio.sleep(random.random() / 100)

    async with asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(wonder())
        await asyncio.sleep(0.2)
        try:
            await asyncio.wait_for(standing.look_ahead(), 2)
        finally:
            ceased.set()


async def test_nobody_is_looked_up_ahead_where_no_nginx_is_told(
    client: httpx.AsyncClient, scene: Scene, database: db.Database
) -> None:
    _asked, address = await viewing(scene)
    assert (await ask(client, address, None)).status_code == 204
    with statements(database) as seen:
        await standing.look_ahead()
    assert [statement for statement in seen if "playback.id = ANY" in statement] == []


def told_by(answer: httpx.Response) -> list[str]:
    """Playbacks of the one film."""
    return [one for one in answer.headers["x-media-stands"].partition(":")[2].split(",") if one]


async def test_our_nginx_is_told_of_all_who_stand_whenever_it_asks_for_them(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of who began a moment ago and was never asked about, in as many answers as it takes."""
    monkeypatch.setattr(standings, "LATELY_EVERY_S", 0.0)
    # Of one viewing.
    monkeypatch.setattr(news, "ROOM", 60)
    here = [tokens.spelled((await viewing(scene))[0]) for _ in range(3)]
    await viewing(scene, stopped=True)
    for _ in range(2):
        answers = [await client.get("/media-auth/news", headers={"X-Limber-Edge": KEY})]
        while "x-media-more" in answers[-1].headers:
            answers.append(await client.get("/media-auth/news?more", headers={"X-Limber-Edge": KEY}))
        assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
        assert all(answer.headers["x-media-keys"] for answer in answers)
        assert sorted(sid for answer in answers for sid in told_by(answer)) == sorted(here)
        assert len(answers) == 3


async def test_who_began_since_it_asked_last_is_told_of(client: httpx.AsyncClient, scene: Scene) -> None:
    for _ in range(3):
        began = tokens.spelled((await viewing(scene))[0])
        answer = await client.get("/media-auth/news", headers={"X-Limber-Edge": KEY})
        assert began in told_by(answer)


async def test_it_is_told_the_keys_though_nobody_watches(client: httpx.AsyncClient, scene: Scene) -> None:
    answer = await client.get("/media-auth/news", headers={"X-Limber-Edge": KEY})
    assert answer.status_code == 204
    assert told_by(answer) == []
    assert answer.headers["x-media-keys"].startswith("m1:")
    assert "x-media-more" not in answer.headers


@pytest.mark.parametrize("key", [None, "", KEY[:-1], KEY.upper()])
async def test_nobody_else_finds_news(client: httpx.AsyncClient, scene: Scene, key: str | None) -> None:
    await viewing(scene)
    answer = await client.get("/media-auth/news", headers={} if key is None else {"X-Limber-Edge": key})
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("x-media-")]


async def test_while_the_database_is_away_it_is_told_of_nobody(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And an answer comes all the same; what it knows ends by itself."""
    await viewing(scene)
    monkeypatch.setattr(verdicts, "QUESTION", verdicts.QUESTION.where(text("1 / 0 = 1")))
    answer = await client.get("/media-auth/news", headers={"X-Limber-Edge": KEY})
    assert answer.status_code == 204
    assert told_by(answer) == []
    # (Once the connection was given back.)
    await asyncio.sleep(0.3)
    assert "who stands was not looked up ahead: DataError" in [one.getMessage() for one in caplog.records]


async def test_who_is_told_of_waits_for_no_read_that_failed(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next time all are read whom that would have found."""
    began = tokens.spelled((await viewing(scene))[0])
    async with db.transaction() as session:
        await session.execute(update(Playback).values(renewed_at=utcnow() - timedelta(minutes=1)))
    with monkeypatch.context() as broken:
        broken.setattr(verdicts, "LATELY", verdicts.LATELY.where(text("1 / 0 = 1")))
        answer = await client.get("/media-auth/news", headers={"X-Limber-Edge": KEY})
        assert told_by(answer) == []
        await asyncio.sleep(0.3)
    answer = await client.get("/media-auth/news", headers={"X-Limber-Edge": KEY})
    assert told_by(answer) == [began]


async def test_questions_for_news_at_once_are_one_to_the_database(
    client: httpx.AsyncClient, scene: Scene, database: db.Database
) -> None:
    """nginx asks again though the last was not answered: a table that is locked is not to take all connections."""
    with statements(database) as seen:
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(client.get("/media-auth/news", headers={"X-Limber-Edge": KEY}))
    assert len([statement for statement in seen if "FROM media_key" in statement]) == 1


async def test_nothing_is_read_after_the_clock_was_ended(database: db.Database) -> None:
    """Whoever ends it closes the database next; a table that is locked is not to keep a reading in the air."""
    before = asyncio.all_tasks()
    async with db.transaction() as session:
        await session.execute(text("LOCK TABLE media_key IN ACCESS EXCLUSIVE MODE"))
        clock = asyncio.create_task(Keeping().keep_fresh())
        await asyncio.sleep(0.2)
        assert len(asyncio.all_tasks() - before) == 2
        clock.cancel()
        await asyncio.wait(asyncio.all_tasks() - before, timeout=1)
        assert asyncio.all_tasks() == before


async def test_two_different_keys_are_one_warning(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(media_edge, "_is_warned", False)
    _asked, address = await viewing(scene)
    for key in (None, KEY, "of-another-installation-" * 2, "of-a-third-installation-" * 2):
        assert (await ask(client, address, key)).status_code == 204
    warned = [record.getMessage() for record in caplog.records if "LIMBER_EDGE_KEY" in record.getMessage()]
    assert warned == ["nginx has a LIMBER_EDGE_KEY and the web server another: set the same for both"]
