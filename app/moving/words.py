"""The words of one document as Markdown: emphasis, links, code, pictures and players within a line."""

import re
from collections import Counter
from collections.abc import Collection

from selectolax.lexbor import LexborNode

from app.moving import inline, nodes
from app.moving.inline import BREAK, DEL, EM, STRONG
from app.moving.nodes import CODES, CONTROLS, DEEPEST, DELETED, EMPHASES, GONE, PLAYERS, STRONGS
from app.moving.spelling import angle, code_span, link

_BOLD = re.compile(r"font-weight\s*:\s*(bold|[6-9]00)")
_ITALIC = re.compile(r"font-style\s*:\s*italic")
_ALIGNED = re.compile(
    r"text-align\s*:\s*(center|right|justify)|float\s*:\s*(left|right)"
    r"|(?:padding|margin)-left\s*:\s*[1-9]"
)


class Words:
    """Writes what stands in a line, and counts what it has no place for: `dropped` by element, `aligned`.

    `labels`: the footnotes that `data-note="label"` elements stand for.
    """

    def __init__(self, *, is_article: bool, labels: Collection[str] = ()) -> None:
        self.is_article = is_article
        self.labels = labels
        self.dropped: Counter[str] = Counter()
        self.aligned = 0

    def finished(self, text: str) -> str:
        """A whole paragraph of what `of` and `inside` gave."""
        return inline.finished(text, line_break="\\\n" if self.is_article else "\n", html=self.is_article)

    def inside(self, node: LexborNode, depth: int, *, keep_lines: bool = False) -> str:
        """The words of everything in the node, with the marks of `of`."""
        return "".join(self.of(child, depth + 1, keep_lines=keep_lines) for child in nodes.children(node))

    def of(self, node: LexborNode, depth: int, *, keep_lines: bool = False) -> str:
        """Words with marks for emphasis (`inline.finished` turns them into Markdown)."""
        if node.is_text_node:
            text = inline.clean(node.text_content or "")
            is_start = node.prev is None or node.prev.tag == "br"
            if keep_lines:
                text = inline.indents(text, is_start=is_start)
                return BREAK.join(inline.escaped(line) for line in text.split("\n"))
            if node.prev is not None and is_start:
                text = inline.indented_start(text)
            return inline.escaped(text)
        if not node.is_element_node:
            return ""
        if depth > DEEPEST:
            self.dropped["too deep"] += 1
            return inline.escaped(node.text())
        label = node.attributes.get("data-note")
        if label in self.labels:
            return f"[^{label}]"
        return self._element(node, depth, keep_lines=keep_lines)

    def image(self, node: LexborNode, title: str = "") -> str:
        """The picture; a response has none, and links to it."""
        source = node.attributes.get("src") or ""
        alt = inline.escaped(" ".join((node.attributes.get("alt") or "").split())).strip()
        if not source:
            self.dropped["img"] += 1
            return ""
        if not self.is_article:
            return link(alt or inline.escaped(source.rsplit("/", 1)[-1]), source)
        return "!" + link(alt, source, title, may_be_empty=True)

    def player(self, node: LexborNode) -> str:
        """Players of other sites are links here: no page of Limber's asks anybody else."""
        address = nodes.player_address(node)
        title = (node.attributes.get("title") or "").strip()
        if not address:
            self.dropped[node.tag or ""] += 1
            return inline.finished(inline.escaped(node.text()))
        return link(inline.escaped(title), address) if title else f"<{angle(address)}>"

    def note_alignment(self, node: LexborNode) -> None:
        """Counts what was moved to a side: Markdown has no place for it."""
        names = node.attributes.get("class") or ""
        style = node.attributes.get("style") or ""
        aligned = "align" in names and re.search(r"align-?(left|right|center|wide|full)", names)
        if aligned or _ALIGNED.search(style) or node.attributes.get("align"):
            self.aligned += 1

    def _element(self, node: LexborNode, depth: int, *, keep_lines: bool) -> str:
        tag = node.tag or ""
        if tag == "br":
            return BREAK
        if tag == "img":
            self.note_alignment(node)
            return self.image(node)
        if tag in GONE or tag in CONTROLS:
            self.dropped[tag] += 1
            return ""
        if tag in PLAYERS:
            return f" {self.player(node)} "
        if tag in CODES and not node.css("img, a"):
            # Two spans side by side would share their signs.
            if self.is_article and node.prev is not None and node.prev.tag in CODES:
                return f"<code>{inline.escaped(inline.clean(node.text())).strip()}</code>"
            return code_span(node.text())
        inner = self.inside(node, depth, keep_lines=keep_lines)
        if tag == "a":
            return self._link(node, inner)
        if tag in ("sub", "sup") and self.is_article and inner.strip():
            return f"<{tag}>{inner}</{tag}>"
        if tag == "q":
            return f"“{inner}”"
        style = node.attributes.get("style") or ""
        if tag in STRONGS or _BOLD.search(style):
            inner = inline.wrapped(inner, STRONG)
        if tag in EMPHASES or _ITALIC.search(style):
            inner = inline.wrapped(inner, EM)
        if tag in DELETED and self.is_article:
            inner = inline.wrapped(inner, DEL)
        # A block among words (in a cell, say) keeps its distance.
        return inner if nodes.is_inline(node) else f"{BREAK}{inner}{BREAK}"

    def _link(self, node: LexborNode, inner: str) -> str:
        address = (node.attributes.get("href") or "").strip()
        is_linked_already = not self.is_article and node.css_first("img") is not None
        if not address or is_linked_already or not inner.strip(f" {BREAK}"):
            return inner
        words = inner.replace(BREAK, " ")
        space = " " if words.startswith(" ") else ""
        title = node.attributes.get("title") or ""
        if node.text().strip() == address and re.match(r"https?://", address):
            return f"<{angle(address)}>"
        return space + link(words.strip(), address, title) + (" " if words.endswith(" ") else "")
