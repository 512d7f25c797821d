"""Opening hours as search engines want them, from what the teacher typed for people. Pure.

A line is read group by group: days, then times, or days that are closed ("Mon–Fri 9–12 and 1–5, Sat closed"). A
group that says more, like "Sat by appointment", is left to people, and of its days nothing is said: better no hours
than wrong ones. What is said of a day later stands for what was said of it before.

Source: schema.org/OpeningHoursSpecification.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from app.practice.clock_times import Time, spans
from app.practice.hour_words import Token, is_twelve_hours, normal, tokens

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Of the kinds of tokens (`hour_words.Token`), one letter each.
_DAYS = r"d(?:-d)?(?:,+d(?:-d)?)*"
_TIMES = r"t-t(?:,+t-t)*"
_OPEN = re.compile(rf"{_DAYS},*{_TIMES}|{_TIMES},*{_DAYS}")
_SHUT = re.compile(rf"{_DAYS},*c|c{_DAYS}")


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


@dataclass(frozen=True)
class Reading:
    """What was understood, in its order, the days that are said to be closed, and the words that were not."""

    openings: tuple[Opening, ...] = ()
    closed: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass
class _Said:
    """What lines said so far. `doubted`: days of which something is said that only people understand."""

    openings: list[Opening]
    closed: set[int]
    doubted: set[int]
    unread: list[str]


@lru_cache(maxsize=64)
def read(text: str, locale: str) -> Reading:
    """The text, understood as far as it goes."""
    whole = _Said([], set(), set(), [])
    for line in map(normal, text.splitlines()):
        if line:
            _add(whole, _line(line, locale))
    return Reading(tuple(whole.openings), tuple(sorted(whole.closed)), tuple(whole.unread))


def openings(text: str, locale: str) -> tuple[Opening, ...]:
    """What of the text can be read, in its order."""
    return read(text, locale).openings


def _add(whole: _Said, said: _Said) -> None:
    days = {day for one in said.openings for day in one.days}
    whole.openings = _without(_replaced(whole.openings, said.openings), said.closed | said.doubted)
    whole.openings += said.openings
    whole.closed = (whole.closed - days - said.doubted) | said.closed
    whole.unread += said.unread


def _line(line: str, locale: str) -> _Said:
    said = _Said([], set(), set(), [])
    groups = _groups(tokens(line, locale))
    if groups is None:
        said.unread.append(line)
        return said
    hidden: set[int] = set()
    for group in groups:
        days = set(_days(group))
        kinds = _kinds(group)
        opened = _openings(group, has_twelve=is_twelve_hours(locale)) if _OPEN.fullmatch(kinds) else None
        if opened:
            said.openings = [*_replaced(said.openings, opened), *opened]
            said.closed -= days
        elif _SHUT.fullmatch(kinds):
            said.openings = _without(said.openings, days)
            said.closed |= days
        else:
            said.unread.append(line[group[0].start : group[-1].end])
            hidden |= days
            # "Wed by appointment" is a rule; "first Wed of the month 9–20" is an exception to what other lines say.
            said.doubted |= days if kinds.startswith("d") else set()
    said.openings, said.closed = _without(said.openings, hidden), said.closed - hidden
    return replace(said, unread=[line]) if len(said.unread) == len(groups) else said


def _groups(found: Sequence[Token]) -> list[list[Token]] | None:
    """The tokens that belong together; None for a line of which some words concern the whole."""
    groups: list[list[Token]] = []
    for is_new_part, part in _parts(found):
        kinds = _kinds(part)
        is_ask = not {"d", "t"} & set(kinds) and any(token.is_ask for token in part)
        if kinds[0] == "w" and is_new_part and not is_ask and _is_about_all(kinds, is_first=not groups):
            # "In summer: Mon 9–5, Tue 9–5", "Mon 9–5, Tue 9–5, not in August".
            return None
        if not groups or is_ask or _begins(kinds, _kinds(groups[-1]), is_new_part=is_new_part):
            groups.append(list(part))
        else:
            groups[-1] += [Token(",", part[0].start, part[0].start), *part] if is_new_part else part
    return groups


def _parts(found: Sequence[Token]) -> list[tuple[bool, list[Token]]]:
    """The tokens between commas, cut again after times; whether a comma stands before each."""
    parts: list[tuple[bool, list[Token]]] = []
    is_new = True
    for token in found:
        if token.kind == ",":
            is_new = True
        elif is_new or _is_cut(token.kind, _kinds(parts[-1][1])):
            parts.append((is_new, [token]))
            is_new = False
        else:
            parts[-1][1].append(token)
    return parts


def _is_cut(kind: str, part: str) -> bool:
    # "Mon 9–5 Tue 10–4", "Mon closed Tue 9–5", "Mon 9–5 by appointment"; but not "closed Mon".
    return (kind in "dcw" and part[-1] == "t") or (kind in "dc" and part[-1] == "c" and part != "c")


def _is_about_all(part: str, *, is_first: bool) -> bool:
    """Whether words that are not understood concern the whole line; by its kinds."""
    return "d" in part if is_first else "d" not in part and "t" not in part


def _begins(part: str, group: str, *, is_new_part: bool) -> bool:
    """Whether a part begins anew and does not go on with the group before it; by their kinds."""
    if part[0] == "d":
        if group[0] == "c":
            # "Closed Sat, Sun, Mon 9–5"
            return "d" in group and not re.fullmatch(_DAYS, part)
        return ("d" in group and "t" in group) or "w" in group or "c" in group
    if part[0] == "t":
        # "9–5 Mon–Fri, 10–2 Sat"
        return group[0] == "t" and "d" in group
    return is_new_part and ("d" in part or "t" in part) if part[0] == "w" else "d" in part


def _kinds(found: Sequence[Token]) -> str:
    return "".join(token.kind for token in found)


def _days(group: Sequence[Token]) -> tuple[int, ...]:
    """The days that are named, each once, in their order; ranges may run over Sunday."""
    found: list[int] = []
    before: Token | None = None
    for at, token in enumerate(group):
        if token.kind != "d":
            continue
        if before and group[at - 1].kind == "-" and len(before.days) == len(token.days) == 1:
            first, last = before.days[0], token.days[0]
            found += [(first + n) % 7 for n in range((last - first) % 7 + 1)]
        found += token.days
        before = token
    return tuple(dict.fromkeys(found))


def _openings(group: Sequence[Token], *, has_twelve: bool) -> list[Opening] | None:
    """Of a group of days and times; None when the times are not plain, or no day of the week is meant."""
    times: list[Time] = [token.time for token in group if token.time]
    found = spans(list(zip(times[::2], times[1::2], strict=True)), has_twelve=has_twelve)
    days = _days(group)
    return (
        [Opening(days, _clock(opens), _clock(closes)) for opens, closes in found] if found and days else None
    )


def _without(found: Sequence[Opening], days: Collection[int]) -> list[Opening]:
    left = (replace(one, days=tuple(day for day in one.days if day not in days)) for one in found)
    return [one for one in left if one.days]


def _replaced(found: Sequence[Opening], later: Sequence[Opening]) -> list[Opening]:
    """Without the days on which something later says other times: such that overlap."""
    left: list[Opening] = []
    for one in found:
        gone = {
            day
            for other in later
            for day in other.days
            if other.opens < one.closes and one.opens < other.closes
        }
        left += _without([one], gone)
    return left


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
