"""The keys of media tokens: the settings' ring and what `limber keys rotate` made of it, the same in every process.

Rotations are rows. Each process reads them every few seconds (keeping.py), and at once when a token names a key that is
unknown to it.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.errors import Conflict
from app.i18n import _
from app.keys import KeyRing, Rotation, rotated
from app.playback.models import MediaKey
from app.question import rows
from app.settings import get_settings

# After making and before signing: by then every process knows the key.
NOTICE = timedelta(seconds=15)
# A browser that plays HLS by itself has a token for so long (starting.NATIVE_LONGEST).
LONGEST_TOKEN = timedelta(hours=6)
AT_MOST = 4
ROTATIONS = (
    select(MediaKey.kid, MediaKey.root, MediaKey.salt, MediaKey.signs_at, MediaKey.alone_from)
    .order_by(MediaKey.signs_at.desc())
    .limit(20)
)


@dataclass
class _Known:
    """This process's copy. `asked_at`: when it was last read, by the monotonic clock."""

    rotations: tuple[Rotation, ...] = ()
    asked_at: float = float("-inf")


_known = _Known()


_last: tuple[int, str, tuple[Rotation, ...], KeyRing] | None = None


def media_ring(now: datetime | None = None) -> KeyRing:
    """The ring that signs and verifies media tokens at `now`; made anew each second, as keys begin and end."""
    global _last
    second = int(now.timestamp() if now else time.time())
    settings_ring = get_settings().media_keys
    if _last is None or _last[0] != second or _last[1] != settings_ring or _last[2] is not _known.rotations:
        ring = rotated(KeyRing.parse(settings_ring), _known.rotations, datetime.fromtimestamp(second, UTC))
        _last = (second, settings_ring, _known.rotations, ring)
    return _last[3]


async def refresh() -> None:
    """Read the rotations. What is known stays known while the database is away."""
    _known.asked_at = time.monotonic()
    async with db.statements() as connection:
        _known.rotations = tuple(Rotation(*row) for row in await rows(connection, ROTATIONS))


async def knows(kid: str) -> bool:
    """Whether `kid` may verify. One that is not known is looked for in the database, at most once a second."""
    if media_ring().find(kid) is None and time.monotonic() - _known.asked_at > 1:
        await refresh()
    return media_ring().find(kid) is not None


async def rotate(session: AsyncSession, now: datetime, *, at_once: bool = False) -> MediaKey:
    """Make a new key. It signs after 15 s; the old ones verify until their longest token has ended.

    `at_once`: the old ones end when it begins. Players then ask for a new token, with a hiccup; native ones stop.

    Raises:
        Conflict: four keys are valid already.
    """
    # Two operators at once make two keys, of two names.
    await session.execute(text("LOCK TABLE media_key IN EXCLUSIVE MODE"))
    valid = await session.scalar(
        select(func.count()).select_from(MediaKey).where(MediaKey.signs_at > now - LONGEST_TOKEN)
    )
    if (valid or 0) >= AT_MOST and not at_once:
        raise Conflict(_("Four keys were made within six hours. Wait, or end the old ones with --at-once."))
    ring = KeyRing.parse(get_settings().media_keys)
    number = (await session.scalar(select(func.count()).select_from(MediaKey)) or 0) + 1
    while ring.find(f"r{number}"):
        number += 1
    signs_at = (now + NOTICE).replace(microsecond=0)
    row = MediaKey(
        kid=f"r{number}",
        root=ring.signing[0],
        salt=secrets.token_bytes(32),
        signs_at=signs_at,
        alone_from=signs_at if at_once else signs_at + LONGEST_TOKEN,
    )
    session.add(row)
    await session.flush()
    return row
