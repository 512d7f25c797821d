"""Mailed links: forged, foreign and old ones are all the same dead link; keys can be rotated."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.accounts.links import LIFETIME, Claims, Purpose, read, sign
from app.clock import utcnow
from app.errors import LinkExpired
from app.settings import get_settings

NOW = utcnow()
CLAIMS = Claims("kai@example.com", "new", {"name": "Kai", "next": "/courses/a/b"})
OLD, NEW = "l1:" + "old-links-secret-" * 3, "l2:" + "new-links-secret-" * 3


@pytest.fixture
def rings() -> Iterator[None]:
    before = os.environ["LIMBER_LINK_KEYS"]
    yield
    os.environ["LIMBER_LINK_KEYS"] = before
    get_settings.cache_clear()


def use_ring(text: str) -> None:
    os.environ["LIMBER_LINK_KEYS"] = text
    get_settings.cache_clear()


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_link_says_what_was_put_in_until_it_is_too_old(purpose: Purpose) -> None:
    token = sign(purpose, CLAIMS, NOW)
    assert read(token, purpose, NOW) == CLAIMS
    assert read(token, purpose, NOW + LIFETIME[purpose] - timedelta(seconds=2)) == CLAIMS
    with pytest.raises(LinkExpired):
        read(token, purpose, NOW + LIFETIME[purpose])


@pytest.mark.parametrize("made_for", list(Purpose))
@pytest.mark.parametrize("used_for", list(Purpose))
def test_a_link_serves_one_purpose(made_for: Purpose, used_for: Purpose) -> None:
    token = sign(made_for, CLAIMS, NOW)
    if made_for is used_for:
        assert read(token, used_for, NOW) == CLAIMS
    else:
        with pytest.raises(LinkExpired):
            read(token, used_for, NOW)


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def forged() -> Iterator[str]:
    head, body, signature = sign(Purpose.JOIN, CLAIMS, NOW).split(".")
    yield f"{head}.{body}."
    yield f"{head}.{body}.{'A' * len(signature)}"
    yield f"{head}.{body[:-4]}AAAA.{signature}"
    claims = {"aud": "join", "sub": "eve@example.com", "fp": "new", "x": {}, "exp": 2**33}
    for algorithm in ("none", "None", "HS512", "RS256"):
        yield f"{encoded({'alg': algorithm, 'kid': 'l1'})}.{encoded(claims)}.{signature}"
        yield f"{encoded({'alg': algorithm, 'kid': 'l1'})}.{encoded(claims)}."
    yield f"{encoded({'alg': 'HS256', 'kid': 'other'})}.{encoded(claims)}.{signature}"
    yield f"{encoded(['alg'])}.{encoded(claims)}.{signature}"
    yield f"{encoded({'alg': 'HS256', 'kid': {'a': 1}})}.{encoded([1])}.{signature}"
    yield from ("", ".", "..", "a.b.c", "\x00", "é.é.é", "x" * 100_000)


@pytest.mark.parametrize("token", list(forged()), ids=lambda token: ascii(token[:8]))
def test_a_forged_link_is_dead(token: str) -> None:
    with pytest.raises(LinkExpired):
        read(token, Purpose.JOIN, NOW)


def test_keys_are_rotated_without_killing_links_on_their_way(rings: None) -> None:
    use_ring(OLD)
    token = sign(Purpose.JOIN, CLAIMS, NOW)
    use_ring(f"{NEW},{OLD}")
    assert read(token, Purpose.JOIN, NOW) == CLAIMS
    fresh = sign(Purpose.JOIN, CLAIMS, NOW)
    use_ring(NEW)
    assert read(fresh, Purpose.JOIN, NOW) == CLAIMS
    with pytest.raises(LinkExpired):
        read(token, Purpose.JOIN, NOW)
