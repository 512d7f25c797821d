"""Which of a WordPress site's menus stand at the head and the foot of pages here, and in which order. Pure.

An export has the lines of every menu, but not where the theme showed it: that is told by the menus' names.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.accounts.rules import tidy
from app.moving.wordpress import wxr
from app.moving.wordpress.rules import cut
from app.practice.navigation import LABEL_CHARS

_HEAD = re.compile(r"\b(?:main|primary|header|top|haupt\w*|principale?|hoofd\w*)\b", re.IGNORECASE)
_FOOT = re.compile(r"\b(?:foot\w*|bottom|legal|fu(?:ß|ss)\w*|pied|secondary)\b", re.IGNORECASE)
# Links to other sites' pages about the teacher: icons there, no way through this site.
_ASIDE = re.compile(r"\b(?:social\w*|share|follow)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line of a menu. `kind`: post_type, taxonomy, custom or post_type_archive; `what`: page, category, …;
    `target`: the number of that, `url`: where a custom one leads; `title` empty: what it leads to has one.
    """

    id: str
    menu: str
    parent: str
    order: int
    title: str
    kind: str
    what: str
    target: str
    url: str

    @property
    def is_heading(self) -> bool:
        """Whether it only opens the lines below it."""
        return self.kind == "custom" and (not self.url or self.url.startswith("#"))


def line_of(item: wxr.Item) -> Line:
    """A menu's line as the file has it."""
    menu = next((term.name or term.slug for term in item.terms if term.taxonomy == "nav_menu"), "")
    return Line(
        id=item.id,
        menu=menu,
        parent=item.meta.get("_menu_item_menu_item_parent", "").strip(),
        order=item.order,
        title=label(item.title),
        kind=item.meta.get("_menu_item_type", "").strip(),
        what=item.meta.get("_menu_item_object", "").strip(),
        target=item.meta.get("_menu_item_object_id", "").strip(),
        url=item.meta.get("_menu_item_url", "").strip(),
    )


def label(text: str) -> str:
    """A name as long as links here have."""
    return cut(" ".join(tidy(text).split()), LABEL_CHARS)


@dataclass(frozen=True)
class Branch:
    """A line that stands below no other, with all those below it in their order, however deep."""

    line: Line
    below: tuple[Line, ...] = ()


def choose(lines: Iterable[Line]) -> tuple[list[Branch], list[Branch]]:
    """The lines for the head and for the foot, as they are to stand.

    The foot's menu is one that is called so; the head's one that is called so, else the longest of the others.
    """
    menus: dict[str, list[Line]] = {}
    for line in lines:
        menus.setdefault(line.menu, []).append(line)
    # "main-menu", "main_menu" and "Main menu" are three words' worth of the same.
    named = {menu: re.sub(r"[\W_]+", " ", menu) for menu in menus}
    foot = next((menu for menu in menus if _FOOT.search(named[menu])), None)
    others = [menu for menu in menus if not _FOOT.search(named[menu]) and not _ASIDE.search(named[menu])]
    heads = [menu for menu in others if _HEAD.search(named[menu])]
    head = heads[0] if heads else max(others, key=lambda menu: len(menus[menu]), default=None)
    return branches(menus[head] if head is not None else []), branches(
        menus[foot] if foot is not None else []
    )


def branches(lines: Sequence[Line]) -> list[Branch]:
    """The lines that stand below no other, in order, each with those below it; those of a circle never come."""
    here = {line.id for line in lines}
    below: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda line: line.order):
        below.setdefault(line.parent if line.parent in here else "", []).append(line)
    return [Branch(top, tuple(_all_below(top, below))) for top in below.pop("", [])]


def _all_below(top: Line, below: dict[str, list[Line]]) -> list[Line]:
    """Depth first; taken out of `below`, so that lines of the same number do not come without end."""
    found: list[Line] = []
    waiting = below.pop(top.id, [])[::-1]
    while waiting:
        line = waiting.pop()
        found.append(line)
        waiting += below.pop(line.id, [])[::-1]
    return found
