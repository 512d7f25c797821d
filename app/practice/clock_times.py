"""Times of day as people write them for opening hours: "9–5", "9am–12:30", "8–12 and 1–5". Pure.

An hour without am or pm may be either; what is meant is the first reading in which one opens at a time of day at which
practices open, and closes after that. Where two readings are as good ("6–8"), there is none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

NOON = 12 * 60
DAY = 24 * 60
# Before five nobody opens who does not say so; "5–8" to "7–9" are classes of the morning as well as of the evening.
FIRST, EITHER = 5 * 60, 8 * 60

PATTERN = (
    r"(?:(?P<hour>\d{1,2})(?:(?P<sign>[:.h])(?P<minute>[0-5]\d)|\s?(?P<h>h))?|(?P<hour4>[01]\d|2[0-3])(?P<minute4>[0-5]\d))"
    r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?|(?P<short>[ap])(?!\w))?(?!\w)"
)


@dataclass(frozen=True)
class Time:
    """Minutes since midnight, as written. `half`: "a" or "p" where that was said; `is_24` where it needs none."""

    minutes: int
    half: str = ""
    is_24: bool = False

    @property
    def may_be(self) -> tuple[int, ...]:
        """The minutes since midnight that it may stand for; none for a time that is none."""
        hour = self.minutes // 60
        if self.half:
            late = NOON if self.half == "p" else 0
            return (self.minutes % NOON + late,) if 1 <= hour <= 12 else ()
        if self.minutes >= DAY:
            return ()
        return (self.minutes,) if self.is_24 or hour == 12 else (self.minutes, self.minutes + NOON)


def time_of(found: re.Match[str]) -> Time:
    """The time that `PATTERN` found."""
    hour = found["hour"] or found["hour4"]
    half = (found["half"] or found["short"] or "").casefold()
    has_h = bool(found["h"]) or (found["sign"] or "").casefold() == "h"
    is_24 = not half and (has_h or (len(hour) == 2 and hour[0] == "0") or not 1 <= int(hour) <= 12)
    return Time(int(hour) * 60 + int(found["minute"] or found["minute4"] or 0), half, is_24)


def spans(times: Sequence[tuple[Time, Time]], *, has_twelve: bool) -> tuple[tuple[int, int], ...] | None:
    """When one day opens and closes, in minutes since midnight, each after the one before; None when that is not plain.

    `has_twelve`: where this is written, a day has twice twelve hours.
    """
    found: list[tuple[int, int]] = []
    for first, last in times:
        span = _span(first, last, found[-1][1] if found else None, has_twelve=has_twelve)
        if span is None:
            return None
        found.append(span)
    return tuple(found)


def _span(first: Time, last: Time, after: int | None, *, has_twelve: bool) -> tuple[int, int] | None:
    if not first.half and not last.half and (first.is_24 or last.is_24):
        # "9–17": who counts to 24 does so at both ends.
        first, last = Time(first.minutes, is_24=True), Time(last.minutes, is_24=True)
        has_twelve = False
    readings = [
        (opens, closes)
        for opens in first.may_be
        for closes in last.may_be
        if opens < closes and (after is None or opens >= after)
    ]
    if not first.half:
        readings = [one for one in readings if one[0] >= FIRST or (first.is_24 and first.minutes < 60)]
    if last.half and not first.half:
        # "1–5pm" and "8–11pm" say pm once for both; "9–5pm" does not.
        late = [one for one in readings if (one[0] >= NOON) == (last.half == "p")]
        readings = late or readings
    if not readings:
        return None
    opens, closes = min(readings)
    says_nothing = not (first.half or last.half or after is not None)
    if says_nothing and has_twelve and opens < EITHER and (opens + NOON, closes + NOON) in readings:
        return None
    return opens, closes
