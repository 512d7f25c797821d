"""Days and times as other platforms' files write them. Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%d %I:%M %p",
    "%B %d, %Y", "%b %d, %Y", "%B %d, %Y %I:%M %p", "%b %d, %Y %I:%M %p", "%d %B %Y", "%d %b %Y",
    "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y",
)  # fmt: skip
# With slashes or dashes the month comes first where English is written by Americans, else the day.
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_ZONE = re.compile(r"(?:\s*(?:UTC|GMT|Z)|(?<=:\d\d)\s*([+-]\d{2}):?(\d{2}))\Z")
_SECONDS = re.compile(r"1\d{9}")


def day(text: str, *, is_day_first: bool = False) -> datetime | None:
    """When it was, in UTC; None for what nobody can tell. `is_day_first`: what 5/1/2023 means, if both can be."""
    # Fractions of a second.
    plain = re.sub(r"(:\d\d)\.\d+", r"\1", text.strip())
    if _SECONDS.fullmatch(plain):
        return datetime.fromtimestamp(int(plain), UTC)
    zone = _ZONE.search(plain)
    offset = f"{zone[1]}{zone[2]}" if zone and zone[1] else "+0000"
    if zone:
        plain = plain[: zone.start()]
    plain = re.sub(r"(?<=\d)T(?=\d)", " ", plain).replace(" at ", " ")
    ways = (_DAY_FIRST, _MONTH_FIRST) if is_day_first else (_MONTH_FIRST, _DAY_FIRST)
    for form in (*_FORMS, *(f"{one}{time}" for way in ways for one in way for time in _TIMES)):
        try:
            at = datetime.strptime(f"{plain} {offset}", f"{form} %z")
        except ValueError:
            continue
        return at.astimezone(UTC) if at.year >= 1990 else None
    return _of_a_letter(text)


def _of_a_letter(text: str) -> datetime | None:
    """As in the head of a mail."""
    try:
        at = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.astimezone(UTC) if at.year >= 1990 else None
