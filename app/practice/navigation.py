"""The links at the head and the foot of every page: which ones, in which order, by which names. Pure.

A kept link is {"to": …, "label": …, "items": […]}. `to` is one of `DESTINATIONS`, `page:<id>` for a page that the
teacher wrote, any other address, or `HEADING`; an empty label means the destination's own name. `items`, which may be
missing, are the links one level below it; there is no second level.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

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
# Leads nowhere, and opens the links below it.
HEADING = "#"
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
    items: tuple["Kept", ...] = ()

    def as_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"to": self.to, "label": self.label}
        return plain | ({"items": [one.as_json() for one in self.items]} if self.items else {})

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        items = tuple(cls(str(one.get("to", "")), str(one.get("label", ""))) for one in kept.get("items", ()))
        return cls(str(kept.get("to", "")), str(kept.get("label", "")), items)


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
    """A link as pages show it, with those below it; `href` empty: it only opens them."""

    href: str
    label: str
    items: tuple["Link", ...] = ()


@dataclass(frozen=True)
class Navigation:
    """What is kept for both places; `is_own` False while the teacher has chosen nothing."""

    header: tuple[Kept, ...] = ()
    footer: tuple[Kept, ...] = ()
    is_own: bool = field(default=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        return {place: [link.as_json() for link in getattr(self, place)] for place in PLACES}


def from_json(kept: Mapping[str, Any] | None, pages: Iterable[PageLink] = ()) -> Navigation:
    """What was kept; else what every site begins with: articles, courses, body, contact, and the pages that it has."""
    if kept is None:
        known = {page.slug: page for page in pages}
        footer = [Kept(PAGE + known[slug].id) for slug in WELL_KNOWN if slug in known]
        return Navigation(
            tuple(Kept(to) for to in HEADER), (*footer, Kept("/contact", _("Send me an email")))
        )
    header, footer_links = (tuple(Kept.from_json(one) for one in kept.get(place, [])) for place in PLACES)
    return Navigation(header, footer_links, is_own=True)


def links(kept: Iterable[Kept], pages: Iterable[PageLink]) -> tuple[Link, ...]:
    """What pages show of it: without the links to pages that are drafts or gone; what is below such stands instead."""
    known = {PAGE + page.id: page for page in pages}
    found: list[Link] = []
    for one in kept:
        items = tuple(link for item in one.items if (link := _link(item, known)) is not None)
        link = Link("", one.label) if one.to == HEADING and items else _link(one, known)
        if link is None:
            found += items
        else:
            found.append(Link(link.href, link.label, items))
    return tuple(found)


def _link(one: Kept, known: Mapping[str, PageLink]) -> Link | None:
    if one.to in known:
        return Link(known[one.to].url, one.label or known[one.to].title)
    if one.to in DESTINATIONS:
        return Link(one.to, one.label or _(DESTINATIONS[one.to]))
    return None if one.to == HEADING or one.to.startswith(PAGE) else Link(one.to, one.label or one.to)


def check(navigation: Navigation, pages: Iterable[PageLink]) -> dict[str, str]:
    """A sentence for each place ("header", "footer") that cannot be saved."""
    known = {*DESTINATIONS, *(PAGE + page.id for page in pages)}
    addressed = {*known, HEADING}
    errors: dict[str, str] = {}
    for place in PLACES:
        tops: tuple[Kept, ...] = getattr(navigation, place)
        below = [item for link in tops for item in link.items]
        chosen = [*tops, *below]
        if any(len(links) > MOST_LINKS for links in (tops, *(link.items for link in tops))):
            errors[place] = _("These are more than 12 links. Nobody finds anything among so many.")
        elif any(link.to == HEADING for link in below) or any(
            link.to == HEADING and not link.items for link in tops
        ):
            errors[place] = _("A heading needs links below it, and stands below none.")
        elif any(len(link.label) > LABEL_CHARS for link in chosen):
            errors[place] = _("A name is longer than 60 characters. Please shorten it.")
        elif any(link.to not in addressed and not is_address(link.to) for link in chosen):
            errors[place] = _(
                "An address of your own begins with https://, mailto: or tel:, or with a slash for a page of this site."
            )
        elif any(link.to not in known and not link.label for link in chosen):
            errors[place] = _("Please give a name to each heading and each address of your own.")
    return errors


def is_address(text: str) -> bool:
    """Whether it may stand in a link: another site, a mail, a number, or a path of this site."""
    if len(text) > ADDRESS_CHARS or text.startswith(PAGE):
        return False
    return bool(_OUTSIDE.fullmatch(text) or _INSIDE.fullmatch(text))
