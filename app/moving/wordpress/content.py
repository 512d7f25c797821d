"""One article's text out of WordPress: from two editors' dialects to a document, and on to Markdown. Pure."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Protocol

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.catalog.rules import slugify
from app.moving import nodes
from app.moving.markdown import Converted, Writer, to_markdown
from app.moving.wordpress import blocks, scenery, shortcodes, shown, source_code
from app.moving.wordpress.autop import autop

_MORE = re.compile(r"<!--more(?:(?!-->|<!--)[^\n])*+-->")
_NEXT_PAGE = re.compile(r"<!--nextpage-->")
_URL_LINE = re.compile(r"^[ \t]*(https?://[^\s<>\"]+)[ \t\r]*$", re.MULTILINE)
_URL_ALONE = re.compile(r"https?://[^\s<>]+")
_SCHEME = re.compile(r"(https?:|mailto:|tel:|#|/|[^:/?#]*(?:[/?#]|\Z))", re.IGNORECASE)


class Library(shown.Library, Protocol):
    """The parts of an export that a text may refer to."""

    def reusable(self, post_id: str) -> str | None: ...


@dataclass
class Found:
    """What a text held, by what became of it: name → how often."""

    shortcodes: Counter[str] = field(default_factory=Counter)
    unknown_shortcodes: Counter[str] = field(default_factory=Counter)
    blocks: Counter[str] = field(default_factory=Counter)
    foreign_blocks: Counter[str] = field(default_factory=Counter)
    empty_blocks: Counter[str] = field(default_factory=Counter)
    # (block, words) that a plugin's blocks keep among their settings.
    unsaid: list[tuple[str, str]] = field(default_factory=list)
    # Numbers of galleries' pictures that the file does not have.
    lacking: list[str] = field(default_factory=list)
    has_more: bool = False
    page_breaks: int = 0
    dead_anchors: int = 0
    # Counted apart from what became of them.
    shortcodes_seen: int = 0
    blocks_seen: int = 0


@dataclass
class Document:
    """A text ready to be looked at: its pictures and links are found, and may be given new addresses."""

    tree: LexborHTMLParser
    notes: dict[str, str]
    found: Found
    before_more: str

    @property
    def pictures(self) -> list[LexborNode]:
        return self.tree.css("img")

    @property
    def links(self) -> list[LexborNode]:
        return self.tree.css("a[href]:not([data-here])")

    def to_markdown(self) -> Converted:
        body = self.tree.body
        return Writer("article", self.notes).document(body) if body is not None else Converted()


def read(text: str, library: Library, post_id: str, meta: Mapping[str, str]) -> Document:
    """The text of a post with everything that WordPress would have done to it on its way to a visitor."""
    found = Found()
    text = source_code.protect(text)
    before_more, more, _after = _partition(_MORE, text)
    found.has_more = more
    found.blocks_seen = blocks.count(text)
    text, found.page_breaks = _NEXT_PAGE.subn("<hr>", text)
    if blocks.has_blocks(text):
        unfolded = blocks.unfold(text, library.reusable)
        text = unfolded.text
        found.blocks, found.foreign_blocks, found.empty_blocks = (
            unfolded.known,
            unfolded.foreign,
            unfolded.empty,
        )
        found.unsaid = unfolded.unsaid
    else:
        text = autop(_URL_LINE.sub(r'<figure class="embed">\1</figure>', text))
    found.shortcodes_seen = shortcodes.count(text)
    translated = shortcodes.Translator(library, post_id).translate(text)
    found.shortcodes.update(translated.known)
    found.unknown_shortcodes.update(translated.unknown)
    found.lacking = translated.lacking
    tree = LexborHTMLParser(f"<body>{translated.text}")
    scenery.settle(tree)
    _embeds(tree)
    notes = dict(translated.notes)
    _block_notes(tree, notes, meta.get("footnotes", ""))
    _handmade_notes(tree, notes)
    found.dead_anchors = _anchors(tree)
    return Document(tree, notes, found, before_more if more else "")


def read_comment(text: str) -> Converted:
    """A comment's text: WordPress shows it with paragraphs, and with addresses as links."""
    tree = LexborHTMLParser(f"<body>{autop(text)}")
    body = tree.body
    if body is None:
        return Converted()
    for node in body.css("a[href]"):
        if not is_link(node.attributes.get("href") or ""):
            del node.attrs["href"]
    for node in [n for n in body.traverse(include_text=True) if n.is_text_node]:
        _link_addresses(node)
    return Writer("response").document(body)


def is_link(address: str) -> bool:
    """Whether a page may lead there: no scripts, no data."""
    return _SCHEME.match(address.strip()) is not None


def _partition(pattern: re.Pattern[str], text: str) -> tuple[str, bool, str]:
    found = pattern.search(text)
    return (text[: found.start()], True, text[found.end() :]) if found else (text, False, "")


def _embeds(tree: LexborHTMLParser) -> None:
    """An address alone in its paragraph was a player or a card there: here it is a link."""
    body = tree.body
    for bare in [n for n in (body.iter(include_text=True) if body is not None else ()) if n.is_text_node]:
        words = (bare.text_content or "").strip()
        if _URL_ALONE.fullmatch(words) and not any(
            n is not None and n.is_element_node and nodes.is_inline(n) for n in (bare.prev, bare.next)
        ):
            bare.replace_with(_element("p", words))
    for node in tree.css("p, div, figure.embed"):
        words = (node.text(deep=False) or "").strip()
        if _URL_ALONE.fullmatch(words) and not any(n.is_element_node for n in node.iter()):
            for child in list(node.iter(include_text=True)):
                child.remove()
            node.insert_child(_element("a", words, href=words))


def _element(tag: str, words: str, **attributes: str) -> LexborNode:
    made = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    node = LexborHTMLParser(f"<body><{tag}{made}>{escape(words)}</{tag}>").css_first(f"body > {tag}")
    assert node is not None
    return node


def _block_notes(tree: LexborHTMLParser, notes: dict[str, str], stored: str) -> None:
    """The block editor's footnotes: references in the text, their words in a field of their own."""
    try:
        rows = json.loads(stored or "[]")
    except ValueError:
        rows = []
    words = (
        {str(r.get("id")): str(r.get("content", "")) for r in rows if isinstance(r, dict)}
        if isinstance(rows, list)
        else {}
    )
    labels: dict[str, str] = {}
    for mark in tree.css("sup[data-fn]"):
        key = mark.attributes.get("data-fn") or ""
        if key in words:
            label = labels.setdefault(key, str(len(notes) + 1))
            notes[label] = words[key]
            mark.attrs["data-note"] = label


def _handmade_notes(tree: LexborHTMLParser, notes: dict[str, str]) -> None:
    """Footnotes that somebody made of links: one down to the note, and in the note one back up."""
    targets = _targets(tree)
    labels: dict[str, str] = {}
    for mark in tree.css('a[href^="#"]'):
        name = (mark.attributes.get("href") or "#")[1:]
        target = targets.get(name)
        note = _container(target) if target is not None else None
        if note is None or (name in labels and notes.get(labels[name]) is None):
            continue
        back = _way_back(note, mark)
        if back is None:
            continue
        if name not in labels:
            labels[name] = str(len(notes) + 1)
            back.decompose()
            notes[labels[name]] = note.inner_html or ""
            note.decompose()
        outer = mark.parent if mark.parent is not None and mark.parent.tag == "sup" else mark
        outer.attrs["data-note"] = labels[name]
    for empty in tree.css("ol, ul, div.footnotes"):
        if labels and not empty.text().strip() and not empty.css("img"):
            empty.decompose()


def _targets(tree: LexborHTMLParser) -> dict[str, LexborNode]:
    found: dict[str, LexborNode] = {}
    for node in tree.css("[id], a[name]"):
        for name in (node.attributes.get("id"), node.attributes.get("name")):
            if name:
                found.setdefault(name, node)
    return found


def _container(target: LexborNode) -> LexborNode | None:
    at: LexborNode | None = target
    while at is not None and at.tag not in ("li", "p", "dd"):
        at = at.parent
    return at


def _way_back(note: LexborNode, mark: LexborNode) -> LexborNode | None:
    names = set()
    at: LexborNode | None = mark
    for _step in range(3):
        if at is None or at.mem_id == note.mem_id:
            break
        names |= {at.attributes.get("id"), at.attributes.get("name")}
        at = at.parent
    if any(inner.mem_id == mark.mem_id for inner in note.css("a")):
        return None
    return next(
        (a for a in note.css('a[href^="#"]') if (a.attributes.get("href") or "#")[1:] in names - {None, ""}),
        None,
    )


def _anchors(tree: LexborHTMLParser) -> int:
    """Links within the page follow their heading's new name; how many led to nothing that can be linked to."""
    headings = {
        name: node
        for node in tree.css("h1, h2, h3, h4, h5, h6")
        for name in (
            node.attributes.get("id"),
            *(a.attributes.get("name") or a.attributes.get("id") for a in node.css("a")),
        )
        if name
    }
    dead = 0
    for link in tree.css('a[href^="#"]'):
        if link.attributes.get("data-note") or (
            link.parent is not None and link.parent.attributes.get("data-note")
        ):
            continue
        target = headings.get((link.attributes.get("href") or "#")[1:])
        if target is not None and (name := slugify(target.text().replace("’", ""))):
            link.attrs["href"] = f"#{name}"
        else:
            dead += 1
            del link.attrs["href"]
    return dead


def _link_addresses(node: LexborNode) -> None:
    """Bare addresses in a comment's words become links, as WordPress makes them."""
    text = node.text_content or ""
    at: LexborNode | None = node.parent
    while at is not None:
        if at.tag in ("a", "code", "pre"):
            return
        at = at.parent
    pieces = re.split(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)\]])", text)
    if len(pieces) < 2:
        return
    made = "".join(
        f'<a href="{escape(part)}">{escape(part)}</a>' if n % 2 else escape(part, quote=False)
        for n, part in enumerate(pieces)
    )
    span = LexborHTMLParser(f"<body><span>{made}</span>").css_first("span")
    if span is not None:
        node.replace_with(span)


def figure(html: str) -> str:
    """One figure as Markdown."""
    return to_markdown(html).text
