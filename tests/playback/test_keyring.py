"""Rotating keys: the new one is announced, the old one opens what it signed, and nothing is restarted."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app import db
from app.errors import Conflict
from app.keys import KeyRing, Rotation, rotated
from app.playback import keyring, tokens
from app.playback.standing import standing
from tests.forked import ROOT
from tests.playback.scene import Scene, device, renew, set_up, start
from tests.web.server import serving

RING = KeyRing.parse("k2:" + "second-secret-" * 3 + ",k1:" + "first-secret-" * 3)
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
S, H = timedelta(seconds=1), timedelta(hours=1)


def made(number: int, signs_at: datetime, alone_from: datetime | None = None, root: str = "k2") -> Rotation:
    return Rotation(f"r{number}", root, bytes([number]) * 32, signs_at, alone_from or signs_at + 6 * H)


@pytest.mark.parametrize(
    ("rotations", "at", "signs", "verify"),
    [
        ([], AT, "k2", {"k1", "k2"}),
        ([made(1, AT + S)], AT, "k2", {"k1", "k2", "r1"}),
        ([made(1, AT)], AT, "r1", {"k1", "k2", "r1"}),
        ([made(1, AT)], AT + 6 * H - S, "r1", {"k1", "k2", "r1"}),
        ([made(1, AT)], AT + 6 * H, "r1", {"r1"}),
        ([made(1, AT), made(2, AT + H)], AT + 2 * H, "r2", {"k1", "k2", "r1", "r2"}),
        ([made(1, AT), made(2, AT + H)], AT + 6 * H, "r2", {"r1", "r2"}),
        ([made(1, AT), made(2, AT + H)], AT + 7 * H, "r2", {"r2"}),
        ([made(1, AT), made(2, AT + H, AT + H)], AT + H, "r2", {"r2"}),
        ([made(1, AT, root="gone")], AT + 9 * H, "k2", {"k1", "k2"}),
        ([made(1, AT, root="k1")], AT + 9 * H, "k2", {"k1", "k2", "r1"}),
    ],
)
def test_who_signs_and_who_verifies(
    rotations: list[Rotation], at: datetime, signs: str, verify: set[str]
) -> None:
    ring = rotated(RING, rotations, at)
    assert ring.signing[0] == signs
    assert {kid for kid, _secret in ring.keys} == verify


def test_neither_the_row_nor_the_settings_alone_make_the_secret() -> None:
    one = made(1, AT)
    secrets = {one.secret(b"a" * 32), one.secret(b"b" * 32), made(2, AT).secret(b"a" * 32)}
    assert len(secrets) == 3
    assert all(len(secret) == 32 for secret in secrets)


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    standing.forget()
    keyring._known.rotations = ()
    return await set_up()


async def test_a_running_viewing_goes_on_over_a_rotation(scene: Scene) -> None:
    async with device(scene.member) as browser:
        before = await start(browser, scene.paid)
        async with db.transaction() as session:
            # Made a quarter of a minute ago.
            row = await keyring.rotate(session, datetime.now(UTC) - keyring.NOTICE - S)
        await keyring.refresh()
        after = (await renew(browser, before)).json()
        assert after["playlist_url"].startswith(f"/media/{row.kid}.")
        assert not before["playlist_url"].startswith(f"/media/{row.kid}.")
        for url in (before["playlist_url"], after["playlist_url"]):
            assert (await browser.get(url)).status_code == 200
    keyring._known.rotations = ()


async def test_at_once_ends_what_the_old_key_signed(scene: Scene) -> None:
    async with device(scene.member) as browser:
        before = await start(browser, scene.paid)
        async with db.transaction() as session:
            await keyring.rotate(session, datetime.now(UTC) - keyring.NOTICE - S, at_once=True)
        await keyring.refresh()
        assert (await browser.get(before["playlist_url"])).status_code == 403
        # The grant ends too, and the player begins anew where it is.
        assert (await renew(browser, before)).status_code == 410
        begun = await start(browser, scene.paid)
        assert (await browser.get(begun["playlist_url"])).status_code == 200
    keyring._known.rotations = ()


async def test_nobody_heaps_keys(scene: Scene) -> None:
    async with db.transaction() as session:
        kids = [(await keyring.rotate(session, datetime.now(UTC))).kid for _n in range(keyring.AT_MOST)]
        assert kids == ["r1", "r2", "r3", "r4"]
        with pytest.raises(Conflict):
            await keyring.rotate(session, datetime.now(UTC))
        assert (await keyring.rotate(session, datetime.now(UTC), at_once=True)).kid == "r5"


@pytest.mark.long
def test_the_command_reaches_a_running_process_within_seconds(database_url: str, tmp_path: Path) -> None:
    import asyncio

    async def prepare() -> Scene:
        db.open_database(database_url, pool_size=1)
        scene = await set_up()
        await db.close_database()
        return scene

    scene = asyncio.run(prepare())
    with (
        serving(database_url, tmp_path / "data") as server,
        httpx.Client(
            base_url=server.url, trust_env=False, verify=False, headers={"Accept": "application/json"}
        ) as browser,
    ):

        def playlist() -> str:
            return str(browser.post(f"/lessons/{scene.free.id}/playback").json()["playlist_url"])

        old = playlist()
        ran = subprocess.run(
            [sys.executable, "-m", "app", "keys", "rotate"],
            cwd=ROOT,
            env=server.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        assert ran.stdout.startswith("Key r1 signs from ")
        deadline = time.monotonic() + 40
        while not (new := playlist()).startswith("/media/r1."):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        # The file is not there, which only those hear who may.
        assert [browser.get(url).status_code for url in (old, new)] == [404, 404]
        forged = new.replace("/media/r1.", "/media/m1.")
        assert browser.get(forged).status_code == 403


def test_a_token_of_a_rotated_key_is_as_long_as_any() -> None:
    ring = rotated(RING, [made(1, AT)], AT)
    token = tokens.sign(ring, uuid4(), uuid4(), 1, 1_800_000_000)
    assert len(token) == 80
