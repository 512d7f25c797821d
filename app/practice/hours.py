"""Opening hours as search engines want them, from what the teacher typed for people. Pure.

Only what is plain is taken, line by line: days, then times, and nothing else ("Mon–Fri 9:00–17:00, Sat 9–12"). A line
that says more, like "by appointment", says nothing here: better no hours than wrong ones.

Source: schema.org/OpeningHoursSpecification.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from babel.dates import get_day_names

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY = tuple(range(7))
_GROUPS = {"daily": EVERY_DAY, "every day": EVERY_DAY, "täglich": EVERY_DAY, "weekdays": EVERY_DAY[:5]}
_WIDTHS: tuple[Literal["wide", "abbreviated", "short"], ...] = ("wide", "abbreviated", "short")
_CONTEXTS: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
_CLOSED = frozenset({"closed", "geschlossen", "fermé", "cerrado", "chiuso", "gesloten"})
_MORE_NAMES = {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_DASH = re.compile(r"\s*(?:[‐‑‒–—−-]|\b(?:to|through|thru|until|till|bis|à|al|tot)\b)\s*")
_AND = re.compile(r"\s*(?:[,&+/;]|\b(?:and|und|et|y|e|en)\b)\s*")
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?:(?P<sign>[:.h])(?P<minute>[0-5]\d)|\s*h)?\s*(?P<half>[ap]\.?\s?m\.?)?"
)
_NOON = re.compile(r"\b(?:noon|midday)\b")


@dataclass(frozen=True)
class Opening:
    """Open on these days (0 is Monday) from `opens` to `closes`, "HH:MM" each."""

    days: tuple[int, ...]
    opens: str
    closes: str

    @property
    def day_names(self) -> list[str]:
        """As schema.org names them."""
        return [DAYS[day] for day in self.days]


@lru_cache(maxsize=16)
def _names(locale: str) -> Mapping[str, int]:
    """What days are called, in English and in the site's language, long and short → 0 for Monday."""
    found = dict(_MORE_NAMES)
    for language in ("en", locale):
        for width in _WIDTHS:
            for context in _CONTEXTS:
                for day, name in get_day_names(width, context, language).items():
                    found.setdefault(_plain(name).strip("."), day)
    return found


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def openings(text: str, locale: str) -> tuple[Opening, ...]:
    """What the lines that can be read say, in their order; nothing of any other line."""
    found: list[Opening] = []
    for line in text.splitlines():
        found += _line(_plain(line), locale) or ()
    return tuple(found)


def unread(text: str, locale: str) -> list[str]:
    """The lines of which nothing is understood."""
    return [line for line in text.splitlines() if line.strip() and _line(_plain(line), locale) is None]


def _line(line: str, locale: str) -> list[Opening] | None:
    """The openings of one line, none for a day that is closed; None when it cannot be read."""
    groups: list[str] = []
    for part in re.split(r"\s*[,;]\s*", _NOON.sub("12 pm", line)):
        # "Mon–Thu 9–18, Fri 9–12": days after times begin anew.
        if groups and not (part[:1].isalpha() and re.search(r"\d", groups[-1])):
            groups[-1] += f", {part}"
        else:
            groups.append(part)
    found = [_group(group, locale) for group in groups]
    return None if None in found else [one for some in found for one in some or ()]


def _group(line: str, locale: str) -> list[Opening] | None:
    """As `_line`, of days and their times, once."""
    line = line.removesuffix("uhr").strip()
    shut = next((word for word in _CLOSED if line.endswith(word)), "")
    first = re.search(r"\d", line)
    at = len(line) - len(shut) if shut else first.start() if first else 0
    days = _days(line[:at].strip(" :,"), locale)
    if days is None or (shut and first):
        return None
    if shut:
        return []
    found = []
    for span in _AND.split(line[at:].strip(" .,;")):
        times = _span(span)
        if times is None:
            return None
        found.append(Opening(days, *times))
    return found


def _days(text: str, locale: str) -> tuple[int, ...] | None:
    if text in _GROUPS:
        return _GROUPS[text]
    found: list[int] = []
    for part in _AND.split(text):
        ends = [_day(name, locale) for name in _DASH.split(part)]
        if not 1 <= len(ends) <= 2 or None in ends:
            return None
        first, last = ends[0] or 0, ends[-1] or 0
        found += [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    return tuple(dict.fromkeys(found))


def _day(name: str, locale: str) -> int | None:
    names, name = _names(locale), name.strip(" .")
    # "Mondays", "montags".
    return names.get(name, names.get(name.removesuffix("s")))


def _span(text: str) -> tuple[str, str] | None:
    """(opens, closes) of "9–17", "9:00 am to 5 pm" or "9–5pm"; None for anything else."""
    ends = [_TIME.fullmatch(part.strip().removesuffix("uhr").strip()) for part in _DASH.split(text)]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    half, last = _half(ends[0]), _half(ends[1])
    closes = _minutes(ends[1], last)
    opens = _minutes(ends[0], half or last)
    if not half and last and (opens is None or closes is None or opens >= closes):
        # "9–5pm" begins in the morning, "1–5pm" does not.
        opens = _minutes(ends[0], "a")
    if half and not last:
        # "9 am–5" may mean two things.
        return None
    if opens is None or closes is None or opens >= closes:
        return None
    return _clock(opens), _clock(closes)


def _half(found: re.Match[str]) -> str:
    return (found["half"] or "")[:1]


def _minutes(found: re.Match[str], half: str) -> int | None:
    """Since midnight; None for a time that is none."""
    hour = int(found["hour"])
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    total = hour * 60 + int(found["minute"] or 0)
    return total if total < 24 * 60 else None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
