"""A WordPress export becomes this site's articles: `limber import wordpress`.

Two passes over the file. The first fills an index beside the memory, so that links, pictures and reusable blocks find
what stands later in the file; the second takes over one article after the other, each in a transaction of its own. What
was taken over is remembered, so that a run that was stopped goes on, and a second one changes nothing.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import select

from app import db
from app.accounts import audit
from app.articles.models import Article
from app.articles.paths import numbered
from app.catalog.rules import SLUG_MAX
from app.clock import utcnow, zone
from app.errors import BadInput, Conflict
from app.i18n import N_, _
from app.moving.names import names
from app.moving.wordpress import (
    addresses,
    authors,
    closing,
    comments,
    earlier,
    media,
    report,
    rules,
    settling,
    survey,
    writing,
    wxr,
)
from app.moving.wordpress.files import Files
from app.moving.wordpress.index import Index
from app.moving.wordpress.locks import Locks, said
from app.moving.wordpress.menus import Menus
from app.moving.wordpress.report import Report
from app.moving.wordpress.survey import Survey
from app.moving.wordpress.translating import Translator
from app.practice.queries import time_zone

# Addresses that this site has itself, so that an old page of the same address is found under its new one only.
OWN_PATHS = names("/articles /courses /contact /plans /library /login /join /account /studio /gifts /forgot")


@dataclass(frozen=True)
class Wanted:
    """What to import. `media`: folder or address of the uploads; `also`: further post types that are articles here.

    `public_only`: no host is asked that only this server can reach.
    """

    files: tuple[Path, ...]
    media: str | None = None
    also: frozenset[str] = frozenset()
    is_dry: bool = False
    public_only: bool = False


@dataclass
class Progress:
    """How far a run is, told from time to time."""

    done: int
    total: int
    phase: str


Say = Callable[[Progress], None]


@dataclass
class Run:
    """What the steps of one run share."""

    wanted: Wanted
    index: Index
    found: Survey
    report: Report
    source: media.Source
    files: Files
    now: datetime
    kinds: frozenset[str]
    people: comments.People = field(default_factory=comments.People)

    @cached_property
    def locks(self) -> Locks:
        """Asked for once the rules of earlier parts are known too."""
        return Locks(self.index)


async def run(wanted: Wanted, *, finish: Callable[[Report], None], say: Say = lambda _progress: None) -> None:
    """Import, and hand the report to `finish` while its lists are at hand.

    Raises:
        BadInput: a file is not there, or no WordPress export; or what --media names is nothing.
        Conflict: another import of the same site is running.
    """
    for path in wanted.files:
        if not path.is_file():
            raise BadInput(_("There is no file %(name)s.") % {"name": path})
    if wanted.media != media.SITE:
        # What is wrong with it is said before a large file is read.
        await media.open_source(wanted.media).close()
    with tempfile.TemporaryDirectory(prefix="limber-import-") as folder, Index(Path(folder)) as index:
        async with db.transaction() as session:
            place = zone(await time_zone(session))
        size = sum(path.stat().st_size for path in wanted.files)
        found = survey.take(
            wanted.files, index, place, lambda n: say(Progress(n, 0, "read")) if n % 500 == 0 else None
        )
        told = Report(index, _title(wanted, found, size))
        source = media.open_source(
            wanted.media,
            found.site.url,
            is_dry=wanted.is_dry,
            public_only=wanted.public_only,
            below=index.files.network_part(),
        )
        try:
            async with db.try_lock(f"import:{found.site.source}") as is_mine:
                if not is_mine:
                    raise Conflict(
                        _("This site is being imported already. Please wait until that has ended.")
                    )
                files = Files(source, found.site.source, told, is_dry=wanted.is_dry)
                kinds = rules.ARTICLES | wanted.also
                this = Run(wanted, index, found, told, source, files, utcnow(), kinds)
                await _import(this, say)
            finish(told)
        finally:
            await source.close()


def _title(wanted: Wanted, found: Survey, size: int) -> str:
    names = ", ".join(path.name for path in wanted.files)
    what = _("What an import would do") if wanted.is_dry else _("Import")
    return _("%(what)s: %(names)s (%(mb)s MB, WordPress export %(version)s of %(site)s)") % {
        "what": what,
        "names": names,
        "mb": f"{size / 1e6:,.1f}",
        "version": found.site.version or "?",
        "site": found.site.url or found.site.title,
    }


async def _import(this: Run, say: Say) -> None:
    told, found = this.report, this.found
    told.expected.update(
        {
            report.ITEMS: found.items,
            report.COMMENTS: found.comments,
            report.TERMS: found.terms,
            report.AUTHORS: found.authors,
            report.META: found.metas,
        }
    )
    await authors.match(this.index, this.people, told, found.authors)
    await _give_addresses(this)
    translator = Translator(found.site, this.files, told, this.now)
    async with db.transaction() as session:
        place = zone(await time_zone(session))
    seen: set[str] = set()
    terms, menus = closing.Terms(this.index, told), Menus(this.index, told, found.site, this.kinds)
    for number, one in enumerate(survey.read(this.wanted.files, Survey(), is_first=False), 1):
        if one.node is None:
            told.count(*closing.unreadable(one, told))
        elif one.record.kind == "item":
            item = this.index.numbers.given(wxr.item(one.node, place))
            is_double = item.id in seen
            # Numbers only: five thousand articles are a few hundred kilobytes.
            seen.add(item.id)
            await _take(this, translator, item, is_double=is_double)
            if item.kind == "nav_menu_item" and not is_double:
                menus.take(item)
        elif one.record.kind != "wp:author":
            terms.take(wxr.term(one.node))
        say(Progress(number, found.records, "write"))
    await settling.Settling(found.site, this.source, told, this.now, is_dry=this.wanted.is_dry).settle()
    if not this.wanted.is_dry:
        async with db.transaction() as session:
            await earlier.remember(session, found.site.source, this.index, this.kinds)
    await closing.finish(this.index, told, found, terms, menus, this.now, is_dry=this.wanted.is_dry)
    if not this.wanted.is_dry and told.changes:
        async with db.transaction() as session:
            audit.record(
                session, None, "import.wordpress", "site", found.site.source[:64], site=found.site.url
            )


async def _give_addresses(this: Run) -> None:
    """Each article's address here: what it has from an earlier run, else its own, else a free one like it."""
    async with db.transaction() as session:
        await earlier.recall(session, this.found.site.source, this.index)
        for number, slug, title in this.index.articles(this.kinds):
            if this.index.slug_here(number):
                continue
            item_slug = rules.slug_for(slug, title, number)
            base, n = item_slug, 1
            while this.index.is_taken(item_slug) or await session.scalar(
                select(Article.id).where(Article.slug == item_slug)
            ):
                n += 1
                item_slug = f"{base[: SLUG_MAX - len(str(n)) - 1]}-{n}"
            this.index.set_slug(number, item_slug)


async def _take(this: Run, translator: Translator, item: wxr.Item, *, is_double: bool) -> None:
    told = this.report
    closing.tell_fields(item, told)
    rule = this.locks.on(item) if item.kind in this.kinds else None
    fate = rules.fate(item, is_locked=rule is not None)
    if is_double:
        told.count(report.ITEMS, item.kind, N_("with the number of another item: not taken over"))
        told.note(N_("Items with the number of another one"), f"{item.id}: {item.title}")
    elif item.kind not in this.kinds:
        closing.tell_other(item, told)
    elif fate.state is None:
        told.count(report.ITEMS, item.kind, fate.words)
        told.note(N_("In the trash"), f"{item.kind} “{item.title}” ({item.link or item.id})")
    else:
        if fate.words == rules.GATED:
            told.note(closing.GATED, said(f"“{item.title}” ({item.link or item.id})", rule))
        await _article(this, translator, item, fate)
        return
    told.count(report.COMMENTS, N_("responses"), comments.NOT_TAKEN, len(item.comments))


async def _article(this: Run, translator: Translator, item: wxr.Item, fate: rules.Fate) -> None:
    told, source = this.report, this.found.site.source
    new = await translator.article(item, fate)
    wants = translator.wants
    people = comments.wanted(item, told)
    async with db.transaction() as session:
        was = await writing.before(session, source, item.id)
        known = await writing.known_comments(session, source, [one.id for one in people])
    outcome = was.outcome(new.arriving.digest)
    if outcome == writing.DELETED:
        told.count(report.COMMENTS, N_("responses"), comments.NOT_TAKEN, len(people))
        ready = {}
    else:
        ready = comments.arriving(people, known, item, this.people, told, this.now)
    told.count(report.ITEMS, item.kind, fate.words if outcome == writing.NEW else outcome)
    if outcome in (writing.EDITED, writing.DELETED):
        told.note(outcome, f"“{item.title}” ({item.link or item.id})")
    if outcome in (writing.EDITED, writing.DELETED, writing.SAME) and not ready:
        this.files.forget_new()
        if wants and outcome == writing.SAME and not this.wanted.is_dry:
            async with db.transaction() as session:
                await earlier.wait(session, source, item, wants)
        return
    if this.wanted.is_dry:
        told.changes += len(ready) + (outcome in (writing.NEW, writing.CHANGED))
        this.files.forget_new()
        return
    paths = old_paths(item, this.index, addresses.path_of(this.found.site.url))
    async with db.transaction() as session:
        # Once more, and held: the teacher may have begun to edit it in this minute.
        was = await writing.before(session, source, item.id, held=True)
        told.changes += await writing.write(session, source, item.id, was, new, ready, paths, this.now)
        await this.files.write_down(session, addresses.uploads_path(this.found.site.url))
        await earlier.wait(session, source, item, wants)


def old_paths(item: wxr.Item, index: Index, base: str) -> list[str]:
    """Where WordPress showed an item: at its path, its former ones, its number, and where its files had pages."""
    found = [numbered(base, f"p={item.id}")]
    path = addresses.path_of(item.link)
    if path and path != base and not addresses.post_id(item.link) and path not in OWN_PATHS:
        parent = path.rpartition("/")[0]
        found += [path, *(f"{parent}/{slug}" for slug in item.old_slugs)]
    for attachment in index.attached_to(item.id):
        link = index.link(attachment)
        is_numbered = addresses.post_id(link) is not None
        found += [numbered(base, f"p={attachment}"), None if is_numbered else addresses.path_of(link)]
    return [one for one in found if one]
