"""The words in which opening hours are written, cut into days, times and what stands between them. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from babel.dates import get_day_names, get_time_format

from app.practice.clock_times import PATTERN, Time, time_of

_WIDTHS: tuple[Literal["wide", "abbreviated", "short"], ...] = ("wide", "abbreviated", "short")
_CONTEXTS: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
EVERY_DAY = tuple(range(7))
_MORE_DAYS = {
    "tues": (1,),
    "weds": (2,),
    "thur": (3,),
    "thurs": (3,),
    "daily": EVERY_DAY,
    "every day": EVERY_DAY,
    "everyday": EVERY_DAY,
    "7 days a week": EVERY_DAY,
    "täglich": EVERY_DAY,
    "weekdays": EVERY_DAY[:5],
    "every weekday": EVERY_DAY[:5],
    "werktags": EVERY_DAY[:6],
    "weekends": EVERY_DAY[5:],
    "weekend": EVERY_DAY[5:],
    # Days of the calendar, none of the week: what is said of them is understood, and means no day of the week.
    "public holidays": (),
    "bank holidays": (),
    "holidays": (),
    "feiertage": (),
    "feiertags": (),
}
# "M, W, F" is written in English; in French and German an m is two days.
_ENGLISH_DAYS = {"m": (0,), "w": (2,), "f": (4,)}
_CLOSED = frozenset({"closed", "shut", "geschlossen", "fermé", "cerrado", "chiuso", "gesloten", "fechado"})
_TO = frozenset({"to", "through", "thru", "until", "till", "bis", "à", "a", "au", "al", "tot"})
_AND = frozenset({"and", "und", "u", "et", "y", "e", "en", "then"})
_ASK = frozenset(
    [
        "appointment",
        "appointments",
        "appt",
        "arrangement",
        "request",
        "vereinbarung",
        "absprache",
        "rendez",
        "cita",
        "appuntamento",
        "afspraak",
    ]
)
_NOON = frozenset({"noon", "midday"})
# They say nothing that the days and times beside them do not.
_SILENT = frozenset(
    [
        "from",
        "on",
        "open",
        "opens",
        "opening",
        "hours",
        "hrs",
        "uhr",
        "von",
        "am",
        "de",
        "du",
        "le",
        "o'clock",
    ]
)
_REST = r"(?P<dash>[‐‑‒–—−-])|(?P<sep>[,;&+/|])|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)|(?P<silent>[\s:.]+)|(?P<other>\S)"


@dataclass(frozen=True)
class Token:
    """A word or sign, from `start` to `end` of its line.

    `kind`: d days, c closed, t a time, - to, "," and, w anything else.
    """

    kind: str
    start: int
    end: int
    days: tuple[int, ...] = ()
    time: Time | None = None
    # Of an appointment, which one makes for hours at which somebody is there.
    is_ask: bool = False


def normal(line: str) -> str:
    """The line with plain spaces and signs, its letters as they are."""
    return " ".join(unicodedata.normalize("NFKC", line).split())


def is_twelve_hours(locale: str) -> bool:
    """Whether that language writes am and pm."""
    return "a" in re.sub(r"'[^']*'", "", get_time_format("short", locale).pattern)


@lru_cache(maxsize=16)
def _day_names(locale: str) -> Mapping[str, tuple[int, ...]]:
    """What days are called, in English and in the site's language, long and short → the days, 0 for Monday."""
    found = dict(_MORE_DAYS)
    for language in ("en", locale):
        for width in _WIDTHS:
            for context in _CONTEXTS:
                for day, name in get_day_names(width, context, language).items():
                    found.setdefault(normal(name).casefold().strip("."), (day,))
    return found | _ENGLISH_DAYS if locale.startswith("en") else found


@lru_cache(maxsize=16)
def _pattern(locale: str) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(_day_names(locale), key=len, reverse=True))
    # "Mondays", "montags", "Mo."
    return re.compile(rf"(?P<day>{names})s?(?!\w)\.?|(?P<time>{PATTERN})|{_REST}", re.IGNORECASE)


def tokens(line: str, locale: str) -> list[Token]:
    """The line's words and signs in their order, without those that say nothing."""
    found = []
    for match in _pattern(locale).finditer(line):
        token = _token(match, locale)
        if token is not None:
            found.append(token)
    return found


def _token(match: re.Match[str], locale: str) -> Token | None:
    start, end = match.span()
    if match["day"]:
        return Token("d", start, end, days=_day_names(locale)[match["day"].casefold()])
    if match["time"]:
        return Token("t", start, end, time=time_of(match))
    word = (match["word"] or "").casefold().replace("’", "'")
    if match["silent"] or word in _SILENT:
        return None
    if word in _NOON:
        return Token("t", start, end, time=Time(12 * 60, "p"))
    if match["dash"] or word in _TO:
        return Token("-", start, end)
    if match["sep"] or word in _AND:
        return Token(",", start, end)
    return Token("c" if word in _CLOSED else "w", start, end, is_ask=word in _ASK)
