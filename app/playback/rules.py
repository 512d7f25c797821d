"""What a saved place in a film means, and who gets a place among a member's streams at the same time: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

FINISHED_SHARE = 0.9
# A player says every 5 s that it plays. A phone in a lift is silent for a minute.
SILENT = timedelta(seconds=75)
# No film is that old on its way here; what says so has a broken clock.
OLDEST = timedelta(days=7)


@dataclass(frozen=True)
class Mark:
    """Where to go on (seconds), and whether the lesson counts as watched."""

    position_s: float
    is_finished: bool


def mark(position_s: float, duration_s: float) -> Mark:
    """At nine tenths a lesson is watched, and the next viewing begins at the beginning."""
    position_s = min(max(position_s, 0.0), max(duration_s, 0.0))
    if duration_s > 0 and position_s >= FINISHED_SHARE * duration_s:
        return Mark(0.0, True)
    return Mark(position_s, False)


def watched_at(now: datetime, age_s: float) -> datetime:
    """When a place was measured: so many seconds before it arrived. Devices' clocks are never compared with ours."""
    return now - min(timedelta(seconds=max(age_s, 0.0)), OLDEST)


@dataclass(frozen=True)
class Asking:
    """Who wants a place: a sign-in, its tab (empty: not told) and the lesson that it shows."""

    session_id: UUID
    tab: str
    lesson_id: UUID


@dataclass(frozen=True)
class Held:
    """A place that is taken. `has_played`: a player has said so since; `signed_out`: its sign-in has ended."""

    playback_id: UUID
    place: int
    asking: Asking
    seen_at: datetime
    has_played: bool
    signed_out: bool = False


@dataclass(frozen=True)
class Take:
    """The place to take. `over`: who holds it until now; `is_again`: that one is the same page, loaded anew."""

    place: int
    over: Held | None = None
    is_again: bool = False


def choose(held: Sequence[Held], asking: Asking, most: int, now: datetime) -> Take | None:
    """The place for a viewing that begins, or None when `most` are playing.

    One's own comes first, so that a page which is loaded again is never refused; then one that nobody has; then the one
    that has been silent longest. Pages of the same sign-in that were opened and never played count as silent.
    """
    for one in held:
        if _is_same_page(one.asking, asking):
            return Take(one.place, one, is_again=True)
    silent = [one for one in held if _is_silent(one, asking, now)]
    if len(held) - len(silent) >= most:
        return None
    taken = {one.place for one in held}
    for place in range(1, most + 1):
        if place not in taken:
            return Take(place)
    # The teacher may have lowered the number: places beyond it are not given out again.
    over = min((one for one in silent if one.place <= most), key=lambda one: one.seen_at)
    return Take(over.place, over)


def is_playing(one: Held, now: datetime) -> bool:
    return not one.signed_out and now - one.seen_at <= SILENT


def _is_silent(one: Held, asking: Asking, now: datetime) -> bool:
    only_opened = one.asking.session_id == asking.session_id and not one.has_played
    return only_opened or not is_playing(one, now)


def _is_same_page(one: Asking, other: Asking) -> bool:
    if one.session_id != other.session_id:
        return False
    return one.lesson_id == other.lesson_id or (one.tab == other.tab != "")
