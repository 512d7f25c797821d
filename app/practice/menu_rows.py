"""Links as rows of a form: each leads somewhere, has a name, and stands at the first level or below another. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.practice.navigation import Kept


@dataclass(frozen=True)
class Row:
    """One link of a form; `to` empty: a row that leads nowhere and is not kept. `is_below`: below the first above it
    that is not."""

    to: str = ""
    label: str = ""
    is_below: bool = False


def flat(links: Iterable[Kept]) -> list[Row]:
    """The links and those below them, in the order in which they stand."""
    rows = []
    for link in links:
        rows.append(Row(link.to, link.label))
        rows += [Row(one.to, one.label, is_below=True) for one in link.items]
    return rows


def nested(rows: Iterable[Row]) -> tuple[Kept, ...]:
    """The links of the rows that lead somewhere; those below one that does not stand in its place."""
    found: list[Kept] = []
    is_open = False
    for row in rows:
        if row.to and row.is_below and is_open:
            found[-1] = replace(found[-1], items=(*found[-1].items, Kept(row.to, row.label)))
        elif row.to:
            found.append(Kept(row.to, row.label))
            is_open = not row.is_below
        elif not row.is_below:
            is_open = False
    return tuple(found)


def moved(rows: Sequence[Row], what: str, at: int) -> list[Row]:
    """The rows after a press of a button at one: "up", "in" (below the one above it), "out"; else the same."""
    if not 0 <= at < len(rows):
        return list(rows)
    if what == "up":
        return _up(list(rows), at)
    if what in ("in", "out"):
        return [
            replace(row, is_below=at > 0 and what == "in") if n == at else row for n, row in enumerate(rows)
        ]
    return list(rows)


def can_move(rows: Sequence[Row], what: str, at: int) -> bool:
    """Whether that button would do anything."""
    return moved(rows, what, at) != list(rows)


def _up(rows: list[Row], at: int) -> list[Row]:
    """A link goes before the one above it at its level, and takes along what is below it."""
    if rows[at].is_below:
        if at > 1 and rows[at - 1].is_below:
            rows[at - 1], rows[at] = rows[at], rows[at - 1]
        return rows
    before = max((n for n in range(at) if not rows[n].is_below), default=None)
    if before is None:
        return rows
    end = next((n for n in range(at + 1, len(rows)) if not rows[n].is_below), len(rows))
    return [*rows[:before], *rows[at:end], *rows[before:at], *rows[end:]]
