"""When a form was opened, signed into the form itself, so that programs that answer at once can be told from people."""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from app.keys import KeyRing


def _mac(secret: bytes, purpose: str, seconds: str, nonce: str) -> str:
    return hmac.new(secret, f"form|{purpose}|{seconds}|{nonce}".encode(), hashlib.sha256).hexdigest()[:32]


def sign(ring: KeyRing, purpose: str, opened_at: datetime) -> str:
    """A stamp `kid.unix.nonce.mac` for one purpose ("respond:<article>", "contact"); no two are the same."""
    kid, secret = ring.signing
    seconds, nonce = str(int(opened_at.timestamp())), secrets.token_hex(8)
    return f"{kid}.{seconds}.{nonce}.{_mac(secret, purpose, seconds, nonce)}"


def read(ring: KeyRing, purpose: str, stamp: str) -> datetime | None:
    """When the form was opened, or None for a stamp that is missing, forged or made for something else."""
    kid, _dot, rest = stamp.partition(".")
    seconds, _dot, rest = rest.partition(".")
    nonce, _dot, mac = rest.partition(".")
    secret = ring.find(kid)
    if secret is None or not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return None
    if not hmac.compare_digest(_mac(secret, purpose, seconds, nonce).encode(), mac.encode()):
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
