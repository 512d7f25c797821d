"""The studio's page of members who watched from many networks: shown, found fine, and never closed."""

from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts import sessions
from app.accounts.models import AuditEntry, User, UserSession
from app.clock import utcnow
from app.playback.models import Playback
from tests import factories
from tests.playback.scene import Scene, set_up

PAGE = "/studio/members/sharing"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"


@pytest.fixture
async def scene(client: httpx.AsyncClient) -> Scene:
    return await set_up()


async def watch(scene: Scene, user: User, networks: int, at: datetime) -> None:
    """As many households, each with a sign-in of its own."""
    async with db.transaction() as session:
        for n in range(networks):
            await sessions.start(session, user, user_agent=FIREFOX, ip=f"198.51.{n}.7", now=at)
        signed_in = await session.scalars(select(UserSession.id).where(UserSession.user_id == user.id))
        for n, session_id in enumerate(list(signed_in)[-networks:]):
            row = Playback(
                lesson_id=scene.paid.id,
                video_id=scene.paid.video_id,
                video_version=1,
                user_id=user.id,
                session_id=session_id,
                created_at=at,
                renewed_at=at,
                network=f"198.51.{n}.0/24",
            )
            session.add(row)


async def teacher_on(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        teacher = await factories.staff(session, name="Malia")
    await factories.sign_in(client, teacher)
    return teacher


async def test_only_staff_see_it_and_find_it_fine(client: httpx.AsyncClient, scene: Scene) -> None:
    for status in (401, 403):
        assert (await client.get(PAGE)).status_code == status
        assert (await client.post(f"{PAGE}/{scene.member.id}/fine")).status_code == status
        await factories.sign_in(client, scene.member)


async def test_who_watched_in_five_households_is_shown_and_goes_on_watching(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    async with db.transaction() as session:
        quiet = await factories.user(session, name="Noa Quiet")
    at = utcnow() - timedelta(hours=2)
    await watch(scene, scene.member, 5, at)
    await watch(scene, quiet, 4, at)
    await teacher_on(client)
    page = (await client.get(PAGE)).text
    assert scene.member.email in page
    assert "5 networks on 5 devices" in page
    assert "198.51.3.x" in page
    assert "198.51.3.7" not in page
    assert "Firefox on Windows" in page
    assert "Noa Quiet" not in page
    assert "1 member watched from unusually many networks" in (await client.get("/studio")).text
    async with db.transaction() as session:
        rows = list(await session.scalars(select(Playback)))
        assert [row.revoked_at for row in rows] == [None] * 9
        member = await session.get(User, scene.member.id)
        assert member is not None
        assert member.banned_at is None


async def test_what_was_found_fine_is_gone_until_it_happens_again(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    await watch(scene, scene.member, 6, utcnow() - timedelta(hours=2))
    teacher = await teacher_on(client)
    answer = await client.post(f"{PAGE}/{scene.member.id}/fine")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=fine")
    page = (await client.get(answer.headers["location"])).text
    assert "Noted." in page
    assert "Nothing unusual" in page
    assert "unusually many" not in (await client.get("/studio")).text
    async with db.transaction() as session:
        entry = (await session.scalars(select(AuditEntry))).one()
        assert (entry.actor_id, entry.action, entry.subject_id) == (
            teacher.id,
            "spread.dismiss",
            str(scene.member.id),
        )
    assert "found it fine from how many networks" in (await client.get("/studio/activity")).text
    await watch(scene, scene.member, 7, utcnow())
    assert "7 networks on 7 devices" in (await client.get(PAGE)).text
    assert (await client.post(f"{PAGE}/{scene.member.id}/fine")).status_code == 303
    assert "Nothing unusual" in (await client.get(PAGE)).text


async def test_staff_closed_accounts_and_old_weeks_are_not_shown(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    async with db.transaction() as session:
        closed = await factories.user(session, banned_at=utcnow())
        colleague = await factories.staff(session)
    for user in (closed, colleague):
        await watch(scene, user, 9, utcnow() - timedelta(hours=2))
    await watch(scene, scene.member, 9, utcnow() - timedelta(days=8))
    await teacher_on(client)
    assert "Nothing unusual" in (await client.get(PAGE)).text


async def test_nobody_who_is_not_there_is_found_fine(client: httpx.AsyncClient, scene: Scene) -> None:
    await teacher_on(client)
    assert (await client.post(f"{PAGE}/{scene.course.id}/fine")).status_code == 404
    assert (await client.post(f"{PAGE}/x/fine")).status_code == 404


async def test_devices_are_shown_by_their_network_to_their_owner_and_to_staff(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    async with db.transaction() as session:
        cookie = await sessions.start(
            session, scene.member, user_agent=FIREFOX, ip="203.0.113.77", now=utcnow()
        )
    assert cookie
    await factories.sign_in(client, scene.member)
    mine = (await client.get("/account")).text
    await teacher_on(client)
    theirs = (await client.get(f"/studio/members/{scene.member.id}")).text
    for page in (mine, theirs):
        assert "network 203.0.113.x" in page
        assert "203.0.113.77" not in page
