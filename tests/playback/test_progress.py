"""Where a member stopped: on any device, inside the film, the newest save last."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from app import db
from app.clock import utcnow
from app.errors import NotFound
from app.playback import progress
from app.playback.models import Progress
from app.video.models import Video
from tests import factories
from tests.playback.scene import SIGN_IN, Scene, assert_problem, device, set_up, start


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    return await set_up()


async def saved() -> list[Progress]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Progress)))


async def save(scene: Scene, position_s: float, *, after_s: float = 0, duration_s: float = 24) -> None:
    async with db.transaction() as session:
        now = utcnow() + timedelta(seconds=after_s)
        await progress.save(session, scene.member.id, scene.paid.id, position_s, duration_s, now)


async def test_a_place_saved_here_is_where_another_device_goes_on(scene: Scene) -> None:
    place = f"/lessons/{scene.paid.id}/progress"
    async with device(scene.member) as phone, device(scene.member) as laptop:
        answer = await phone.post(place, json={"position_s": 7.5, "duration_s": 24})
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await start(laptop, scene.paid))["position_s"] == 7.5
        await laptop.post(place, json={"position_s": 3, "duration_s": 24})
        assert (await start(phone, scene.paid))["position_s"] == 3
        assert (await start(phone, scene.free))["position_s"] == 0


async def test_one_members_place_is_nobody_elses(scene: Scene) -> None:
    await save(scene, 7.5)
    async with db.transaction() as session:
        other = await factories.user(session)
        await factories.entitlement(session, other)
    async with device(other) as browser:
        assert (await start(browser, scene.paid))["position_s"] == 0


async def test_near_its_end_a_lesson_is_watched_and_begins_again(scene: Scene) -> None:
    await save(scene, 21.6)
    async with db.transaction() as session:
        assert await progress.resume_at(session, scene.member.id, scene.paid.id) == 0
        assert await progress.finished(session, scene.member.id) == {scene.paid.id}
    await save(scene, 4, after_s=1)
    async with db.transaction() as session:
        assert await progress.resume_at(session, scene.member.id, scene.paid.id) == 4
        # Watched stays watched.
        assert await progress.finished(session, scene.member.id) == {scene.paid.id}


async def test_the_films_own_length_counts_and_not_the_players_word(scene: Scene) -> None:
    place = f"/lessons/{scene.paid.id}/progress"
    async with device(scene.member) as browser:
        await browser.post(place, json={"position_s": 12, "duration_s": 12})
        assert (await start(browser, scene.paid))["position_s"] == 12
        await browser.post(place, json={"position_s": 500000, "duration_s": 600000})
        assert (await start(browser, scene.paid))["position_s"] == 0
    async with db.transaction() as session:
        await session.execute(update(Video).values(duration_s=None))
    await save(scene, 700, after_s=1, duration_s=1000)
    await save(scene, 1500, after_s=2, duration_s=0)
    assert [row.position_s for row in await saved()] == [0]


@pytest.mark.parametrize(("length_s", "expected"), [(100.0, 20.0), (21.0, 0.0), (15.0, 0.0), (None, 20.0)])
async def test_a_place_beyond_the_end_of_a_newer_film_is_its_beginning(
    scene: Scene, length_s: float | None, expected: float
) -> None:
    await save(scene, 20)
    async with db.transaction() as session:
        await session.execute(update(Video).values(duration_s=length_s))
    async with device(scene.member) as browser:
        assert (await start(browser, scene.paid))["position_s"] == expected


async def test_two_saves_that_cross_are_ordered_by_the_clock(scene: Scene) -> None:
    await save(scene, 9, after_s=1)
    await save(scene, 2, after_s=0)
    assert [row.position_s for row in await saved()] == [9]
    await save(scene, 3, after_s=2)
    assert [row.position_s for row in await saved()] == [3]


NO_PLACES = (
    '{"position_s": -1, "duration_s": 24}',
    '{"position_s": NaN, "duration_s": 24}',
    '{"position_s": Infinity, "duration_s": 24}',
    '{"position_s": 1e999, "duration_s": 24}',
    '{"position_s": 1e9, "duration_s": 24}',
    '{"position_s": 1, "duration_s": -24}',
    '{"position_s": 1}',
    '{"duration_s": 24}',
    '{"position_s": "soon", "duration_s": 24}',
    '{"position_s": null, "duration_s": 24}',
    '{"position_s": [1], "duration_s": 24}',
    "[]",
    "null",
    "",
    "{",
    '{"position_s": "\\u0000", "duration_s": 24}',
)


async def test_a_place_that_is_none_gets_a_sentence_and_loses_nothing(scene: Scene) -> None:
    await save(scene, 7.5)
    async with device(scene.member) as browser:
        for body in NO_PLACES:
            answer = await browser.post(
                f"/lessons/{scene.paid.id}/progress",
                content=body,
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 422, body
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"].startswith("Not understood: ")
    assert [row.position_s for row in await saved()] == [7.5]


async def test_only_who_is_signed_in_has_a_place_and_only_in_a_lesson(scene: Scene) -> None:
    place = {"position_s": 1, "duration_s": 24}
    async with device() as browser:
        for lesson in (scene.paid, scene.free):
            assert_problem(await browser.post(f"/lessons/{lesson.id}/progress", json=place), 401, SIGN_IN)
    async with device(scene.member) as browser:
        assert (await browser.post(f"/lessons/{uuid4()}/progress", json=place)).status_code == 404
    async with db.transaction() as session:
        with pytest.raises(NotFound):
            await progress.save(session, scene.member.id, uuid4(), 1, 1, utcnow())
    assert await saved() == []


async def test_going_on_lists_what_was_begun_the_newest_first(scene: Scene) -> None:
    now = utcnow()
    async with db.transaction() as session:
        await progress.save(session, scene.member.id, scene.paid.id, 12, 24, now)
        await progress.save(session, scene.member.id, scene.free.id, 6, 24, now + timedelta(seconds=1))
    async with db.transaction() as session:
        found = await progress.watching(session, scene.member.id)
        assert [(one.lesson_id, one.percent, one.left_s) for one in found] == [
            (scene.free.id, 25, 18),
            (scene.paid.id, 50, 12),
        ]
        await progress.save(session, scene.member.id, scene.free.id, 2.9, 24, now + timedelta(seconds=2))
        await progress.save(session, scene.member.id, scene.paid.id, 24, 24, now + timedelta(seconds=2))
    async with db.transaction() as session:
        # A few seconds are no beginning, and what was watched to its end is done.
        assert await progress.watching(session, scene.member.id) == []


async def test_what_was_watched_without_a_network_does_not_undo_what_was_watched_since(scene: Scene) -> None:
    place = f"/lessons/{scene.paid.id}/progress"
    async with device(scene.member) as phone, device(scene.member) as laptop:
        begun = await start(phone, scene.paid)
        late = {"duration_s": 24, "playback_id": begun["renew_url"][11:47], "is_late": True}
        await laptop.post(place, json={"position_s": 12, "duration_s": 24, "age_s": 60})
        assert (await phone.post(place, json={"position_s": 5, "age_s": 3600, **late})).status_code == 204
        assert [row.position_s for row in await saved()] == [12]
        assert (await phone.post(place, json={"position_s": 9, "age_s": 30, **late})).status_code == 204
        assert [row.position_s for row in await saved()] == [9]
        # A clock that jumped by years, or back: neither puts a place into the future, nor loses the request.
        assert (await phone.post(place, json={"position_s": 3, "age_s": 1e12, **late})).status_code == 204
        assert (await phone.post(place, json={"position_s": 3, "age_s": -5, **late})).status_code == 422
        assert [row.position_s for row in await saved()] == [9]


async def test_what_a_shared_computer_kept_of_one_member_is_not_the_next_ones(scene: Scene) -> None:
    async with db.transaction() as session:
        other = await factories.user(session)
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
    kept = {"position_s": 9, "duration_s": 24, "age_s": 5, "is_late": True}
    for playback_id in (begun["renew_url"][11:47], str(uuid4())):
        async with device(other) as browser:
            answer = await browser.post(
                f"/lessons/{scene.paid.id}/progress", json={**kept, "playback_id": playback_id}
            )
            assert (answer.status_code, answer.json()["state"]) == (200, "unknown")
    assert await saved() == []
