"""Who sends a response: an account, or a browser that carries a mark of ours (docs/adr/0021)."""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from app.accounts.permissions import Viewer
from app.keys import KeyRing


@dataclass(frozen=True)
class Sender:
    """`writer` is the mark of the guest's browser, None where it has none; an account's responses carry none."""

    viewer: Viewer | None
    writer: UUID | None
    ip: str

    @property
    def is_staff(self) -> bool:
        return self.viewer is not None and self.viewer.is_staff

    @property
    def is_confirmed(self) -> bool:
        """Signed in, with an address that is known to be theirs."""
        return self.viewer is not None and self.viewer.is_confirmed

    @property
    def user_id(self) -> UUID | None:
        return self.viewer.user_id if self.viewer else None

    def wrote(self, user_id: UUID | None, writer: UUID | None) -> bool:
        """Whether a response of this account, or of this browser, is the sender's own."""
        if user_id is not None:
            return user_id == self.user_id
        return writer is not None and writer == self.writer


def _mac(secret: bytes, writer: UUID) -> str:
    return hmac.new(secret, f"writer|{writer.hex}".encode(), hashlib.sha256).hexdigest()[:32]


def first_mark(ring: KeyRing, stamp: str, ip: str) -> UUID:
    """The mark of a browser that has none yet, made of the form that it sends: pressed twice, it is one browser.

    `stamp` is a true one, which nobody but who was given the form knows; a cached page's may be given to several.
    """
    digest = hmac.new(ring.signing[1], f"first|{stamp}|{ip}".encode(), hashlib.sha256).digest()
    return UUID(bytes=digest[:16], version=4)


def sign(ring: KeyRing, writer: UUID) -> str:
    """The cookie's value, `kid.writer.mac`: who has read the database cannot make one."""
    kid, secret = ring.signing
    return f"{kid}.{writer.hex}.{_mac(secret, writer)}"


def read(ring: KeyRing, value: str) -> UUID | None:
    """The mark in a cookie, or None where it is missing or forged."""
    kid, _dot, rest = value.partition(".")
    name, _dot, mac = rest.partition(".")
    secret = ring.find(kid)
    if secret is None or len(name) != 32:
        return None
    try:
        writer = UUID(hex=name)
    except ValueError:
        return None
    return writer if hmac.compare_digest(_mac(secret, writer).encode(), mac.encode()) else None
