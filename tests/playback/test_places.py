"""Streams at the same time: who gets a place, who has to give way, and that two never get the last one."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update

from app import db
from app.accounts import sessions
from app.clock import utcnow
from app.playback import places, starting
from app.playback.models import Playback
from app.playback.places import StreamsFull
from app.playback.rules import SILENT, Asking, Held, Take, choose
from app.playback.standing import ALLOW_S, NGINX_ALLOW_S, standing
from app.practice.models import Practice
from tests import factories
from tests.playback.scene import SIGN_IN, Scene, assert_problem, device, renew, row_of, set_up, sid_of, start

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PHONE, TABLET, TELEVISION = uuid4(), uuid4(), uuid4()
FIRST, SECOND, THIRD = uuid4(), uuid4(), uuid4()


def held(
    place: int, session: UUID, lesson: UUID, *, tab: str = "", silent_s: float = 1, played: bool = True
) -> Held:
    seen_at = NOW - timedelta(seconds=silent_s)
    return Held(uuid4(), place, Asking(session, tab, lesson), seen_at, has_played=played)


def chosen(
    taken: Sequence[Held], session: UUID, lesson: UUID, *, tab: str = "", most: int = 2
) -> Take | None:
    return choose(taken, Asking(session, tab, lesson), most, NOW)


def test_the_lowest_free_place_is_taken() -> None:
    one = held(1, PHONE, FIRST)
    assert chosen([], PHONE, FIRST) == Take(1)
    assert chosen([one], TABLET, FIRST) == Take(2)
    assert chosen([held(2, PHONE, FIRST)], TABLET, FIRST) == Take(1)
    assert chosen([one, held(2, TABLET, SECOND)], TELEVISION, THIRD) is None
    assert chosen([one, held(2, TABLET, SECOND)], TELEVISION, THIRD, most=3) == Take(3)


def test_a_page_that_is_loaded_again_takes_its_own_place() -> None:
    here, there = held(1, PHONE, FIRST, tab="a"), held(2, TABLET, SECOND, tab="b")
    # The same lesson in the same browser, or another lesson in the same tab.
    assert chosen([here, there], PHONE, FIRST, tab="z") == Take(1, here, is_again=True)
    assert chosen([here, there], PHONE, THIRD, tab="a") == Take(1, here, is_again=True)
    # The same on another device is another viewing.
    assert chosen([here, there], TELEVISION, FIRST, tab="a") is None
    assert chosen([here, there], PHONE, THIRD) is None


def test_who_is_silent_gives_way_the_longest_silent_first() -> None:
    limit = SILENT.total_seconds()
    old, older = held(1, PHONE, FIRST, silent_s=limit + 1), held(2, TABLET, SECOND, silent_s=limit + 2)
    assert chosen([old, older], TELEVISION, THIRD) == Take(2, older)
    assert chosen([held(1, PHONE, FIRST, silent_s=limit), held(2, TABLET, SECOND)], TELEVISION, THIRD) is None
    # One that was signed out needs no minute.
    gone = Held(uuid4(), 1, Asking(PHONE, "", FIRST), NOW, has_played=True, signed_out=True)
    assert chosen([gone, held(2, TABLET, SECOND)], TELEVISION, THIRD) == Take(1, gone)


def test_pages_that_were_only_opened_give_way_to_their_own_browser_alone() -> None:
    opened, plays = held(1, PHONE, FIRST, played=False), held(2, TABLET, SECOND)
    assert chosen([opened, plays], PHONE, THIRD) == Take(1, opened)
    assert chosen([opened, plays], TELEVISION, THIRD) is None


def test_a_lowered_number_refuses_and_its_far_places_are_not_given_out_again() -> None:
    three = [held(1, PHONE, FIRST), held(2, TABLET, SECOND), held(3, TELEVISION, THIRD)]
    assert chosen(three, uuid4(), THIRD, most=2) is None
    quiet = held(1, PHONE, FIRST, silent_s=100)
    assert chosen([quiet, held(3, TELEVISION, THIRD)], uuid4(), THIRD, most=2) == Take(2)
    assert chosen([quiet, held(2, TABLET, SECOND)], uuid4(), THIRD, most=1) is None


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    standing.forget()
    return await set_up()


async def beat(
    browser: httpx.AsyncClient, begun: dict[str, object], scene: Scene, **more: object
) -> httpx.Response:
    place = {"position_s": 4, "duration_s": 24, "playback_id": str(begun["renew_url"])[11:47], **more}
    return await browser.post(f"/lessons/{scene.paid.id}/progress", json=place)


async def age(seconds: float) -> None:
    """All that plays was silent for so long."""
    async with db.transaction() as session:
        await session.execute(update(Playback).values(seen_at=utcnow() - timedelta(seconds=seconds)))


async def _anonymously(path: str) -> httpx.Response:
    async with device() as browser:
        return await browser.post(path)


async def test_eight_starts_at_once_on_connections_of_their_own_get_two_places(scene: Scene) -> None:
    now = utcnow()
    cookies: list[str] = []
    async with db.transaction() as session:
        for _number in range(8):
            cookies.append(await sessions.start(session, scene.member, user_agent="", ip="", now=now))
    ready = asyncio.Barrier(8)

    async def one(cookie: str) -> bool:
        async with db.transaction() as session:
            # Its connection is open, and its view of the others as early as it can be.
            await session.execute(select(1))
            await ready.wait()
            try:
                await starting.start(session, cookie, scene.paid.id, utcnow())
            except StreamsFull:
                return False
            # Nobody sees it before all have tried.
            await asyncio.sleep(0.05)
            return True

    for _round in range(5):
        won = await asyncio.gather(*(one(cookie) for cookie in cookies))
        assert sum(won) == 2
        async with db.transaction() as session:
            rows = list(await session.scalars(select(Playback).where(Playback.place.is_not(None))))
            assert sorted(row.place or 0 for row in rows) == [1, 2]
            for row in rows:
                await session.delete(row)


async def test_the_third_device_is_told_what_plays_where_and_can_stop_it(scene: Scene) -> None:
    async with (
        device(scene.member) as phone,
        device(scene.member) as tablet,
        device(scene.member) as television,
    ):
        first, _second = await start(phone, scene.paid), await start(tablet, scene.paid)
        assert (await beat(phone, first, scene)).status_code == 204
        full = "You are watching on other screens already. Stop one of them, and this film plays here."
        path = f"/lessons/{scene.paid.id}/playback"
        problem = assert_problem(await television.post(path), 409, full)
        assert problem["type"].endswith("limber:full")
        assert [one["position_s"] for one in problem["streams"]] == [4, 0]
        stream = problem["streams"][0]
        assert stream["playback_id"] == str(sid_of(first["playlist_url"]))
        assert (stream["lesson_title"], stream["course_title"]) == (scene.paid.title, scene.course.title)
        assert (stream["device"], datetime.fromisoformat(stream["started_at"]).tzinfo) == (
            "Unknown device",
            UTC,
        )
        assert (await phone.get(first["playlist_url"])).status_code == 200
        assert (await television.post(stream["stop_url"])).status_code == 204
        assert (await television.post(path)).status_code == 201
        # The one that was stopped hears of it with its next sign of life, gets no token, and soon no bytes.
        stopped = "This film was stopped from another device. Load the page again to go on here."
        answer = await beat(phone, first, scene)
        assert (answer.status_code, answer.json()) == (200, {"state": "stopped", "sentence": stopped})
        assert_problem(await renew(phone, first), 410, stopped)
        standing.forget()
        assert (await phone.get(first["playlist_url"])).status_code == 403


async def test_the_page_of_streams_lists_them_and_stops_one_without_a_script(scene: Scene) -> None:
    html = {"Accept": "text/html"}
    async with device(scene.member) as phone, device(scene.member) as tablet:
        begun = await start(phone, scene.paid)
        shown = await tablet.get("/account/streams?next=/courses/a/b", headers=html)
        assert shown.status_code == 200
        assert scene.paid.title in shown.text
        assert begun["renew_url"].replace("renew", "stop") in shown.text
        gone = await tablet.post(
            begun["renew_url"].replace("renew", "stop"), data={"next": "/courses/a/b"}, headers=html
        )
        assert gone.status_code == 303
        assert gone.headers["location"] == "/account/streams?done=stopped&next=/courses/a/b"
        shown = await tablet.get(gone.headers["location"], headers=html)
        assert "Nothing is playing at the moment." in shown.text
        assert 'href="/courses/a/b"' in shown.text


async def test_nobody_sees_or_stops_what_somebody_else_watches(scene: Scene) -> None:
    async with db.transaction() as session:
        other = await factories.user(session)
    async with device(scene.member) as browser, device(other) as stranger, device() as anonymous:
        begun = await start(browser, scene.paid)
        stop_url = begun["renew_url"].replace("renew", "stop")
        assert_problem(await anonymous.post(stop_url), 401, SIGN_IN)
        assert_problem(await anonymous.get("/account/streams"), 401, SIGN_IN)
        assert (await stranger.post(stop_url)).status_code == 204
        assert scene.paid.title not in (await stranger.get("/account/streams")).text
        assert (await row_of(begun["playlist_url"])).revoked_at is None
        answer = await beat(stranger, begun, scene)
        assert answer.json()["state"] == "unknown"
        assert (await row_of(begun["playlist_url"])).position_s == 0


async def test_a_place_is_free_after_a_minutes_silence_and_its_owner_comes_back_when_there_is_room(
    scene: Scene,
) -> None:
    async with (
        device(scene.member) as phone,
        device(scene.member) as tablet,
        device(scene.member) as television,
    ):
        first, second = await start(phone, scene.paid), await start(tablet, scene.paid)
        assert (await beat(phone, first, scene)).status_code == 204
        await age(76)
        assert (await beat(tablet, second, scene)).status_code == 204
        third = await start(television, scene.paid)
        # The phone slept; its tokens are good for nothing now.
        assert (await phone.get(first["playlist_url"])).status_code == 403
        answer = (await beat(phone, first, scene)).json()
        assert (answer["state"], len(answer["streams"])) == ("full", 2)
        assert (await renew(phone, first)).status_code == 409
        # The television goes home.
        leave_url = third["renew_url"].replace("renew", "leave")
        assert_problem(await _anonymously(leave_url), 401, SIGN_IN)
        assert (await television.post(leave_url)).status_code == 204
        # It was looked up along with the phone, and a yes is kept for 10 s.
        standing.forget()
        assert (await television.get(third["playlist_url"])).status_code == 403
        renewed = await renew(phone, first)
        assert renewed.status_code == 200
        standing.forget()
        assert (await phone.get(renewed.json()["playlist_url"])).status_code == 200


async def test_loading_the_page_again_is_never_refused(scene: Scene) -> None:
    async with device(scene.member) as phone, device(scene.member) as tablet:
        begun = await start(phone, scene.paid, tab="a")
        await start(tablet, scene.paid)
        for _time in range(3):
            earlier, begun = begun, await start(phone, scene.paid, tab="a")
            answer = await renew(phone, earlier)
            assert answer.status_code == 410
            assert "another window" in answer.json()["detail"]
        # The next lesson in the same tab, though nothing said that the first was left.
        await beat(phone, begun, scene)
        await start(phone, scene.free, tab="a")


async def test_staff_and_the_anonymous_are_not_counted(scene: Scene) -> None:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
    for watcher, lesson in ((teacher, scene.paid), (None, scene.free)):
        for _number in range(4):
            async with device(watcher) as browser:
                assert (await row_of((await start(browser, lesson))["playlist_url"])).place is None
    async with device(teacher) as browser:
        assert (await beat(browser, await start(browser, scene.paid), scene)).status_code == 204


async def test_the_teacher_sets_the_number(scene: Scene) -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, streams_at_once=1))
    async with device(scene.member) as phone, device(scene.member) as tablet:
        await start(phone, scene.paid)
        assert (await tablet.post(f"/lessons/{scene.paid.id}/playback")).status_code == 409


async def test_who_takes_a_free_viewing_along_when_signing_in_gets_a_place_for_it(scene: Scene) -> None:
    async with device() as browser:
        begun = await start(browser, scene.free)
        await factories.sign_in(browser, scene.member)
        assert (await renew(browser, begun)).status_code == 200
    assert (await row_of(begun["playlist_url"])).place == 1
    async with db.transaction() as session:
        assert len(await places.playing(session, scene.member.id, utcnow())) == 1


async def test_who_never_gives_a_sign_of_life_ends_at_both_doors_when_another_takes_the_place(
    scene: Scene,
) -> None:
    async with (
        device(scene.member) as silent,
        device(scene.member) as tablet,
        device(scene.member) as television,
    ):
        first, second = await start(silent, scene.paid), await start(tablet, scene.paid)
        await age(76)
        # Nobody wants the place: it goes on, and renewing is no sign of life.
        first = {**first, **(await renew(silent, first)).json()}
        assert (await silent.get(first["playlist_url"])).status_code == 200
        assert (await row_of(first["playlist_url"])).seen_at < utcnow() - timedelta(seconds=75)
        assert (await beat(tablet, second, scene)).status_code == 204
        await start(television, scene.paid)
        assert_problem(
            await renew(silent, first),
            409,
            "You are watching on other screens already. Stop one of them, and this film plays here.",
        )
        # The application remembers a yes for 10 s; nginx, which is given a younger one only, for 10 s more.
        assert max(ALLOW_S, NGINX_ALLOW_S + 10) < 30
        standing.forget()
        assert (await silent.get(first["playlist_url"])).status_code == 403
        asked = {"X-Original-URI": first["playlist_url"]}
        assert (await silent.get("/media-auth", headers=asked)).status_code == 403
        assert (
            await tablet.get("/media-auth", headers={"X-Original-URI": second["playlist_url"]})
        ).status_code == 204
