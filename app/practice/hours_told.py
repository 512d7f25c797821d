"""What was understood of opening hours, told back in the site's language. Pure."""

from collections.abc import Sequence
from datetime import time
from itertools import groupby

from babel.dates import format_time, get_day_names

from app.i18n import _
from app.practice.hours import Reading


def told(reading: Reading, locale: str) -> tuple[str, ...]:
    """A line for the days that share their times: "Mon–Fri 9:00 AM – 12:00 PM, 1:00 PM – 5:00 PM", "Sun closed"."""
    lines = []
    for days, openings in groupby(reading.openings, key=lambda one: one.days):
        times = ", ".join(f"{_clock(one.opens, locale)} – {_clock(one.closes, locale)}" for one in openings)
        lines.append(f"{day_words(days, locale)} {times}")
    if reading.closed:
        lines.append(_("%(days)s closed") % {"days": day_words(reading.closed, locale)})
    return tuple(lines)


def day_words(days: Sequence[int], locale: str) -> str:
    """The days by their short names, three and more in a row as a range: "Mon–Wed, Fri"."""
    names = get_day_names("abbreviated", "stand-alone", locale)
    runs: list[list[int]] = []
    for day in days:
        if runs and day == (runs[-1][-1] + 1) % 7:
            runs[-1].append(day)
        else:
            runs.append([day])
    words = []
    for run in runs:
        if len(run) > 2:
            words.append(f"{names[run[0]]}–{names[run[-1]]}")
        else:
            words += [names[day] for day in run]
    return ", ".join(words)


def _clock(words: str, locale: str) -> str:
    return format_time(time.fromisoformat(words), "short", locale=locale)
