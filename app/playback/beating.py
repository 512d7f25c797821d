"""The player's sign of life: it keeps the viewing's place, tells where the film is, and hears when it was stopped."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.permissions import Viewer
from app.playback import places
from app.playback.models import Playback
from app.playback.places import StreamsFull
from app.playback.starting import how_it_ended


class State(StrEnum):
    """What the player is told. `unknown`: no viewing of this member; `full`: others have all the places."""

    PLAYING = "playing"
    LEFT = "left"
    STOPPED = "stopped"
    FULL = "full"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Heard:
    """The answer to a sign of life; `sentence` is for the person where the film must not go on."""

    state: State
    sentence: str = ""
    members: dict[str, Any] = field(default_factory=dict)


async def beat(
    db: AsyncSession, viewer: Viewer, playback_id: UUID, position_s: float, most: int, now: datetime
) -> Heard:
    """It plays, and is at so many seconds. One that gave its place up meanwhile gets one again if there is any."""
    kept = await db.execute(
        update(Playback)
        .where(Playback.id == playback_id, Playback.user_id == viewer.user_id, Playback.place.is_not(None))
        .values(seen_at=now, position_s=position_s)
        .execution_options(synchronize_session=False)
    )
    if kept.rowcount == 1:  # type: ignore[attr-defined]
        return Heard(State.PLAYING)
    playback = await db.get(Playback, playback_id)
    if playback is None or playback.user_id != viewer.user_id:
        return Heard(State.UNKNOWN)
    if playback.revoked_at is not None:
        return Heard(State.STOPPED, how_it_ended(playback.ended_by))
    if not viewer.is_staff:
        try:
            await places.go_on(db, playback, most, now)
        except StreamsFull as full:
            return Heard(State.FULL, full.sentence, full.members)
    playback.seen_at, playback.position_s = now, position_s
    return Heard(State.PLAYING)


async def is_theirs(db: AsyncSession, viewer: Viewer, playback_id: UUID) -> bool:
    """Whether this viewing is the viewer's: what was kept on a shared computer may be somebody else's place."""
    playback = await db.get(Playback, playback_id)
    return playback is not None and playback.user_id == viewer.user_id
