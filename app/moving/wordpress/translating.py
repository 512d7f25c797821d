"""One post or page as the article that it will be here: its text in Markdown, its pictures and links led to ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import urljoin, urlsplit
from uuid import UUID

from selectolax.lexbor import LexborNode

from app.articles import paths
from app.articles.arriving import Arriving
from app.articles.markdown import Rendered, plain_text, render_article
from app.i18n import N_, _
from app.moving.wordpress import addresses, content, report, rules, telling, wxr
from app.moving.wordpress.files import Files
from app.moving.wordpress.report import Report
from app.moving.wordpress.survey import Site

STORED = N_("stored here")
ELSEWHERE = N_("of other sites: left where they are")
KEPT = N_("not to be had: left where they are")
NO_ALT = N_("Pictures without words for those who cannot see them (alt text): please add them")
FOREIGN_PICTURES = N_("Pictures of other sites: a page here shows only its own, so please replace them")
DEAD_LINKS = N_("Links to addresses of the old site that nothing in the file has")
LONG_TITLES = N_("Titles longer than 200 characters: shortened")
UNKNOWN_AUTHORS = N_(
    "Authors that the file does not describe: their articles name the practice as the author"
)
UNDATED = N_("Published texts without a day in the file: they have that of their import")
SCHEDULED_FOR = N_("Scheduled articles and the day on which they come out here")


@dataclass(frozen=True)
class Translated:
    """The article and its rendered text."""

    arriving: Arriving
    rendered: Rendered


class Translator:
    """Translates the articles of one export, and reports what it meets."""

    def __init__(self, site: Site, files: Files, told: Report, now: datetime) -> None:
        self._site = site
        self._files = files
        self._report = told
        self._index = told.index
        self._now = now
        self._users = told.index.authors.users()
        self._logins = {login for login, *_rest in told.index.authors.all()}
        # What the last article leads to and the files do not have; another part of the export may.
        self._unmet: set[str] = set()

    async def article(self, item: wxr.Item, fate: rules.Fate) -> Translated:
        """Everything of the article but its responses."""
        name = self._name(item)
        self._unmet = set()
        self._index.missed.clear()
        document = content.read(item.content, self._index, item.id, item.meta)
        await self._pictures(document.pictures, name)
        await self._links(document.links, name)
        converted = document.to_markdown()
        text = await self._with_featured(item, converted.text, name)
        telling.tell(document.found, converted, name, self._report)
        rendered = render_article(text)
        return Translated(self._arriving(item, fate, document.before_more, text, rendered), rendered)

    @property
    def wants(self) -> list[str]:
        """What the last article leads to that has not come: addresses, `#12` an item, `^12:3` more files of one."""
        return sorted(self._unmet | self._index.missed)

    def has_come(self, want: str) -> bool:
        """Whether one of these is here now."""
        if want.startswith("#"):
            return self._index.attached(want[1:]) is not None or self._index.kind(want[1:]) == "wp_block"
        if want.startswith("^"):
            number, _colon, count = want[1:].rpartition(":")
            return len(self._index.attached_to(number)) > int(count)
        return self._page(want) is not None

    def _name(self, item: wxr.Item) -> str:
        return f"“{item.title or _('Untitled')}” ({item.link or item.id})"

    def _arriving(
        self, item: wxr.Item, fate: rules.Fate, before_more: str, text: str, rendered: Rendered
    ) -> Arriving:
        at = item.at or item.changed_at
        if at is None:
            # A second run must not make it another day.
            at = self._index.came(item.id) or self._now
            if fate.state == "published":
                self._report.note(UNDATED, f"{self._name(item)}: {at:%Y-%m-%d}")
        before = plain_text(
            render_article(content.read(before_more, self._index, item.id, {}).to_markdown().text).html
        )
        excerpt = wxr.plain(item.excerpt)
        if len(item.title) > rules.TITLE_MAX:
            self._report.note(LONG_TITLES, item.title)
        if fate.words == rules.SCHEDULED:
            self._report.note(SCHEDULED_FOR, f"{self._name(item)}: {at:%Y-%m-%d %H:%M} UTC")
        return Arriving(
            slug=self._index.slug_here(item.id),
            title=rules.title_of(item, _("Untitled")),
            summary=rules.summary_of(excerpt, item.meta, before, plain_text(rendered.html)),
            body_md=text,
            state=fate.state or "draft",
            is_listed=item.kind != "page",
            author_id=self._author(item.creator),
            created_at=at,
            changed_at=max(at, item.changed_at or at),
            published_at=at if fate.state == "published" else None,
            tags=self._tags(item.terms, self._name(item)),
        )

    def _author(self, login: str) -> UUID | None:
        if login not in self._logins:
            self._logins.add(login)
            self._report.note(UNKNOWN_AUTHORS, login or _("no name"))
        return self._users.get(login)

    def _tags(self, terms: Sequence[wxr.Term], name: str) -> tuple[tuple[str, str], ...]:
        found: dict[str, str] = {}
        writers = sorted({term.name for term in terms if term.taxonomy == rules.WRITERS})
        if len(writers) > 1:
            self._report.note(
                N_("Articles of several authors: here they have one"), f"{name}: {', '.join(writers)}"
            )
        for term in terms:
            slug = rules.tag_slug(term)
            # What WordPress puts everything into that nobody sorted.
            if (
                term.taxonomy in rules.TECHNICAL
                or term.taxonomy.startswith("pa_")
                or not slug
                or slug == "uncategorized"
            ):
                continue
            self._index.terms.use(term)
            # Commas stand between tags in the editor.
            found.setdefault(slug, rules.name_of(term.name.replace(",", " "), slug))
        return tuple(sorted(found.items()))

    # Pictures

    async def _pictures(self, images: Sequence[LexborNode], name: str) -> None:
        for image in images:
            source = (image.attributes.get("src") or "").strip()
            if not source:
                continue
            upload = self._upload(source)
            here = await self._files.here(upload) if upload else None
            self._alt(image, upload, source, name)
            if here is not None and here.startswith("/pictures/"):
                image.attrs["src"] = here
                self._report.count(report.PICTURES, N_("pictures"), STORED)
            elif upload:
                image.attrs["src"] = urljoin(self._site.url + "/", addresses.unproxied(source))
                self._report.count(report.PICTURES, N_("pictures"), KEPT)
            else:
                image.attrs["src"] = urljoin(self._site.url + "/", source)
                self._report.count(report.PICTURES, N_("pictures"), ELSEWHERE)
                self._report.note(FOREIGN_PICTURES, f"{source[:300]} in {name}")

    def _upload(self, address: str) -> str | None:
        """Where a file of the old site lies below its uploads, also under a name that the site had once."""
        if upload := addresses.upload_path(address, self._site.host):
            return upload
        host = addresses.host_of(addresses.unproxied(address))
        former = addresses.upload_path(address, host) if self._index.was_host(host) else None
        return former if former and self._index.attachment_of(former) else None

    def _alt(self, image: LexborNode, upload: str | None, source: str, name: str) -> None:
        if (image.attributes.get("alt") or "").strip():
            return
        attachment = self._index.attachment_of(upload) if upload else None
        known = self._index.attached(attachment) if attachment else None
        if known is not None and known.alt.strip():
            image.attrs["alt"] = known.alt
        else:
            self._report.note(NO_ALT, f"{source[:300]} in {name}")

    async def _with_featured(self, item: wxr.Item, text: str, name: str) -> str:
        """The featured picture stands at the beginning, unless the text shows it already."""
        attachment = item.meta.get("_thumbnail_id", "")
        known = self._index.attached(attachment) if attachment.isdigit() else None
        if known is None:
            return text
        upload = self._index.upload_of(attachment)
        here = await self._files.here(upload) if upload else None
        address = here or known.url
        outcome = STORED if here else KEPT
        self._report.count(report.PICTURES, N_("featured pictures"), outcome)
        if address in text:
            return text
        if not known.alt.strip():
            self._report.note(NO_ALT, f"{known.url} in {name}")
        html = f'<figure><img src="{escape(address)}" alt="{escape(known.alt)}">'
        caption = f"<figcaption>{known.caption}</figcaption>" if known.caption else ""
        return f"{content.figure(f'{html}{caption}</figure>')}\n\n{text}".strip()

    # Links

    async def _links(self, links: Sequence[LexborNode], name: str) -> None:
        for node in links:
            address = (node.attributes.get("href") or "").strip()
            if address.startswith("#"):
                continue
            if not content.is_link(address):
                del node.attrs["href"]
                self._report.count(report.LINKS, N_("links"), N_("to scripts: their words stay"))
                continue
            target, outcome = await self._resolved(address, name)
            if node.css_first("img") is not None and target.startswith("/pictures/"):
                # To the picture that it stands around: here that is its full size already.
                image = node.css_first("img")
                if image is not None and image.attributes.get("src") == target:
                    del node.attrs["href"]
                    outcome = N_("to the picture itself: no longer links")
            if "href" in node.attributes:
                node.attrs["href"] = target
            self._report.count(report.LINKS, N_("links"), outcome)

    async def _resolved(self, address: str, name: str) -> tuple[str, str]:
        """Where a link leads from here, and the report's words for it."""
        if upload := self._upload(address):
            here = await self._files.here(upload)
            outcome = (
                N_("to files stored here")
                if here
                else N_("to files that are not to be had: left as they are")
            )
            return here or urljoin(self._site.url + "/", address), outcome
        host = addresses.host_of(address)
        is_own = (
            host == self._site.host
            if host
            else address.startswith(("/", "?")) or not urlsplit(address).scheme
        )
        if not is_own:
            former = self._former(address, host)
            return (former, N_("to their place here")) if former else (address, N_("to other sites"))
        fragment = urlsplit(address).fragment
        found = self._page(address)
        if found is None:
            self._report.note(DEAD_LINKS, f"{address[:300]} in {name}")
            self._unmet.add(address[:2000])
            return urljoin(self._site.url + "/", address), N_("to the old site, where nothing in the file is")
        # Comments have other names here.
        return (f"{found}#responses" if fragment.startswith("comment") else found), N_("to their place here")

    def _former(self, address: str, host: str) -> str | None:
        """Where a link to a name that the site had once leads from here."""
        if not self._index.was_host(host):
            return None
        number = self._index.item_called(address)
        if number is None and not addresses.post_id(address):
            number = self._index.item_at(address)
        return self._place(number) if number else None

    def _page(self, address: str) -> str | None:
        path = addresses.path_of(address)
        base = addresses.path_of(self._site.url)
        if path == base and not addresses.post_id(address):
            return "/"
        if number := self._index.item_at(address):
            return self._place(number)
        inner = path.removeprefix(base)
        for start in ("/category/", "/tag/"):
            if inner.startswith(start):
                slug = rules.tag_slug(wxr.Term("", inner.rpartition("/")[2], ""))
                return f"/articles/tag/{slug}" if slug else None
        return None

    def _place(self, number: str) -> str | None:
        """An item's address here; an attachment's page was about the file, and leads to its article."""
        for _step in range(3):
            if slug := self._index.slug_here(number):
                return paths.address(slug, is_listed=self._index.kind(number) != "page")
            if self._index.kind(number) != "attachment":
                return None
            number = self._index.parent(number)
        return None
