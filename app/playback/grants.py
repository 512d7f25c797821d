"""The renewal grant: what a player was given with its viewing, and shows to go on with it; signed by python-jose.

A token in an address can be seen by whoever sees the address. This stands in no address: it goes from the answer to the
player's memory and back in a request's body. It is nothing by itself: the sign-in is asked for all the same.
"""

import hmac
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from jose import JWTError, jwt

from app.errors import Gone
from app.i18n import _
from app.keys import KeyRing

ALGORITHM = "HS256"
AUDIENCE = "limber-renewal"
# As long as an old key verifies. A page that slept for longer begins a viewing of its own, at the same place.
LIFETIME = timedelta(hours=6)
# What we sign has about 400 letters; more is not worth decoding.
LONGEST = 1000


class GrantRefused(Gone):
    """The grant is missing, forged, too old, or another viewing's; a player begins anew."""

    code = "limber:grant"

    def default_sentence(self) -> str:
        return _("This page was open for very long. Load it again to go on.")


def _secret(secret: bytes) -> str:
    """Of its own, although the ring is that of the media tokens: neither signature ever passes for the other."""
    return hmac.digest(secret, b"limber-renewal-1", "sha256").hex()


def _facts(playback_id: UUID, session_id: UUID | None, video_id: UUID, version: int) -> dict[str, str]:
    return {
        "aud": AUDIENCE,
        "sub": str(playback_id),
        "sid": str(session_id or ""),
        "vid": f"{video_id}/{version}",
    }


def sign(
    ring: KeyRing, playback_id: UUID, session_id: UUID | None, video_id: UUID, version: int, now: datetime
) -> str:
    """A grant to renew this viewing of this film from this sign-in (None: without one), for 6 hours."""
    kid, secret = ring.signing
    facts = _facts(playback_id, session_id, video_id, version)
    claims = {**facts, "exp": int((now + LIFETIME).timestamp())}
    return str(jwt.encode(claims, _secret(secret), algorithm=ALGORITHM, headers={"kid": kid}))


def check(
    ring: KeyRing,
    grant: str,
    playback_id: UUID,
    session_id: UUID | None,
    video_id: UUID,
    version: int,
    now: datetime,
) -> None:
    """Is it the one that was given for exactly this viewing, sign-in and film, and not too old?

    Raises:
        GrantRefused: when it is not.
    """
    claims = _claims(ring, grant)
    expires = claims.pop("exp", None)
    if claims != _facts(playback_id, session_id, video_id, version):
        raise GrantRefused
    if type(expires) is not int or now.timestamp() >= expires:
        raise GrantRefused


def _claims(ring: KeyRing, grant: str) -> dict[str, Any]:
    """Raises:
    GrantRefused: when it was not signed by us, in this way and for this purpose.
    """
    if len(grant) > LONGEST or not grant.isascii():
        raise GrantRefused
    try:
        header = jwt.get_unverified_header(grant)
        secret = ring.find(str(header.get("kid")))
        if secret is None or header.keys() != {"alg", "typ", "kid"}:
            raise GrantRefused
        # `algorithms` is optional in python-jose, and leaving it out is a hole. The age is compared with `now` above.
        claims: dict[str, Any] = jwt.decode(
            grant,
            _secret(secret),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"verify_exp": False},
        )
    except (JWTError, ValueError):
        raise GrantRefused from None
    return claims
