"""Addresses at a CDN: as the vendors' own programs make them, and each for one version of one film."""

import asyncio
import base64
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3  # type: ignore[import-untyped]  # it has no stubs
import httpx
import pytest
from botocore.signers import CloudFrontSigner  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import delete

from app import db, storage
from app.catalog.models import Lesson
from app.playback import cdn
from app.playback.standing import standing
from app.settings import Settings, get_settings
from app.video.models import Video
from app.web.shield import content_security_policy
from bench.front_door import front_door
from tests.machine import open_folder
from tests.playback.scene import SEGMENT, device, segment_of, set_up, start
from tests.s3 import credentials, object_store
from tests.test_settings import GOOD
from tests.web.server import serving

pytestmark = pytest.mark.xdist_group("cdn")
FOLDER = "/videos/1b4e28ba-2fa1-4d2e-883f-0016d3cca427/3/"
FILE = "1080p/seg_00001.m4s"
AT = 1_598_024_587
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def test_bunnys_own_vectors() -> None:
    """Source: BunnyWay/BunnyCDN.TokenAuthentication, e2e/vectors.json (`plain` and `path_only`)"""
    key = "SecurityKey"
    assert cdn.bunny_token(key, AT, path="/300kb.jpg") == "HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4"
    assert cdn.bunny_token(key, AT, token_path="/abc") == "HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ"


def test_a_bunny_address_carries_its_token_to_what_lies_beside() -> None:
    url = cdn.bunny("https://films.b-cdn.net", "SecurityKey", FOLDER, FILE, AT)
    token = cdn.bunny_token("SecurityKey", AT, token_path=FOLDER)
    quoted = FOLDER.replace("/", "%2F")
    assert url == (
        f"https://films.b-cdn.net/bcdn_token={token}&expires={AT}&token_path={quoted}{FOLDER}{FILE}"
    )
    beside = str(httpx.URL(url).join("seg_00002.m4s"))
    assert beside == url.replace("seg_00001", "seg_00002")


def test_cloudfront_as_amazons_own_program_signs() -> None:
    resource = f"https://films.example.com{FOLDER}*"
    signer = CloudFrontSigner(
        "K2JCJMDEHXQW5F", lambda said: PRIVATE.sign(said, padding.PKCS1v15(), hashes.SHA1())
    )
    theirs = signer.build_policy(resource, datetime.fromtimestamp(AT, UTC))
    assert cdn.policy(resource, AT) == theirs
    url = cdn.cloudfront("https://films.example.com", "K2JCJMDEHXQW5F", PEM, FOLDER, FILE, AT)
    assert url == signer.generate_presigned_url(f"https://films.example.com{FOLDER}{FILE}", policy=theirs)
    asked = parse_qs(urlsplit(url).query)

    def decoded(name: str) -> bytes:
        return base64.b64decode(asked[name][0].translate(str.maketrans("-_~", "+=/")))

    PRIVATE.public_key().verify(decoded("Signature"), decoded("Policy"), padding.PKCS1v15(), hashes.SHA1())
    statement = json.loads(decoded("Policy"))["Statement"][0]
    assert statement["Resource"] == resource


@pytest.mark.parametrize("second", [0, 1, 59, 60, 61])
def test_an_address_lives_for_four_to_five_minutes(second: int) -> None:
    now = 1_600_000_020 + second
    assert 240 < cdn.ends_at(now) - now <= 300


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"cdn": "bunny", "cdn_url": "https://a.b-cdn.net", "cdn_key": "k"}, "LIMBER_STORAGE_URL"),
        (
            {"cdn": "bunny", "storage_url": "s3://b", "cdn_url": "a.b-cdn.net", "cdn_key": "k"},
            "LIMBER_CDN_URL",
        ),
        ({"cdn": "bunny", "storage_url": "s3://b", "cdn_url": "https://a.b-cdn.net"}, "LIMBER_CDN_KEY"),
        (
            {"cdn": "cloudfront", "storage_url": "s3://b", "cdn_url": "https://a", "cdn_key": PEM},
            "LIMBER_CDN_KEY_ID",
        ),
    ],
)
def test_a_cdn_that_could_not_work_is_refused_at_the_start(asked: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Settings(**(GOOD | asked))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with object_store() as address:
        yield address


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[str]:
    """Media lies in S3; answers S3's address."""
    for name, value in {
        **credentials(endpoint),
        "LIMBER_STORAGE_URL": "s3://films/studio",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="films")
    fresh()
    yield endpoint
    monkeypatch.undo()
    os.environ["DATABASE_URL"] = database_url
    fresh()


def fresh() -> None:
    get_settings.cache_clear()
    storage.store.cache_clear()


@pytest.mark.parametrize("kind", ["s3", "bunny", "cloudfront"])
async def test_the_door_sends_who_may_to_the_cdn_and_nobody_else(
    bucket: str, database: db.Database, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("LIMBER_CDN", kind)
    monkeypatch.setenv("LIMBER_CDN_URL", bucket if kind == "s3" else "https://films.example.com")
    monkeypatch.setenv("LIMBER_CDN_KEY", PEM.replace("\n", "\\n") if kind == "cloudfront" else "key")
    monkeypatch.setenv("LIMBER_CDN_KEY_ID", "K1")
    fresh()
    standing.forget()
    scene = await set_up()
    prefix = f"videos/{scene.paid.video_id}/1"
    await storage.put(f"{prefix}/360p/seg_00001.m4s", SEGMENT)
    await storage.put(f"{prefix}/master.m3u8", b"#EXTM3U\n")
    async with device(scene.member) as browser:
        url = (await start(browser, scene.paid))["playlist_url"]
        # Playlists are small and come from here.
        assert (await browser.get(url)).content == b"#EXTM3U\n"
        sent = await browser.get(segment_of(url))
        assert (sent.status_code, sent.headers["cache-control"]) == (302, "no-store")
        target = sent.headers["location"]
        assert str(scene.paid.video_id) in target
        if kind == "s3":
            async with httpx.AsyncClient(trust_env=False, verify=False) as anybody:
                assert (await anybody.get(target)).content == SEGMENT
        else:
            assert target.startswith("https://films.example.com/")
        stolen = segment_of(url).replace(str(scene.paid.video_id), str(scene.free.video_id))
        refused = await browser.get(stolen)
        assert (refused.status_code, "location" in refused.headers) == (403, False)
    assert f"connect-src 'self' {get_settings().cdn_origin};" in content_security_policy("n")


@pytest.mark.long
def test_nginx_keeps_what_came_from_s3_for_all_who_may(
    bucket: str, database_url: str, tmp_path: Path
) -> None:
    async def prepare() -> tuple[str, list[str]]:
        db.open_database(database_url, pool_size=1)
        scene = await set_up()
        prefix = f"videos/{scene.free.video_id}/1"
        await storage.put(f"{prefix}/360p/seg_00001.m4s", SEGMENT)
        await storage.put(f"{prefix}/master.m3u8", b"#EXTM3U\n# one\n")
        await db.close_database()
        return prefix, [f"/lessons/{scene.free.id}/playback"] * 2

    prefix, plays = asyncio.run(prepare())
    with (
        open_folder("s3") as folder,
        serving(database_url, folder / "data") as server,
        front_door(folder, server.port, folder / "nothing") as nginx,
        httpx.Client(base_url=f"http://127.0.0.1:{nginx.port}", trust_env=False, verify=False) as browser,
    ):
        one, two = (browser.post(play).json()["playlist_url"] for play in plays)
        assert browser.get(segment_of(one)).content == SEGMENT
        s3 = boto3.client("s3", endpoint_url=bucket)
        s3.delete_object(Bucket="films", Key=f"studio/{prefix}/360p/seg_00001.m4s")
        # It is gone from S3, so this is nginx's own copy, for another token, whole and in pieces.
        kept = browser.get(segment_of(two))
        assert (kept.content, kept.headers["cache-control"][:17]) == (SEGMENT, "private, max-age=")
        piece = browser.get(segment_of(two), headers={"Range": "bytes=256-511"})
        assert (piece.status_code, piece.content) == (206, SEGMENT[256:512])
        assert browser.get(segment_of(two).replace("/media/", "/media/x")).status_code == 403
        # Playlists are not kept: they are written again while a film grows.
        assert browser.get(one).content == b"#EXTM3U\n# one\n"
        s3.put_object(Bucket="films", Key=f"studio/{prefix}/master.m3u8", Body=b"#EXTM3U\n# two\n")
        again = browser.get(one)
        assert (again.content, again.headers["cache-control"]) == (b"#EXTM3U\n# two\n", "private, no-cache")
        asyncio.run(delete_videos(database_url))
        # nginx counts whole seconds: 10 of them can be nearly 11.
        time.sleep(11.5)
        assert browser.get(segment_of(two)).status_code == 403


async def delete_videos(database_url: str) -> None:
    db.open_database(database_url, pool_size=1)
    async with db.transaction() as session:
        await session.execute(delete(Lesson))
        await session.execute(delete(Video))
    await db.close_database()
