"""Viewings do not pile up: one network starts so many without sign-in, and old ones are removed."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from app import db
from app.clock import utcnow
from app.errors import TooMany
from app.playback import starting
from app.playback.models import Playback
from app.playback.sweep import KEEP, sweep
from tests.playback.scene import Scene, set_up


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    return await set_up()


async def test_one_network_begins_only_so_many_free_viewings(scene: Scene) -> None:
    now = utcnow()
    async with db.transaction() as session:
        for _viewing in range(starting.WITHOUT_SIGN_IN.tries):
            await starting.start(session, None, scene.free.id, now, ip="192.0.2.7")
        with pytest.raises(TooMany):
            await starting.start(session, None, scene.free.id, now, ip="192.0.2.7")
        await starting.start(session, None, scene.free.id, now, ip="192.0.2.8")
        later = now + starting.WITHOUT_SIGN_IN.window + timedelta(seconds=1)
        await starting.start(session, None, scene.free.id, later, ip="192.0.2.7")


async def test_old_viewings_go_and_present_ones_stay(scene: Scene, client: httpx.AsyncClient) -> None:
    assert (await client.post(f"/lessons/{scene.free.id}/playback")).status_code == 201
    await sweep(utcnow() + KEEP - timedelta(minutes=1))
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Playback)) == 1
    await sweep(utcnow() + KEEP + timedelta(minutes=1))
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Playback)) == 0
