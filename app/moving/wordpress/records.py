"""The text of an export in records (author, term, item), one in memory at a time; a broken one costs no other."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from app.errors import BadInput
from app.i18n import _

KINDS = ("item", "wp:author", "wp:category", "wp:tag", "wp:term")
# Larger than any article with its responses; a file that never closes an item must not fill the memory.
LARGEST_CHARS = 128 * 2**20
# No token that is looked for is longer.
_MARGIN = 64
_HEAD_CHARS = 1 << 20

_OUTSIDE = re.compile(
    r"<!--|<!\[CDATA\[|<!(?i:doctype)|<(item|wp:author|wp:category|wp:tag|wp:term)(?=[\s>])"
)
_INSIDE = {kind: re.compile(rf"<!\[CDATA\[|</{kind}\s*>") for kind in KINDS}
_CDATA_END = re.compile(r"\]\]>")
_COMMENT_END = re.compile(r"-->")
_RSS_END = re.compile(r"</rss\s*>")

# Elements that hold HTML.
_TEXTS = ("content:encoded", "excerpt:encoded", "wp:comment_content")
_SECTION = re.compile(r"<([\w:]++)[^<>]*>\s*<!\[CDATA\[")
_SECTION_END = re.compile(r"\]\]>\s*</([\w:]+)\s*>")
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
_REFERENCE = re.compile(r"&(#[0-9]{1,8};|#[xX][0-9a-fA-F]{1,8};|\w{1,40};)?")
_XML_NAMES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})


@dataclass(frozen=True)
class Record:
    """One element of the channel as XML. `at`: how many characters of the file stand before it."""

    kind: str
    xml: str
    at: int
    is_whole: bool = True


@dataclass
class Node:
    """An element: `text` is its own, without its children's."""

    name: str
    attrs: dict[str, str]
    text: str
    children: list["Node"]

    def get(self, name: str) -> str:
        """The text of the first child of that name, or ""."""
        return next((child.text for child in self.children if child.name == name), "")


class Unreadable(Exception):
    """XML that cannot be read even after mending; the message says why, in the parser's words."""


class Splitter:
    """Walks the text once. `head` is what stood outside of records, `at_start` whether there was none yet."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self._text = ""
        self._pos = 0
        self._before = 0
        self._head: list[str] = []
        self._head_chars = 0
        self.at_start = True

    @property
    def head(self) -> str:
        return "".join(self._head)

    @property
    def is_whole(self) -> bool:
        return _RSS_END.search("".join(self._head[-8:])) is not None

    @property
    def at(self) -> int:
        return self._before + self._pos

    def records(self) -> Iterator[Record]:
        """Every record in the file's order.

        Raises:
            BadInput: the file declares a document type: those carry entities, and WordPress writes none.
        """
        while (found := self._find(_OUTSIDE, self._keep)) is not None:
            if found[0].upper() == "<!DOCTYPE":
                raise BadInput(_refusal(self._text[self._pos : self._pos + 20]))
            if found[0] == "<!--":
                self._find(_COMMENT_END, _drop)
            elif found[0] == "<![CDATA[":
                self._find(_CDATA_END, self._keep)
            else:
                self.at_start = False
                yield self._record(found[1], found[0])

    def _record(self, kind: str, opening: str) -> Record:
        at, pieces, size = self.at - len(opening), [opening], len(opening)

        def take(piece: str) -> None:
            nonlocal size
            size += len(piece)
            if size <= LARGEST_CHARS:
                pieces.append(piece)

        while (found := self._find(_INSIDE[kind], take)) is not None:
            take(found[0])
            if found[0] != "<![CDATA[":
                break
            if self._find(_CDATA_END, take) is None:
                found = None
                break
            take("]]>")
        return Record(kind, "".join(pieces), at, found is not None and size <= LARGEST_CHARS)

    def _keep(self, piece: str) -> None:
        self._head_chars += len(piece)
        # What stands between records is a few titles at the beginning, and the end.
        if self._head_chars < _HEAD_CHARS or "</rss" in piece:
            self._head.append(piece)

    def _find(self, pattern: re.Pattern[str], take: Callable[[str], None]) -> re.Match[str] | None:
        """The next match; what stands before it goes to `take`. None at the end of the file."""
        while True:
            found = pattern.search(self._text, self._pos)
            if found is not None and found.end() < len(self._text):
                take(self._text[self._pos : found.start()])
                self._pos = found.end()
                return found
            more = next(self._chunks, None)
            if more is None:
                return self._last(found, take)
            # Nothing that begins in what is passed on now can be part of a match.
            safe = max(self._pos, min(found.start() if found else len(self._text), len(self._text) - _MARGIN))
            take(self._text[self._pos : safe])
            self._before += safe
            self._text = self._text[safe:] + more
            self._pos = 0

    def _last(self, found: re.Match[str] | None, take: Callable[[str], None]) -> re.Match[str] | None:
        take(self._text[self._pos : found.start() if found else len(self._text)])
        self._pos = found.end() if found else len(self._text)
        return found


def _refusal(doctype: str) -> str:
    if doctype.strip().lower().startswith("html"):
        return _("This is a web page and not an export. Perhaps you were signed out when you saved it.")
    return _("This file declares a document type of its own, which no WordPress export does.")


def _drop(_piece: str) -> None:
    return


def parse(record: Record) -> tuple[Node, bool]:
    """The record as a tree, and whether it had to be mended first.

    Raises:
        Unreadable: it is cut off, or no XML.
    """
    if not record.is_whole:
        raise Unreadable(_("it is cut off"))
    xml = _as_text(record.xml)
    try:
        return _parsed(xml), False
    except expat.ExpatError:
        pass
    try:
        return _parsed(_mended(xml)), True
    except expat.ExpatError as fault:
        raise Unreadable(str(fault)) from None


def _as_text(xml: str) -> str:
    """Words whose markup is XML's own (a hand that wrote `<content:encoded><p>…`), as the text that it should be."""
    for name in _TEXTS:
        opening, closing = f"<{name}>", f"</{name}>"
        pieces, at = [], 0
        while (start := xml.find(opening, at)) >= 0 and (end := xml.find(closing, start)) >= 0:
            inner = xml[start + len(opening) : end]
            if "<" in inner and "<![CDATA[" not in inner:
                inner = f"<![CDATA[{inner.replace(']]>', ']]]]><![CDATA[>')}]]>"
            pieces += [xml[at:start], opening, inner, closing]
            at = end + len(closing)
        xml = "".join([*pieces, xml[at:]])
    return xml


def _parsed(xml: str) -> Node:
    # Without namespaces: prefixes are looked at as they stand, as WordPress's own importer does.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    root = Node("", {}, "", [])
    stack: list[tuple[Node, list[str]]] = [(root, [])]

    def start(name: str, attrs: dict[str, str]) -> None:
        node = Node(name, attrs, "", [])
        stack[-1][0].children.append(node)
        stack.append((node, []))

    def end(_name: str) -> None:
        node, pieces = stack.pop()
        node.text = "".join(pieces)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: stack[-1][1].append(text)
    parser.Parse(xml.encode("utf-8"), True)
    return root.children[0]


def _mended(xml: str) -> str:
    """The same with every "]]>" inside of a section split, and no bare or unknown "&" outside of them."""
    parts = _CDATA.split(_with_whole_sections(xml))
    parts[::2] = [_REFERENCE.sub(_reference, part) for part in parts[::2]]
    return "".join(parts)


def _with_whole_sections(xml: str) -> str:
    """A section ends where its element does: what ends it before that is part of its text."""
    ends: dict[str, list[re.Match[str]]] = {}
    for found in _SECTION_END.finditer(xml):
        ends.setdefault(found[1], []).append(found)
    for same in ends.values():
        same.reverse()
    pieces, at = [], 0
    for found in _SECTION.finditer(xml):
        same = ends.get(found[1], [])
        while same and same[-1].start() < found.end():
            same.pop()
        if found.start() < at or not same:
            continue
        inner = (
            xml[found.end() : same[-1].start()]
            .replace("]]]]><![CDATA[>", "]]>")
            .replace("]]>", "]]]]><![CDATA[>")
        )
        pieces += [xml[at : found.end()], inner, same[-1][0]]
        at = same[-1].end()
    return "".join([*pieces, xml[at:]])


def _reference(found: re.Match[str]) -> str:
    name = found[1]
    if name is None:
        return "&amp;"
    if name in _XML_NAMES:
        return found[0]
    if name.startswith("#"):
        number = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
        is_allowed = number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE
        return found[0] if is_allowed or 0x10000 <= number < 0x110000 else ""
    character = html.unescape(found[0])
    return character if character != found[0] else f"&amp;{name}"
