"""The links at the head and the foot of every page: which ones, in which order, by which names. Pure.

A kept link is {"to": …, "label": …}. `to` is one of `DESTINATIONS`, `page:<id>` for a page that the teacher wrote, or
any other address; an empty label means the destination's own name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.articles.paths import address
from app.i18n import N_, _

# Our own pages, by the names that they have without a label.
DESTINATIONS = {
    "/": N_("Home"),
    "/articles": N_("Articles"),
    "/courses": N_("Courses"),
    "/body": N_("Body"),
    "/plans": N_("Plans"),
    "/contact": N_("Contact"),
}
# Pages that every site has sooner or later, by their slugs; published ones stand in the footer from the first day.
WELL_KNOWN = ("about", "privacy", "terms", "imprint")
PAGE = "page:"
PLACES = ("header", "footer")
HEADER = ("/articles", "/courses", "/body", "/contact")
MOST_LINKS = 12
LABEL_CHARS = 60
ADDRESS_CHARS = 300

_OUTSIDE = re.compile(r"(?:https?://[^\s/]|mailto:\S|tel:[+\d])\S*")
_INSIDE = re.compile(r"/(?![/\\])[^\s\\]*")


@dataclass(frozen=True)
class Kept:
    """A link as it is kept."""

    to: str
    label: str = ""


@dataclass(frozen=True)
class PageLink:
    """A published page that the teacher wrote."""

    id: str
    slug: str
    title: str

    @property
    def url(self) -> str:
        return address(self.slug, is_listed=False)


@dataclass(frozen=True)
class Link:
    """A link as pages show it."""

    href: str
    label: str


@dataclass(frozen=True)
class Navigation:
    """What is kept for both places; `is_own` False while the teacher has chosen nothing."""

    header: tuple[Kept, ...] = ()
    footer: tuple[Kept, ...] = ()
    is_own: bool = field(default=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        return {
            place: [{"to": link.to, "label": link.label} for link in getattr(self, place)] for place in PLACES
        }

    def moved_up(self, place: str, at: int) -> "Navigation":
        """The same with one link before the one above it; nothing moves where there is none above."""
        links = list(getattr(self, place)) if place in PLACES else []
        if not 0 < at < len(links):
            return self
        links[at - 1], links[at] = links[at], links[at - 1]
        return replace(self, header=tuple(links)) if place == "header" else replace(self, footer=tuple(links))


def from_json(kept: Mapping[str, Any] | None, pages: Iterable[PageLink] = ()) -> Navigation:
    """What was kept; else what every site begins with: articles, courses, body, contact, and the pages that it has."""
    if kept is None:
        known = {page.slug: page for page in pages}
        footer = [Kept(PAGE + known[slug].id) for slug in WELL_KNOWN if slug in known]
        return Navigation(
            tuple(Kept(to) for to in HEADER), (*footer, Kept("/contact", _("Send me an email")))
        )
    header, footer_links = (
        tuple(Kept(str(one.get("to", "")), str(one.get("label", ""))) for one in kept.get(place, []))
        for place in PLACES
    )
    return Navigation(header, footer_links, is_own=True)


def links(kept: Iterable[Kept], pages: Iterable[PageLink]) -> tuple[Link, ...]:
    """What pages show of it: without the links to pages that are drafts or gone."""
    known = {PAGE + page.id: page for page in pages}
    found = []
    for one in kept:
        if one.to in known:
            found.append(Link(known[one.to].url, one.label or known[one.to].title))
        elif one.to in DESTINATIONS:
            found.append(Link(one.to, one.label or _(DESTINATIONS[one.to])))
        elif not one.to.startswith(PAGE):
            found.append(Link(one.to, one.label or one.to))
    return tuple(found)


def check(navigation: Navigation, pages: Iterable[PageLink]) -> dict[str, str]:
    """A sentence for each place ("header", "footer") that cannot be saved."""
    known = {*DESTINATIONS, *(PAGE + page.id for page in pages)}
    errors: dict[str, str] = {}
    for place in PLACES:
        chosen: tuple[Kept, ...] = getattr(navigation, place)
        if len(chosen) > MOST_LINKS:
            errors[place] = _("These are more than 12 links. Nobody finds anything among so many.")
        elif any(len(link.label) > LABEL_CHARS for link in chosen):
            errors[place] = _("A name is longer than 60 characters. Please shorten it.")
        elif any(link.to not in known and not is_address(link.to) for link in chosen):
            errors[place] = _(
                "An address of your own begins with https://, mailto: or tel:, or with a slash for a page of this site."
            )
        elif any(link.to not in known and not link.label for link in chosen):
            errors[place] = _("Please give a name to each address of your own.")
    return errors


def is_address(text: str) -> bool:
    """Whether it may stand in a link: another site, a mail, a number, or a path of this site."""
    if len(text) > ADDRESS_CHARS or text.startswith(PAGE):
        return False
    return bool(_OUTSIDE.fullmatch(text) or _INSIDE.fullmatch(text))
