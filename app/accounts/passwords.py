"""Argon2id, in a thread and few at a time; the only module that knows how passwords are kept."""

import unicodedata
from functools import lru_cache

import anyio.to_thread
from anyio import CapacityLimiter
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

_hasher = PasswordHash((Argon2Hasher(),))
# Each hash takes 64 MiB and a core for some 50 ms: without a bound, forty at once would take 2.5 GB.
_few = CapacityLimiter(4)


def _plain(password: str) -> str:
    # "é" may be typed as one code point or as two, depending on the keyboard (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password)


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _hasher.hash("nobody has this password")


def _matches(password: str, kept: str | None) -> bool:
    try:
        right = _hasher.verify(_plain(password), kept if kept is not None else _dummy())
    except UnknownHashError:
        # An account whose password was never set ("!"): as slow, and as wrong, as any other.
        _hasher.verify(_plain(password), _dummy())
        return False
    return right and kept is not None


async def hashed(password: str) -> str:
    """The Argon2id hash to keep."""
    return await anyio.to_thread.run_sync(lambda: _hasher.hash(_plain(password)), limiter=_few)


async def matches(password: str, kept: str | None) -> bool:
    """Whether `password` is the one kept. None (no such account) takes as long and is never right."""
    return await anyio.to_thread.run_sync(lambda: _matches(password, kept), limiter=_few)
