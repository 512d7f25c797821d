"""The renewal grant: only the player that began a viewing goes on with it, whatever else somebody has of it."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from jose import jwt

from app import db
from app.clock import utcnow
from app.keys import KeyRing
from app.playback import grants
from app.playback.grants import GrantRefused
from app.playback.standing import standing
from app.playback.starting import media_ring
from tests import factories
from tests.playback.scene import Scene, assert_problem, device, renew, row_of, set_up, start

TOO_OLD = "This page was open for very long. Load it again to go on."
RING = KeyRing.parse(f"new:{'n' * 32},old:{'o' * 32}")
OTHER_RING = KeyRing.parse(f"new:{'x' * 32},old:{'y' * 32}")
VIEWING, SIGN_IN_ID, VIDEO = uuid4(), uuid4(), uuid4()
NOW = utcnow()


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _claims(**changed: Any) -> dict[str, Any]:
    good = {
        "aud": "limber-renewal",
        "sub": str(VIEWING),
        "sid": str(SIGN_IN_ID),
        "vid": f"{VIDEO}/3",
        "exp": int((NOW + timedelta(hours=1)).timestamp()),
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def _key(kid: str = "new", ring: KeyRing = RING) -> bytes:
    secret = ring.find(kid)
    assert secret is not None
    return hmac.digest(secret, b"limber-renewal-1", "sha256").hex().encode()


def _made(
    claims: object,
    header: object = None,
    key: bytes | None = None,
    digest: Callable[..., Any] = hashlib.sha256,
) -> str:
    """By hand, as somebody would who has a library that lets everything pass."""
    header = {"alg": "HS256", "typ": "JWT", "kid": "new"} if header is None else header
    signed = f"{_b64(header)}.{_b64(claims)}"
    mac = hmac.new(key or _key(), signed.encode(), digest).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _check(
    grant: str, ring: KeyRing = RING, *, session_id: UUID | None = SIGN_IN_ID, version: int = 3
) -> None:
    grants.check(ring, grant, VIEWING, session_id, VIDEO, version, NOW)


def test_what_was_signed_is_good_for_six_hours_and_under_both_keys() -> None:
    for front in (RING, KeyRing(RING.keys[::-1])):
        grant = grants.sign(front, VIEWING, SIGN_IN_ID, VIDEO, 3, NOW)
        _check(grant)
        last = NOW + timedelta(hours=6)
        grants.check(RING, grant, VIEWING, SIGN_IN_ID, VIDEO, 3, last - timedelta(seconds=2))
        with pytest.raises(GrantRefused):
            grants.check(RING, grant, VIEWING, SIGN_IN_ID, VIDEO, 3, last)
    _check(_made(_claims()))


FORGED = {
    "no algorithm": _made(_claims(), {"alg": "none", "typ": "JWT", "kid": "new"}),
    "no algorithm and no signature": f"{_b64({'alg': 'none', 'typ': 'JWT', 'kid': 'new'})}.{_b64(_claims())}.",
    "no algorithm in capitals": f"{_b64({'alg': 'None', 'typ': 'JWT', 'kid': 'new'})}.{_b64(_claims())}.",
    "another length of the same family": _made(
        _claims(), {"alg": "HS512", "typ": "JWT", "kid": "new"}, digest=hashlib.sha512
    ),
    "said to be RSA": _made(_claims(), {"alg": "RS256", "typ": "JWT", "kid": "new"}),
    "said to be an elliptic curve": _made(_claims(), {"alg": "ES256", "typ": "JWT", "kid": "new"}),
    "an algorithm that is a list": _made(_claims(), {"alg": ["HS256"], "typ": "JWT", "kid": "new"}),
    "another key's name": _made(_claims(), {"alg": "HS256", "typ": "JWT", "kid": "old"}),
    "a key that is not there": _made(_claims(), {"alg": "HS256", "typ": "JWT", "kid": "r9"}),
    "a key's name that is a path": _made(_claims(), {"alg": "HS256", "typ": "JWT", "kid": "../new"}),
    "no key's name": _made(_claims(), {"alg": "HS256", "typ": "JWT"}),
    "a key brought along": _made(
        _claims(), {"alg": "HS256", "typ": "JWT", "kid": "new", "jwk": {"kty": "oct", "k": "eA"}}
    ),
    "critical words": _made(_claims(), {"alg": "HS256", "typ": "JWT", "kid": "new", "crit": ["x"], "x": 1}),
    "the media secret itself": _made(_claims(), key=b"n" * 32),
    "another installation's key": _made(_claims(), key=_key("new", OTHER_RING)),
    "expired": _made(_claims(exp=int(NOW.timestamp()))),
    "no end": _made(_claims(exp=None)),
    "an end in words": _made(_claims(exp="9999999999")),
    "an end that is a fraction": _made(_claims(exp=9999999999.5)),
    "endless": _made(_claims(exp=True)),
    "another audience": _made(_claims(aud="join")),
    "many audiences": _made(_claims(aud=["limber-renewal", "join"])),
    "no audience": _made(_claims(aud=None)),
    "another film": _made(_claims(vid=f"{uuid4()}/3")),
    "another version": _made(_claims(vid=f"{VIDEO}/2")),
    "another viewing": _made(_claims(sub=str(uuid4()))),
    "another sign-in": _made(_claims(sid=str(uuid4()))),
    "no sign-in": _made(_claims(sid="")),
    "more than is signed": _made(_claims(admin=True)),
    "a subject that is a number": _made(_claims(sub=7)),
    "claims that are a list": _made([1]),
    "claims that are nothing": _made(None),
    "a header that is a list": _made(_claims(), [1]),
    "a header that is a word": _made(_claims(), "x"),
    "nothing": "",
    "dots": "..",
    "four parts": _made(_claims()) + ".x",
    "letters beyond ASCII": "é" * 30,
    "NUL": "\0.\0.\0",
    "very long": "a" * 2000,
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_every_trick_is_refused(forged: str) -> None:
    with pytest.raises(GrantRefused):
        _check(forged)


def test_a_viewing_without_sign_in_is_not_one_with() -> None:
    anonymous = grants.sign(RING, VIEWING, None, VIDEO, 3, NOW)
    _check(anonymous, session_id=None)
    with pytest.raises(GrantRefused):
        _check(anonymous)


def test_no_letter_can_be_changed() -> None:
    grant = grants.sign(RING, VIEWING, SIGN_IN_ID, VIDEO, 3, NOW)
    dice = random.Random(4)
    letters = "ABCXYZabcxyz0189-_.=~ \n"
    # The last letter holds unused bits: to be looked at is what it means, which is the same facts.
    for _again in range(3000):
        at = dice.randrange(len(grant) - 1)
        changed = grant[:at] + dice.choice(letters) + grant[at + 1 :]
        if changed == grant:
            continue
        with pytest.raises(GrantRefused):
            _check(changed)


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    standing.forget()
    return await set_up()


async def test_whoever_has_the_address_and_the_sign_in_but_not_the_grant_renews_nothing(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        other = await start(browser, scene.free)
        assert_problem(await browser.post(begun["renew_url"]), 410, TOO_OLD)
        for forged in (other["grant"], *FORGED.values()):
            answer = await browser.post(begun["renew_url"], json={"grant": forged})
            # Too long or no text at all is refused before anybody looks at it.
            assert answer.status_code in (410, 422)
            if answer.status_code == 410:
                assert assert_problem(answer, 410, TOO_OLD)["type"] == "urn:limber:problem:limber:grant"
        for not_words in (None, 7, ["x"], {"x": 1}):
            assert (await browser.post(begun["renew_url"], json={"grant": not_words})).status_code == 422
        assert (await renew(browser, begun)).status_code == 200


async def test_a_grant_without_the_sign_in_is_nothing(scene: Scene) -> None:
    async with device(scene.member) as browser, device() as stranger:
        begun = await start(browser, scene.paid)
        assert (await renew(stranger, begun)).status_code == 401


async def test_each_renewal_gives_the_next_grant_and_another_sign_in_ends_the_old_ones(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        second = (await renew(browser, begun)).json()
        await factories.sign_in(browser, scene.member)
        moved = await browser.post(begun["renew_url"], json={"grant": second["grant"]})
        assert moved.status_code == 200
        # The viewing hangs on the new sign-in now, and so does its grant.
        assert_problem(await renew(browser, begun), 410, TOO_OLD)
        again = await browser.post(begun["renew_url"], json={"grant": moved.json()["grant"]})
        assert again.status_code == 200


async def test_what_is_given_out_is_a_small_token_of_these_claims(scene: Scene) -> None:
    async with device(scene.member) as browser:
        begun = await start(browser, scene.paid)
        row = await row_of(begun["playlist_url"])
        assert jwt.get_unverified_header(begun["grant"]) == {
            "alg": "HS256",
            "typ": "JWT",
            "kid": media_ring().signing[0],
        }
        claims = jwt.get_unverified_claims(begun["grant"])
        assert claims.pop("exp") == int((row.created_at + grants.LIFETIME).timestamp())
        assert claims == {
            "aud": "limber-renewal",
            "sub": str(row.id),
            "sid": str(row.session_id),
            "vid": f"{row.video_id}/1",
        }
        assert len(begun["grant"]) < 450
