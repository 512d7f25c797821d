"""Articles of earlier parts of an export whose links and pictures come with this one: they are translated once more."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app import db
from app.articles import arriving, old_addresses
from app.articles.paths import numbered
from app.i18n import N_
from app.moving.models import Arrival
from app.moving.wordpress import addresses, earlier, locks, media, rules, writing
from app.moving.wordpress.files import Files
from app.moving.wordpress.index import Index
from app.moving.wordpress.report import Report
from app.moving.wordpress.survey import Site
from app.moving.wordpress.translating import Translator

SETTLED = N_("Articles of earlier parts of the export: what they lead to has come, and they lead there now")
EDITED = N_(
    "Articles of earlier parts that lead to what has come now, but were edited here: their links are left as they are"
)
LOCKED = N_("Articles of earlier parts that a rule of MemberPress keeps from the public: drafts now")
LOCKED_EDITED = N_(
    "Articles that a rule of MemberPress keeps from the public, but that were edited here: still published, so please"
    " look at them"
)


class Settling:
    """The same site, files and index as the run's."""

    def __init__(
        self, site: Site, source: media.Source, told: Report, now: datetime, *, is_dry: bool
    ) -> None:
        self._site, self._told, self._now, self._is_dry = site, told, now, is_dry
        self._index: Index = told.index
        # What earlier parts hold was told when they came.
        self._muted = Report(told.index, is_muted=True)
        self._files = Files(source, site.source, self._muted, is_dry=is_dry)
        self._translator = Translator(site, self._files, self._muted, now)
        self._locks = locks.Locks(told.index)

    async def settle(self) -> None:
        """Let what waited lead to what this run has brought."""
        async with db.transaction() as session:
            waiting = await earlier.waiting(session, self._site.source)
        for number, wants in waiting:
            if self._index.is_earlier(number) and any(self._translator.has_come(want) for want in wants):
                await self._settle(number)
        await self._lock()
        await self._lead_attachments()
        self._told.changes += self._muted.changes

    async def _settle(self, number: str) -> None:
        source = self._site.source
        async with db.transaction() as session:
            item = await earlier.item(session, source, number)
        fate = rules.fate(item, is_locked=self._locks.on(item) is not None)
        new = await self._translator.article(item, fate)
        wants = self._translator.wants
        name = f"“{item.title}” ({item.link or item.id})"
        async with db.transaction() as session:
            was = await writing.before(session, source, number, held=True)
            if was.article is not None:
                # These files may not have its author.
                author = was.article.author_id
                new = replace(new, arriving=replace(new.arriving, author_id=author))
            outcome = was.outcome(new.arriving.digest)
            if outcome == writing.CHANGED:
                self._told.note(SETTLED, name)
            elif outcome == writing.EDITED:
                self._told.note(EDITED, name)
            if self._is_dry:
                self._told.changes += outcome == writing.CHANGED
                self._files.forget_new()
                return
            if outcome == writing.CHANGED:
                self._told.changes += await writing.write(
                    session, source, number, was, new, {}, (), self._now
                )
                await self._files.write_down(session, addresses.uploads_path(self._site.url))
            else:
                wants = wants if outcome == writing.SAME else []
                self._files.forget_new()
            await earlier.wait(session, source, item, wants)

    async def _lock(self) -> None:
        """What an earlier part published before a rule was known that keeps it from the public is a draft again."""
        if not self._locks.rules:
            return
        async with db.transaction() as session:
            brought = await earlier.brought(session, self._site.source)
        for number, tags in brought:
            rule = self._locks.on_earlier(number, tags) if self._index.is_earlier(number) else None
            if rule is None:
                continue
            name = locks.said(f"“{self._index.title(number)}” ({self._index.link(number) or number})", rule)
            async with db.transaction() as session:
                was = await writing.before(session, self._site.source, number, held=True)
                if was.article is None or was.arrival is None or was.article.state != "published":
                    continue
                self._told.note(LOCKED_EDITED if was.is_edited else LOCKED, name)
                if was.is_edited:
                    continue
                self._told.changes += 1
                if not self._is_dry:
                    was.arrival.digest = await arriving.withdraw(session, was.article)

    async def _lead_attachments(self) -> None:
        """Pages of files lead to the article that they belong to, also when an earlier part brought that."""
        if self._is_dry:
            return
        base = addresses.path_of(self._site.url)
        async with db.transaction() as session:
            for number, link, parent in self._index.children_of_earlier():
                arrival = await session.get(Arrival, (self._site.source, writing.ARTICLE, parent))
                if arrival is None:
                    continue
                is_numbered = addresses.post_id(link) is not None
                paths = [numbered(base, f"p={number}"), None if is_numbered else addresses.path_of(link)]
                self._told.changes += await old_addresses.remember(
                    session, [one for one in paths if one], article_id=UUID(arrival.target)
                )
