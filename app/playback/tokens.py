"""The media token: one compact HMAC for one playback of one version of one video, in exactly one spelling; pure.

`kid.exp.sid.sig`: the key's id, the second at which it ends, the playback's id (base64url of its 16 bytes) and
HMAC-SHA256 (base64url of 32 bytes) over all three and over the video and version that stand behind it in the path.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from app.keys import KeyRing

LONGEST = 128
# Says what is signed, so that the same secret could never vouch for bytes of another kind.
PURPOSE = "limber-media-1"


class Verified(NamedTuple):
    """A token that is ours and has not ended. `sid` is the playback's id as it is spelled in the token."""

    sid: str
    expires: int

    @property
    def playback_id(self) -> UUID:
        return UUID(bytes=urlsafe_b64decode(self.sid + "=="))


def spelled(playback_id: UUID) -> str:
    """The id as it stands in a token."""
    return urlsafe_b64encode(playback_id.bytes)[:-2].decode()


def media_key(secret: bytes) -> bytes:
    """What signs media tokens, and nothing else: all that nginx is told, where it verifies them itself (32 bytes)."""
    return hmac.digest(secret, PURPOSE.encode(), "sha256")


@lru_cache(maxsize=16)
def _keyed(secret: bytes) -> hmac.HMAC:
    """The key already worked in: copying this costs half of what starting anew does."""
    return hmac.new(media_key(secret), digestmod="sha256")


def _signature(secret: bytes, signed: str, video: str, version: str) -> str:
    mac = _keyed(secret).copy()
    mac.update(f"{signed}/{video}/{version}".encode())
    return urlsafe_b64encode(mac.digest())[:-1].decode()


def sign(ring: KeyRing, playback_id: UUID, video_id: UUID, version: int, expires: int) -> str:
    """A token for `/media/<token>/<video>/<version>/…` that ends at `expires` (Unix seconds)."""
    kid, secret = ring.signing
    signed = f"{kid}.{expires}.{spelled(playback_id)}"
    return f"{signed}.{_signature(secret, signed, str(video_id), str(version))}"


def verify(ring: KeyRing, token: str, video: str, version: str, now: float) -> Verified | None:
    """The playback behind the token, or None: not ours, ended, altered, or for another video or version.

    `video` and `version` are taken as they stand in the path. What is compared is text, never decoded bytes, so a
    second spelling of the same bytes (another last character, a leading zero, other case) is not the same token.
    """
    if len(token) > LONGEST or not token.isascii() or not video.isascii() or not version.isascii():
        return None
    found = _vouched(ring, token, video, version)
    return found if found is not None and now < found.expires else None


@lru_cache(maxsize=4096)
def _vouched(ring: KeyRing, token: str, video: str, version: str) -> Verified | None:
    """What a key of the ring vouches for, whether ended or not. A player sends the same token for each segment."""
    signed, _dot, signature = token.rpartition(".")
    kid, _dot, rest = signed.partition(".")
    secret = ring.find(kid)
    if secret is None or not hmac.compare_digest(_signature(secret, signed, video, version), signature):
        return None
    # Only now is the rest known to be what `sign` wrote.
    expires, _dot, sid = rest.partition(".")
    return Verified(sid, int(expires))
