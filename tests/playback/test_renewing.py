"""A viewing goes on: new tokens for the same playback, as long as its viewer may watch."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app import db
from app.access.models import Entitlement
from app.accounts import bans, sessions
from app.accounts.models import User, UserSession
from app.accounts.permissions import Viewer
from app.catalog.models import Lesson
from app.clock import utcnow
from app.errors import PaymentRequired, SignInRequired
from app.playback import starting
from app.playback.models import Playback
from app.playback.standing import standing
from app.video.models import Video
from tests import factories
from tests.playback.scene import SIGN_IN, Scene, assert_problem, device, renew, row_of, set_up, sid_of, start

NOT_HERE = "This page is not here. It may have moved, or the link is incomplete."


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    standing.forget()
    return await set_up()


async def test_a_renewed_token_is_for_the_same_playback_and_ends_later(scene: Scene) -> None:
    now = utcnow()
    async with db.transaction() as session:
        sign_in = await sessions.start(session, scene.member, user_agent="", ip="", now=now)
        viewer = await sessions.find(session, sign_in, now)
        first = await starting.start(session, sign_in, scene.paid.id, now)
    later = now + timedelta(minutes=4)
    async with db.transaction() as session:
        second = await starting.renew(session, viewer, first.playback_id, first.grant, later)
    assert second.playback_id == first.playback_id == sid_of(second.playlist_url)
    assert second.expires_at - first.expires_at == timedelta(minutes=4)
    assert second.playlist_url != first.playlist_url
    row = await row_of(second.playlist_url)
    assert (row.created_at, row.renewed_at) == (now, later)


async def test_the_player_renews_over_http_and_both_tokens_open_the_film(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        answer = await renew(browser, begun)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.json().keys() == {"playlist_url", "expires_at", "grant"}
        for url in (begun["playlist_url"], answer.json()["playlist_url"]):
            assert (await browser.get(url)).status_code == 200


async def test_an_anonymous_viewing_renews_and_whoever_signs_in_takes_it_along(scene: Scene) -> None:
    async with device() as browser:
        begun = await start(browser, scene.free)
        assert (await renew(browser, begun)).status_code == 200
        assert (await row_of(begun["playlist_url"])).user_id is None
        await factories.sign_in(browser, scene.member)
        assert (await renew(browser, begun)).status_code == 200
    row = await row_of(begun["playlist_url"])
    assert row.user_id == scene.member.id
    assert row.session_id is not None


async def test_nobody_renews_what_is_somebody_elses_or_not_there(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        assert_problem(await browser.post(f"/playbacks/{uuid4()}/renew"), 404, NOT_HERE)
        assert_problem(await browser.post("/playbacks/x/renew"), 404, NOT_HERE)
    async with db.transaction() as session:
        other, teacher = await factories.user(session), await factories.staff(session)
        await factories.entitlement(session, other)
    for stranger in (other, teacher):
        async with device(stranger) as browser:
            assert_problem(await renew(browser, begun), 404, NOT_HERE)
    async with device() as browser:
        assert_problem(await renew(browser, begun), 401, SIGN_IN)
    assert (await row_of(begun["playlist_url"])).user_id == scene.member.id


async def _revoke(_scene: Scene) -> None:
    async with db.transaction() as session:
        await session.execute(update(Entitlement).values(revoked_at=utcnow()))


async def _end(_scene: Scene) -> None:
    async with db.transaction() as session:
        await session.execute(update(Entitlement).values(ends_at=utcnow()))


async def _ban(scene: Scene) -> None:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        await bans.ban(session, teacher.id, scene.member.id, "Sold the password", utcnow())


async def _sign_out_everywhere(scene: Scene) -> None:
    async with db.transaction() as session:
        await sessions.revoke_all(session, scene.member.id, utcnow())


async def _delete_account(scene: Scene) -> None:
    async with db.transaction() as session:
        await session.delete(await session.get(User, scene.member.id))


ENDED = "Your membership has ended. Join again to go on watching."
LOSSES: list[tuple[Callable[[Scene], Awaitable[None]], int, str]] = [
    (_revoke, 402, ENDED),
    (_end, 402, ENDED),
    (_ban, 401, SIGN_IN),
    (_sign_out_everywhere, 401, SIGN_IN),
]


@pytest.mark.parametrize(("lose", "status", "sentence"), LOSSES)
async def test_who_lost_the_right_gets_no_bytes_no_new_token_and_no_new_viewing(
    scene: Scene, lose: Callable[[Scene], Awaitable[None]], status: int, sentence: str
) -> None:
    async with device(scene.member) as browser, device(scene.member) as phone:
        begun = await start(browser, scene.paid)
        native = await start(phone, scene.paid, native=True)
        await lose(scene)
        assert_problem(await renew(browser, begun), status, sentence)
        again = await browser.post(f"/lessons/{scene.paid.id}/playback")
        assert_problem(again, status, sentence)
        # The long token of a browser that plays by itself is no way round.
        for url in (begun["playlist_url"], native["playlist_url"]):
            answer = await browser.get(url)
            assert (answer.status_code, answer.text) == (403, SIGN_IN)


async def test_signing_out_here_stops_this_device_and_no_other(scene: Scene) -> None:
    async with device(scene.member) as here, device(scene.member) as there:
        mine, theirs = await start(here, scene.paid), await start(there, scene.paid)
        assert (await here.post("/logout")).status_code == 303
        refused = await there.get(mine["playlist_url"])
        assert (refused.status_code, refused.text) == (403, SIGN_IN)
        assert (await there.get(theirs["playlist_url"])).status_code == 200


async def test_a_deleted_account_takes_its_viewings_along(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        await _delete_account(scene)
        assert (await browser.get(begun["playlist_url"])).status_code == 403
    async with db.transaction() as session:
        assert list(await session.scalars(select(Playback))) == []


async def test_who_signs_in_again_goes_on_where_they_were(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        await _sign_out_everywhere(scene)
        assert_problem(await renew(browser, begun), 401, SIGN_IN)
        await factories.sign_in(browser, scene.member)
        renewed = await renew(browser, begun)
        assert renewed.status_code == 200
        assert (await browser.get(renewed.json()["playlist_url"])).status_code == 200


async def test_a_refusal_does_not_outlive_a_renewal(scene: Scene) -> None:
    async with device(scene.member) as browser:
        # Another end makes another token, even within the same second.
        begun = await start(browser, scene.paid, native=True)
        await _sign_out_everywhere(scene)
        assert (await browser.get(begun["playlist_url"])).status_code == 403
        await factories.sign_in(browser, scene.member)
        renewed = await renew(browser, begun)
        assert (await browser.get(renewed.json()["playlist_url"])).status_code == 200


async def test_what_was_stopped_or_has_a_new_film_says_so(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        async with db.transaction() as session:
            await session.execute(update(Video).where(Video.id == scene.paid.video_id).values(version=2))
        new_film = "This lesson has a new film. Load the page again to watch it."
        assert_problem(await renew(browser, begun), 410, new_film)
        async with db.transaction() as session:
            await session.execute(update(Playback).values(revoked_at=utcnow()))
        stopped = "This viewing was stopped. Load the page again to go on."
        assert_problem(await renew(browser, begun), 410, stopped)


async def test_a_free_lesson_that_becomes_a_paid_one_ends_for_the_anonymous(scene: Scene) -> None:
    async with device() as browser:
        begun = await start(browser, scene.free)
        async with db.transaction() as session:
            await session.execute(update(Lesson).values(is_free=False))
        assert_problem(await renew(browser, begun), 401, SIGN_IN)
        assert (await browser.get(begun["playlist_url"])).status_code == 403


async def test_the_first_bytes_and_the_last_token_are_decided_by_the_clock_given(scene: Scene) -> None:
    now = utcnow()
    async with db.transaction() as session:
        cookie = await sessions.start(session, scene.member, user_agent="", ip="", now=now)
        viewer = await sessions.find(session, cookie, now)
        assert isinstance(viewer, Viewer)
        await session.execute(update(Entitlement).values(ends_at=now + timedelta(minutes=1)))
    async with db.transaction() as session:
        begun = await starting.start(session, cookie, scene.paid.id, now + timedelta(seconds=59))
    async with db.transaction() as session:
        with pytest.raises(PaymentRequired):
            await starting.renew(session, viewer, begun.playback_id, begun.grant, now + timedelta(minutes=1))
        with pytest.raises(SignInRequired):
            await starting.renew(session, None, begun.playback_id, begun.grant, now)


async def test_two_tabs_that_renew_at_once_both_go_on(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        answers = await asyncio.gather(*(renew(browser, begun) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert {sid_of(answer.json()["playlist_url"]) for answer in answers} == {UUID(begun["renew_url"][11:47])}
    async with db.transaction() as session:
        assert len(list(await session.scalars(select(UserSession)))) == 1
