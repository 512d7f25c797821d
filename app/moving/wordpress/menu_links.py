"""What the lines of a menu come to at one place here: links with one level below, and each line's fate. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from app.moving.wordpress.menu_rules import Branch, Line
from app.practice.navigation import HEADING, MOST_LINKS, Kept


class Fate(Enum):
    """What becomes of a line. RAISED: it stood deeper than there are levels here."""

    SHOWN = auto()
    RAISED = auto()
    NOWHERE = auto()
    MANY = auto()
    ASIDE = auto()


@dataclass(frozen=True)
class Place:
    """`fates`: of each line by its number."""

    links: tuple[Kept, ...]
    fates: dict[str, Fate]


def place(branches: Iterable[Branch], links: Mapping[str, Kept | None]) -> Place:
    """The links of these lines that lead somewhere, each once, as many as a place holds.

    What is below a line that leads nowhere stands in its place. `links`: what each line leads to here, by its number.
    """
    found: list[Kept] = []
    fates: dict[str, Fate] = {}
    for branch in branches:
        top = links[branch.line.id]
        items = _below(branch, links, fates)
        is_heading = branch.line.is_heading
        if top is None or (top.to == HEADING and not items):
            fates[branch.line.id] = Fate.ASIDE if is_heading else Fate.NOWHERE
            tops = dict(items)
        else:
            tops = {branch.line: replace(top, items=tuple(items.values()))}
        for line, link in tops.items():
            room = len(found) < MOST_LINKS or link in found
            fates[line.id] = fates.get(line.id, Fate.SHOWN) if room else Fate.MANY
            if room and link not in found:
                found.append(link)
            if not room and line is branch.line:
                gone = [one.id for one in branch.below if fates[one.id] in (Fate.SHOWN, Fate.RAISED)]
                fates |= dict.fromkeys(gone, Fate.MANY)
    return Place(tuple(found), fates)


def _below(branch: Branch, links: Mapping[str, Kept | None], fates: dict[str, Fate]) -> dict[Line, Kept]:
    """The lines below one that are shown, each with its link."""
    found: dict[Line, Kept] = {}
    for line in branch.below:
        link = links[line.id]
        if line.is_heading:
            fates[line.id] = Fate.ASIDE
        elif link is None:
            fates[line.id] = Fate.NOWHERE
        elif link not in found.values() and len(found) == MOST_LINKS:
            fates[line.id] = Fate.MANY
        else:
            fates[line.id] = Fate.SHOWN if line.parent == branch.line.id else Fate.RAISED
            if link not in found.values():
                found[line] = link
    return found
