"""Key rings: several secrets by id, the first signs, all verify, so that keys can be rotated without a pause."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MIN_SECRET_BYTES = 32


class WeakKey(ValueError):
    """A ring that is empty, malformed, or holds a secret shorter than 32 bytes."""


@dataclass(frozen=True)
class KeyRing:
    """Ordered `(kid, secret)` pairs. The first signs; any may verify."""

    keys: tuple[tuple[str, bytes], ...]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `kid:secret,kid:secret`, newest first.

        Raises:
            WeakKey: when empty, a kid repeats or is not `[a-z0-9]{1,8}`, or a secret is under 32 bytes.
        """
        if not text.strip():
            raise WeakKey("it is not set; it wants kid:secret with at least 32 random bytes")
        pairs: list[tuple[str, bytes]] = []
        for part in (piece.strip() for piece in text.split(",")):
            kid, _colon, secret = part.partition(":")
            if not kid or not kid.isascii() or not kid.isalnum() or kid != kid.lower() or len(kid) > 8:
                raise WeakKey("a key is written as kid:secret, with a kid of up to 8 small letters or digits")
            if len(secret.encode()) < MIN_SECRET_BYTES:
                raise WeakKey(f"the secret of key {kid} is shorter than {MIN_SECRET_BYTES} bytes")
            pairs.append((kid, secret.encode()))
        if len({kid for kid, _secret in pairs}) != len(pairs):
            raise WeakKey("two keys have the same kid")
        return cls(tuple(pairs))

    @property
    def signing(self) -> tuple[str, bytes]:
        return self.keys[0]

    def find(self, kid: str) -> bytes | None:
        """The secret of `kid`, or None for a key that is not (or no longer) in the ring."""
        return next((secret for known, secret in self.keys if known == kid), None)


@dataclass(frozen=True)
class Rotation:
    """What is written down of a key that was made by rotating: never its secret.

    The secret comes of the ring's key `root` and this salt, so that neither a copy of the database nor one of the
    settings is enough to sign. It signs from `signs_at`; from `alone_from` on no older key verifies.
    """

    kid: str
    root: str
    salt: bytes
    signs_at: datetime
    alone_from: datetime

    def secret(self, root_secret: bytes) -> bytes:
        """32 bytes."""
        return hmac.digest(
            root_secret, b"limber-rotation-1/" + self.kid.encode() + b"/" + self.salt, "sha256"
        )


def rotated(ring: KeyRing, rotations: Sequence[Rotation], now: datetime) -> KeyRing:
    """`ring` (from the settings) as it is after these rotations. Those whose root it does not hold count for nothing.

    Whoever puts another key in front of the settings' ring signs with that one again.
    """
    newest_first = sorted(rotations, key=lambda one: one.signs_at, reverse=True)
    keys: list[tuple[str, bytes]] = []
    front: tuple[str, bytes] | None = None
    for one in newest_first:
        root_secret = ring.find(one.root)
        if root_secret is None:
            continue
        key = (one.kid, one.secret(root_secret))
        keys.append(key)
        is_of_first = one.root == ring.signing[0]
        if front is None and is_of_first and one.signs_at <= now:
            front = key
        if is_of_first and one.alone_from <= now:
            break
    else:
        keys += ring.keys
        front = front or ring.signing
    assert front is not None
    return KeyRing((front, *(key for key in keys if key != front)))


def new_key(kid: str = "k1") -> str:
    """A fresh `kid:secret` entry with 256 bits of randomness."""
    return f"{kid}:{secrets.token_urlsafe(32)}"
