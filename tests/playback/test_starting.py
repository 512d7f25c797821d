"""POST /lessons/{id}/playback: who is let in, what they get, and what the token's session id is."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from app import db
from app.accounts.models import UserSession
from app.accounts.sessions import hash_token
from app.catalog.models import Course, Lesson
from app.clock import utcnow
from app.playback.models import Playback
from app.video.models import Video
from app.web.guard import cookie_name
from tests import factories
from tests.playback.scene import (
    JSON,
    SIGN_IN,
    Scene,
    assert_problem,
    device,
    fill,
    row_of,
    set_up,
    sid_of,
    start,
)

MEMBERSHIP = "This lesson is part of the membership."


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    return await set_up()


async def playbacks() -> int:
    async with db.transaction() as session:
        return await session.scalar(select(func.count()).select_from(Playback)) or 0


async def test_a_member_gets_a_playlist_its_end_and_a_place(scene: Scene) -> None:
    async with device(scene.member) as browser:
        answer = await browser.post(f"/lessons/{scene.paid.id}/playback")
        assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
        body = answer.json()
        assert body.keys() == {"playlist_url", "expires_at", "position_s", "renew_url", "grant"}
        assert body["position_s"] == 0
        ends = datetime.fromisoformat(body["expires_at"])
        assert ends.tzinfo is not None
        assert timedelta(seconds=280) < ends - utcnow() <= timedelta(minutes=5)
        assert body["playlist_url"].startswith("/media/")
        assert body["playlist_url"].endswith(f"/{scene.paid.video_id}/1/master.m3u8")
        assert body["renew_url"] == f"/playbacks/{sid_of(body['playlist_url'])}/renew"
        assert (await browser.get(body["playlist_url"])).status_code == 200
    # The token ends when the answer says so, to the second.
    assert body["playlist_url"].split(".")[1] == str(int(ends.timestamp()))


async def test_a_members_session_id_is_a_playback_that_hangs_on_the_sign_in(scene: Scene) -> None:
    async with device(scene.member) as browser:
        url = (await start(browser, scene.paid))["playlist_url"]
        cookie = browser.cookies[cookie_name()]
    row = await row_of(url)
    assert (row.user_id, row.lesson_id, row.video_id) == (
        scene.member.id,
        scene.paid.id,
        scene.paid.video_id,
    )
    async with db.transaction() as session:
        sign_in = (
            await session.scalars(select(UserSession).where(UserSession.token_hash == hash_token(cookie)))
        ).one()
    assert row.session_id == sign_in.id


async def test_nothing_of_the_cookie_is_in_the_address(scene: Scene) -> None:
    async with device(scene.member) as browser:
        url = (await start(browser, scene.paid))["playlist_url"]
        cookie = browser.cookies[cookie_name()]
    row = await row_of(url)
    assert row.session_id is not None
    assert row.id != row.session_id
    for secret in (cookie.encode(), hash_token(cookie), row.session_id.bytes, scene.member.id.bytes):
        spelled = base64.urlsafe_b64encode(secret).decode().rstrip("=")
        assert spelled not in url
        assert secret.hex() not in url
    assert cookie not in url
    assert str(row.session_id) not in url


async def test_each_viewing_has_a_row_of_its_own(scene: Scene) -> None:
    async with device(scene.member) as browser:
        first, second = await start(browser, scene.paid), await start(browser, scene.paid)
    assert sid_of(first["playlist_url"]) != sid_of(second["playlist_url"])
    assert await playbacks() == 2


async def test_anybody_plays_a_free_lesson_and_no_cookie_is_set(scene: Scene) -> None:
    async with device() as browser:
        answer = await browser.post(f"/lessons/{scene.free.id}/playback")
        assert answer.status_code == 201
        assert "set-cookie" not in answer.headers
        assert answer.json()["position_s"] == 0
        url = answer.json()["playlist_url"]
        assert (await browser.get(url)).status_code == 200
    row = await row_of(url)
    assert (row.user_id, row.session_id) == (None, None)


async def test_a_member_without_entitlement_plays_a_free_lesson_as_themselves(scene: Scene) -> None:
    async with db.transaction() as session:
        visitor = await factories.user(session)
    async with device(visitor) as browser:
        url = (await start(browser, scene.free))["playlist_url"]
    assert (await row_of(url)).user_id == visitor.id


@pytest.mark.parametrize("state", ["published", "announced", "draft"])
async def test_staff_play_paid_lessons_in_every_state(scene: Scene, state: str) -> None:
    async with db.transaction() as session:
        await session.execute(update(Lesson).where(Lesson.id == scene.paid.id).values(state=state))
        await session.execute(update(Course).values(state="draft"))
        teacher = await factories.staff(session)
    async with device(teacher) as browser:
        url = (await start(browser, scene.paid))["playlist_url"]
        assert (await browser.get(url)).status_code == 200


async def test_the_paid_lesson_is_refused_in_words_with_a_way_on(scene: Scene) -> None:
    async with db.transaction() as session:
        visitor, former = await factories.user(session), await factories.user(session)
        await factories.entitlement(session, former, ends_at=utcnow())
    path = f"/lessons/{scene.paid.id}/playback"
    page = {"Referer": "https://limber.test/courses/x/y"}
    async with device() as browser:
        problem = assert_problem(await browser.post(path, headers=page), 401, SIGN_IN)
        assert problem["login_url"] == "/login?next=%2Fcourses%2Fx%2Fy"
    async with device(visitor) as browser:
        problem = assert_problem(await browser.post(path, headers=page), 402, MEMBERSHIP)
        assert problem["plans_url"] == "/plans?next=%2Fcourses%2Fx%2Fy"
    async with device(former) as browser:
        ended = "Your membership has ended. Join again to go on watching."
        assert_problem(await browser.post(path), 402, ended)
    assert await playbacks() == 0


async def test_a_right_to_another_course_opens_nothing_here(scene: Scene) -> None:
    async with db.transaction() as session:
        visitor = await factories.user(session)
        other = await factories.course(session)
        await factories.entitlement(session, visitor, course_id=other.id)
    async with device(visitor) as browser:
        assert_problem(await browser.post(f"/lessons/{scene.paid.id}/playback"), 402, MEMBERSHIP)


async def test_what_is_not_there_or_not_out_or_has_no_film_is_said(scene: Scene) -> None:
    not_here = "This page is not here. It may have moved, or the link is incomplete."
    async with device(scene.member) as browser:
        for unknown in (uuid4(), scene.paid.video_id, "x", "..%2f..", "0" * 400):
            assert_problem(await browser.post(f"/lessons/{unknown}/playback"), 404, not_here)
        async with db.transaction() as session:
            await session.execute(update(Lesson).values(available_at=utcnow() + timedelta(hours=1)))
        path = f"/lessons/{scene.free.id}/playback"
        assert_problem(await browser.post(path), 409, "This lesson is not out yet.")
        async with db.transaction() as session:
            await session.execute(update(Lesson).values(available_at=None))
            await session.execute(update(Video).values(version=0, state="encoding"))
        waiting = "The video of this lesson is not ready yet. Please come back a little later."
        assert_problem(await browser.post(path), 409, waiting)
        async with db.transaction() as session:
            await session.execute(update(Lesson).values(state="draft"))
        assert_problem(await browser.post(path), 404, not_here)
    assert await playbacks() == 0


async def test_a_film_that_is_made_anew_goes_on_being_shown_meanwhile(scene: Scene) -> None:
    async with db.transaction() as session:
        await session.execute(update(Video).values(state="encoding", version=3))
    fill(scene.paid.video_id, 3)
    async with device(scene.member) as browser:
        url = (await start(browser, scene.paid))["playlist_url"]
        assert f"/{scene.paid.video_id}/3/" in url
        assert (await browser.get(url)).status_code == 200


@pytest.mark.parametrize(("duration_s", "hours"), [(24.0, 2), (None, 2), (2 * 3600.0, 3), (9 * 3600.0, 6)])
async def test_a_browser_that_cannot_renew_gets_a_token_for_the_whole_film(
    scene: Scene, duration_s: float | None, hours: int
) -> None:
    async with db.transaction() as session:
        await session.execute(update(Video).values(duration_s=duration_s))
    async with device(scene.member) as browser:
        ends = datetime.fromisoformat((await start(browser, scene.paid, native=True))["expires_at"])
    left = (ends - datetime.now(UTC)).total_seconds()
    assert hours * 3600 - 20 < left <= hours * 3600


async def test_a_body_that_is_no_question_is_refused_in_words(client: httpx.AsyncClient) -> None:
    scene = await set_up()
    path = f"/lessons/{scene.free.id}/playback"
    for body in ('{"native": "perhaps"}', "[1]", "{", "\x00"):
        headers = {**JSON, "Content-Type": "application/json"}
        answer = await client.post(path, content=body, headers=headers)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("Not understood: ")
    assert await playbacks() == 0
