"""The first pass over an export: what there is, so that the second one can tell where everything leads."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from html import unescape
from pathlib import Path

from app.errors import BadInput
from app.i18n import _
from app.moving.wordpress import addresses, packed, wxr
from app.moving.wordpress.index import Index
from app.moving.wordpress.records import Node, Record, Splitter, Unreadable, parse
from app.moving.wordpress.text import Repairs, clean_text

_HEAD = re.compile(
    r"<(wp:base_blog_url|wp:base_site_url|wp:wxr_version|title|link)>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</\1>",
    re.DOTALL,
)


@dataclass
class Site:
    """The site that the export is of."""

    url: str = ""
    title: str = ""
    version: str = ""

    @property
    def host(self) -> str:
        return addresses.host_of(self.url)

    @property
    def source(self) -> str:
        # An export without addresses is told from others by its title.
        return f"wordpress:{addresses.source_of(self.url) if self.url else f'“{self.title[:150]}”'}"


@dataclass
class Survey:
    """Counts of what is in the files, taken by themselves. `cut_off`: the files whose end is missing."""

    site: Site = field(default_factory=Site)
    records: int = 0
    items: int = 0
    comments: int = 0
    metas: int = 0
    terms: int = 0
    authors: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    doubles: int = 0
    cut_off: list[str] = field(default_factory=list)
    repairs: Repairs = field(default_factory=Repairs)


@dataclass(frozen=True)
class Read:
    """A record that was read: as a tree, or why it could not be."""

    record: Record
    node: Node | None
    why: str = ""


def read(files: Sequence[Path], survey: Survey, *, is_first: bool) -> Iterator[Read]:
    """Every record of the files. The first time, what is outside of them is looked at too.

    Raises:
        BadInput: a file is no WordPress export, or has a document type; or as `packed.parts`.
    """
    repairs = survey.repairs if is_first else Repairs()
    for name, data in (part for path in files for part in packed.parts(path)):
        splitter = Splitter(clean_text(data, repairs))
        for number, record in enumerate(splitter.records()):
            if number == 0 and is_first:
                _look_at_head(splitter.head, survey, name)
            try:
                node, is_mended = parse(record)
                repairs.mended_records += is_mended
            except Unreadable as why:
                yield Read(record, None, str(why))
            else:
                yield Read(record, node)
        if is_first:
            if splitter.at_start:
                _look_at_head(splitter.head, survey, name)
            if not splitter.is_whole:
                survey.cut_off.append(name)


def _look_at_head(head: str, survey: Survey, name: str) -> None:
    if "<rss" not in head or ("wordpress.org/export/" not in head and "<wp:wxr_version" not in head):
        raise BadInput(
            _(
                "%(name)s is not a WordPress export. In WordPress, choose Tools, Export, “All content”, and import the"
                " XML file that you get."
            )
            % {"name": name}
        )
    found: dict[str, str] = {}
    for tag, value in _HEAD.findall(head):
        found.setdefault(tag, unescape(value.strip()))
    if not survey.site.url:
        url = found.get("wp:base_blog_url") or found.get("link") or found.get("wp:base_site_url") or ""
        survey.site = Site(url, found.get("title", ""), found.get("wp:wxr_version", ""))


def take(
    files: Sequence[Path], index: Index, zone: tzinfo, say: Callable[[int], None] = lambda _records: None
) -> Survey:
    """Fill the index, and count.

    Raises:
        BadInput: as `read`.
    """
    survey = Survey()
    for found in read(files, survey, is_first=True):
        index.host = survey.site.host
        survey.records += 1
        say(survey.records)
        kind, node = found.record.kind, found.node
        if kind == "item":
            survey.items += 1
        elif kind == "wp:author":
            survey.authors += 1
        else:
            survey.terms += 1
        if node is None:
            continue
        if kind == "wp:author":
            index.authors.add(wxr.author(node))
        elif kind != "item":
            index.terms.add(wxr.term(node))
        else:
            survey.comments += sum(child.name == "wp:comment" for child in node.children)
            survey.metas += sum(child.name == "wp:postmeta" for child in node.children)
            item = index.numbers.given(wxr.item(node, zone))
            survey.kinds[item.kind] += 1
            survey.doubles += not index.add_item(item)
    return survey
