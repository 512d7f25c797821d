"""A WordPress site's menus become the links at the head and the foot of each page, while nobody has chosen any here."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.articles.models import Article
from app.articles.paths import address
from app.articles.rules import is_shown
from app.i18n import N_, _
from app.moving.models import Arrival
from app.moving.wordpress import addresses, earlier, menu_links, menu_rules, report, rules, wxr
from app.moving.wordpress.index import Index
from app.moving.wordpress.menu_links import Fate
from app.moving.wordpress.menu_rules import Line
from app.moving.wordpress.report import Report
from app.moving.wordpress.survey import Site
from app.moving.wordpress.writing import ARTICLE
from app.practice import look
from app.practice.models import Practice
from app.practice.navigation import HEADING, MOST_LINKS, PAGE, Kept, Navigation, from_json, is_address

# So that a hostile file's endless menus do not fill the memory.
MOST_LINES = 1_000
NAVIGATION = "navigation"
LINES = N_("Lines of menus, and where they lead here")
LATER = N_("Menus of earlier parts of the export: their links here are made anew with what has come")
HERE = N_("now links at the head or the foot of each page")
THERE = N_("links at the head or the foot of each page already")
CHOSEN = N_("listed: the links here were chosen in the studio")
NOWHERE = N_("listed: what they lead to is not here")
DEEPER = N_("now links below one at the head or the foot, where they stood deeper")
MANY = N_("listed: a place holds 12 links, and 12 below each")
FURTHER = N_("listed: a heading of nothing that is here, or of a further menu")
# What no menu there could know of, but readers here need.
HEADER_TOO, FOOTER_TOO = ("/articles", "/courses"), ("/contact",)


@dataclass(frozen=True)
class Target:
    """An article or a page that is here. `is_out`: everybody may read it."""

    id: str
    slug: str
    is_listed: bool
    is_out: bool


class Menus:
    """The lines of all menus, and what became of each."""

    def __init__(self, index: Index, told: Report, site: Site, kinds: frozenset[str]) -> None:
        self._index, self._told, self._site, self._kinds = index, told, site, kinds
        self._lines: list[Line] = []
        # Of other parts of the export.
        self._others: list[Line] = []
        self._targets: dict[str, Target] = {}

    def take(self, item: wxr.Item) -> None:
        """One more line, whichever comes first in the file."""
        line = menu_rules.line_of(item)
        if len(self._lines) < MOST_LINES and item.status == "publish":
            self._lines.append(line)
        else:
            self._tell(line, FURTHER, None)

    async def finish(self, now: datetime, *, is_dry: bool) -> None:
        """Say of each line what becomes of it, once all articles are here, and write the links unless `is_dry`."""
        async with db.transaction() as session:
            self._others = await earlier.lines(session, self._site.source, self._lines)
            if self._lines and not is_dry:
                await earlier.remember_lines(session, self._site.source, self._lines, self._others)
            if not self._lines and not self._others:
                return
            self._targets = {**(self._planned() if is_dry else {}), **await self._arrived(session, now)}
            row = await session.get(Practice, 1, with_for_update=True)
            kept = row.navigation if row is not None else None
            mark = await session.get(Arrival, (self._site.source, NAVIGATION, NAVIGATION))
            is_free = kept is None if mark is None else kept is not None and mark.digest == digest(kept)
            new = self._tell_all(from_json(kept, await look.all_pages(session)), kept, is_free=is_free)
            if new is None:
                return
            self._told.changes += 1
            for menu in sorted({line.menu for line in self._others}):
                self._told.note(LATER, menu)
            if not is_dry:
                await look.set_navigation(session, new)
                await self._remember(session, mark, new, now)

    def _tell_all(
        self, before: Navigation, kept: dict[str, Any] | None, *, is_free: bool
    ) -> dict[str, Any] | None:
        """Tell each line's end; answers what is to be written, or None where nothing is.

        A place that no menu is for stays as it was `before`. `is_free`: nobody has chosen links here.
        """
        every = [*self._others, *self._lines]
        head, foot = menu_rules.choose(every)
        links = {line.id: self._kept(line) for line in every}
        header, footer = menu_links.place(head, links), menu_links.place(foot, links)
        new = Navigation(
            _with(header.links, HEADER_TOO) if header.links else before.header,
            _with(footer.links, FOOTER_TOO) if footer.links else before.footer,
        ).as_json()
        is_new = new != kept and bool(header.links or footer.links)
        outcome = (HERE if is_new else THERE) if is_free else CHOSEN
        fates = {**footer.fates, **header.fates}
        for line in self._lines:
            fate = fates.get(line.id, Fate.ASIDE)
            said = {Fate.NOWHERE: NOWHERE, Fate.ASIDE: FURTHER, Fate.MANY: MANY}.get(fate, outcome)
            is_raised = fate is Fate.RAISED and outcome is HERE
            self._tell(line, DEEPER if is_raised else said, links[line.id])
        return new if is_free and is_new else None

    async def _remember(
        self, session: AsyncSession, mark: Arrival | None, new: dict[str, Any], now: datetime
    ) -> None:
        if mark is None:
            mark = Arrival(
                source=self._site.source, kind=NAVIGATION, foreign_id=NAVIGATION, target="practice"
            )
            session.add(mark)
        mark.digest, mark.arrived_at = digest(new), now
        await session.flush()

    async def _arrived(self, session: AsyncSession, now: datetime) -> dict[str, Target]:
        rows = await session.execute(
            select(
                Arrival.foreign_id,
                Article.id,
                Article.slug,
                Article.is_listed,
                Article.state,
                Article.published_at,
            )
            .join(Article, cast(Article.id, Text) == Arrival.target)
            .where(Arrival.source == self._site.source, Arrival.kind == ARTICLE)
            .where(Arrival.foreign_id.in_(self._numbers()))
        )
        return {
            number: Target(str(article_id), slug, is_listed, is_shown(state, published_at, now))
            for number, article_id, slug, is_listed, state, published_at in rows
        }

    def _planned(self) -> dict[str, Target]:
        """What will be here, where nothing is written."""
        found = {}
        for number in self._numbers():
            kind, slug = self._index.kind(number), self._index.slug_here(number)
            if slug and kind in self._kinds:
                is_out = self._index.is_open(number)
                found[number] = Target(number, slug, kind != "page", is_out)
        return found

    def _numbers(self) -> list[str]:
        every = [*self._others, *self._lines]
        found = [line.target if line.kind == "post_type" else self._item_at(line.url) for line in every]
        return list(dict.fromkeys(number for number in found if number))

    def _item_at(self, url: str) -> str:
        return (self._index.item_at(url) or "") if self._is_own(url) else ""

    def _is_own(self, url: str) -> bool:
        host = addresses.host_of(url)
        return host == self._site.host if host else url.startswith(("/", "?"))

    def _kept(self, line: Line) -> Kept | None:
        """The link that a line becomes, or None where it leads to nothing that is here."""
        if line.is_heading:
            return Kept(HEADING, line.title) if line.title else None
        if line.kind == "post_type":
            return self._to_article(line, line.target)
        if line.kind == "taxonomy":
            return _to_tag(line, self._index.terms.find(line.what, number=line.target))
        if line.kind == "post_type_archive":
            return Kept("/articles", line.title) if line.what == "post" else None
        return self._to_address(line)

    def _to_article(self, line: Line, number: str) -> Kept | None:
        target = self._targets.get(number)
        title = menu_rules.label(self._index.title(number))
        if target is None:
            return None
        if not target.is_listed:
            # A page by its number, so that the link keeps up with its address and its title, and waits for a draft.
            return Kept(f"{PAGE}{target.id}", "" if line.title == title else line.title)
        return Kept(f"/articles/{target.slug}", line.title or title) if target.is_out else None

    def _to_address(self, line: Line) -> Kept | None:
        if not self._is_own(line.url):
            host = addresses.host_of(line.url)
            is_whole = is_address(line.url) and bool(host) == line.url.startswith("http")
            name = line.title or menu_rules.label(host)
            return Kept(line.url, name) if is_whole and name else None
        if number := self._index.item_at(line.url):
            return self._to_article(line, number)
        base, path = addresses.path_of(self._site.url), addresses.path_of(line.url)
        if path in ("", base):
            return Kept("/", line.title) if not urlsplit(line.url).query else None
        for start, taxonomy in (("/category/", "category"), ("/tag/", "post_tag")):
            if path.removeprefix(base).startswith(start):
                return _to_tag(line, self._index.terms.find(taxonomy, slug=path.rpartition("/")[2]))
        return None

    def _tell(self, line: Line, outcome: str, link: Kept | None) -> None:
        self._told.count(report.ITEMS, "nav_menu_item", outcome)
        title = line.title or self._index.title(line.target) or _("Untitled")
        place = _("nothing here") if link is None else link.to
        if place == HEADING:
            place = _("a heading")
        if link is not None and link.to.startswith(PAGE):
            number = line.target if line.kind == "post_type" else self._item_at(line.url)
            place = address(self._targets[number].slug, is_listed=False)
        nested = "– " if line.parent not in ("", "0") else ""
        self._told.note(LINES, f"{line.menu}: {nested}{title} → {place} ({_(outcome)})")


def _to_tag(line: Line, term: wxr.Term | None) -> Kept | None:
    slug = rules.tag_slug(term) if term is not None else ""
    return Kept(f"/articles/tag/{slug}", line.title or menu_rules.label(term.name)) if term and slug else None


def _with(links: tuple[Kept, ...], others: tuple[str, ...]) -> tuple[Kept, ...]:
    named = {one.to for link in links for one in (link, *link.items)}
    return (*links, *(Kept(to) for to in others if to not in named))[:MOST_LINKS]


def digest(kept: dict[str, Any]) -> str:
    """By which links are known again that nobody has changed since."""
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
