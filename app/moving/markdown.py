"""HTML that somebody wrote elsewhere as Limber's Markdown, with its structure: blocks here, words in `inline`."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.moving import inline, raw_html
from app.moving.inline import BREAK, DEL, EM, STRONG
from app.moving.names import names

Flavour = Literal["article", "response"]

INLINE = names(
    "a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd label mark meter nobr output progress"
    " q rp rt ruby s samp small span strike strong sub sup time tt u var wbr"
)
# Nothing of these is words.
GONE = names("script style template svg canvas math head link meta title base noscript map area")
CONTROLS = names("input button select textarea option")
PLAYERS = names("iframe embed object video audio")
STRONGS = names("strong b")
EMPHASES = names("em i cite dfn var address")
DELETED = names("del s strike")
CODES = names("code kbd samp tt")
# Lists that only place pictures.
GALLERIES = ("blocks-gallery-grid", "blocks-gallery-item", "wp-block-gallery", "gallery")
# Deeper than any page; hostile ones nest until the stack ends.
DEEPEST = 80

_BOLD = re.compile(r"font-weight\s*:\s*(bold|[6-9]00)")
_ITALIC = re.compile(r"font-style\s*:\s*italic")
_ALIGNED = re.compile(r"text-align\s*:\s*(center|right|justify)|float\s*:\s*(left|right)")
_LANGUAGE = re.compile(r"(?:^|\s)(?:language-|lang-|brush:\s*)([\w+#-]{1,30})")
_URL_ALONE = re.compile(r"https?://[^\s<>]+")


@dataclass
class Converted:
    """The Markdown, and what it has no place for: elements by name, and how many were aligned."""

    text: str = ""
    dropped: Counter[str] = field(default_factory=Counter)
    aligned: int = 0


def to_markdown(html: str, *, flavour: Flavour = "article") -> Converted:
    """Any HTML as Markdown that Limber renders to the same structure."""
    body = LexborHTMLParser(f"<body>{html}").body
    return Writer(flavour).document(body) if body is not None else Converted()


class Writer:
    """Walks one document. `notes`: label → HTML of the footnote that `data-note="label"` elements stand for."""

    def __init__(self, flavour: Flavour = "article", notes: Mapping[str, str] | None = None) -> None:
        self.flavour = flavour
        self.notes = notes or {}
        self.out = Converted()

    @property
    def _is_article(self) -> bool:
        return self.flavour == "article"

    def document(self, body: LexborNode) -> Converted:
        blocks = self.blocks(body, 0)
        for label, html in self.notes.items():
            note = LexborHTMLParser(f"<body>{html}").body
            text = "\n\n".join(self.blocks(note, 1)) if note is not None else ""
            blocks.append(f"[^{label}]: {_indented(text, 4) or '–'}")
        self.out.text = "\n\n".join(blocks)
        return self.out

    # Blocks

    def blocks(self, node: LexborNode, depth: int) -> list[str]:
        """The children's blocks, in order; words between them become paragraphs."""
        if depth > DEEPEST:
            self.out.dropped["too deep"] += 1
            return [words] if (words := inline.finished(inline.escaped(node.text()))) else []
        found: list[str] = []
        run: list[LexborNode] = []
        last_list = ""
        for child in _children(node):
            if _is_inline(child):
                run.append(child)
                continue
            if child.is_comment_node:
                continue
            if paragraph := self._paragraph(run, depth):
                found.append(paragraph)
                last_list = ""
            run = []
            made = self._block(child, depth, other_marker=last_list == (child.tag or ""))
            if made:
                # Two lists side by side are two: another marker begins another list.
                is_list = child.tag in ("ul", "ol") and last_list != child.tag
                last_list = (child.tag or "") if is_list else ""
            found += made
        if paragraph := self._paragraph(run, depth):
            found.append(paragraph)
        return found

    def _paragraph(self, run: list[LexborNode], depth: int) -> str:
        text = "".join(self.inline(child, depth) for child in run)
        return self._finished(text)

    def _finished(self, text: str) -> str:
        return inline.finished(text, line_break="\\\n" if self._is_article else "\n", html=self._is_article)

    def _block(self, node: LexborNode, depth: int, *, other_marker: bool = False) -> list[str]:
        tag = node.tag or ""
        self._note_alignment(node)
        if tag in GONE or tag in CONTROLS:
            self.out.dropped[tag] += 1
            return []
        if tag in PLAYERS:
            return [self._player(node)]
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            return self._heading(node, int(tag[1]), depth)
        if tag in ("ul", "ol", "li") and _has_class(node, *GALLERIES):
            return self.blocks(node, depth + 1)
        if tag in ("ul", "ol", "menu", "dir"):
            return self._list(node, depth, other_marker=other_marker)
        if tag == "blockquote":
            return self._quote(node, depth)
        if tag == "pre":
            return self._code(node, depth)
        if tag == "hr":
            return ["---"] if self._is_article else []
        if tag == "table":
            return self._table(node, depth)
        if tag == "figure":
            return self._figure(node, depth)
        if tag in ("dt", "summary"):
            title = self._finished(inline.wrapped(self._inner(node, depth), STRONG))
            return [title] if title else []
        if tag in STRONGS or tag in EMPHASES:
            return self._emphasised(node, depth)
        return self.blocks(node, depth + 1)

    def _heading(self, node: LexborNode, level: int, depth: int) -> list[str]:
        words = self._inner(node, depth).replace(BREAK, " ")
        if not self._is_article:
            title = self._finished(inline.wrapped(words, STRONG))
            return [title] if title else []
        title = inline.finished(words.replace(STRONG[0], "").replace(STRONG[1], ""))
        # The page's title is the only first level, and there is none below the fourth.
        mark = "#" * min(max(level, 2), 4)
        title = re.sub(r"(#+)\s*\Z", r"\\\1", title)
        return [f"{mark} {title}"] if title else []

    def _list(self, node: LexborNode, depth: int, *, other_marker: bool) -> list[str]:
        items = [child for child in _children(node) if child.is_element_node]
        is_loose = any(_has_paragraphs(item) for item in items)
        start = node.attributes.get("start") or "1"
        number = int(start) if re.fullmatch(r"\d{1,9}", start) else 1
        lines: list[str] = []
        for item in items:
            if item.tag in GONE:
                continue
            if node.tag == "ol":
                marker = f"{number}{')' if other_marker else '.'}"
                number += 1
            else:
                marker = "*" if other_marker else "-"
            # A list in a list that is no item belongs to the item before.
            if item.tag in ("ul", "ol") and lines:
                inner = "\n".join(self._list(item, depth + 1, other_marker=False))
                lines[-1] += "\n" + " " * (len(marker) + 1) + _indented(inner, len(marker) + 1)
                number -= 1
                continue
            blocks = self.blocks(item, depth + 1) if item.tag == "li" else self._block(item, depth + 1)
            lines.append(_item(marker, blocks, is_loose=is_loose))
        return [("\n\n" if is_loose else "\n").join(lines)] if lines else []

    def _quote(self, node: LexborNode, depth: int) -> list[str]:
        text = "\n\n".join(self.blocks(node, depth + 1))
        if not text:
            return []
        if self._is_article and _has_class(node, "wp-block-pullquote", "pullquote"):
            return [f"::: pull\n{text}\n:::"]
        return ["\n".join(f"> {line}".rstrip() for line in text.split("\n"))]

    def _code(self, node: LexborNode, depth: int) -> list[str]:
        if _has_class(node, "wp-block-verse"):
            verse = self._inner(node, depth, keep_lines=True)
            return [text] if (text := self._finished(verse)) else []
        text = "".join("\n" if n.tag == "br" else n.text_content or "" for n in _leaves(node)).strip("\n")
        if not text.strip():
            return []
        if not self._is_article:
            return ["\n".join(f"`{line}`" for line in text.replace("`", "'").split("\n") if line.strip())]
        names = " ".join(
            (n.attributes.get("class") or "") for n in (node, node.css_first("code")) if n is not None
        )
        language = found[1] if (found := _LANGUAGE.search(names)) else ""
        longest = max((len(ticks) for ticks in re.findall("`{3,}", text)), default=2)
        fence = "`" * (longest + 1)
        return [f"{fence}{language}\n{text}\n{fence}"]

    def _emphasised(self, node: LexborNode, depth: int) -> list[str]:
        """Emphasis around whole blocks goes into each plain paragraph."""
        stars = "**" if node.tag in STRONGS else "*"
        blocks = self.blocks(node, depth + 1)
        plain = re.compile(r"[^\W_][^*\n<>`\[\]]*")
        return [f"{stars}{block}{stars}" if plain.fullmatch(block) else block for block in blocks]

    def _player(self, node: LexborNode) -> str:
        """Players of other sites are links here: no page of Limber's asks anybody else."""
        address = _player_address(node)
        title = (node.attributes.get("title") or "").strip()
        if not address:
            self.out.dropped[node.tag or ""] += 1
            return inline.finished(inline.escaped(node.text()))
        return link(inline.escaped(title), address) if title else f"<{_angle(address)}>"

    # Figures

    def _figure(self, node: LexborNode, depth: int) -> list[str]:
        captions = [child for child in _children(node) if child.tag == "figcaption"]
        caption = captions[0] if captions else None
        pictures = node.css("img")
        others = node.css("figure, table, blockquote, iframe, video, audio, ul, ol, pre, p")
        if len(pictures) == 1 and not [
            n for n in others if n.mem_id != node.mem_id and not _within(n, caption)
        ]:
            return self._picture_figure(pictures[0], caption, depth)
        if _has_class(node, "wp-block-pullquote"):
            inner = node.css_first("blockquote")
            blocks = self.blocks(inner if inner is not None else node, depth + 1)
            return [f"::: pull\n{text}\n:::"] if (text := "\n\n".join(blocks)) else []
        found: list[str] = []
        for child in _children(node):
            if child.tag == "figcaption":
                continue
            if _is_inline(child):
                found += [text] if (text := self._alone(child, depth)) else []
            elif not child.is_comment_node:
                found += self._block(child, depth + 1)
        for one in captions:
            text = self._finished(inline.wrapped(self._inner(one, depth), EM))
            found += [text] if text else []
        return found

    def _alone(self, child: LexborNode, depth: int) -> str:
        text = self._paragraph([child], depth)
        bare = (child.text_content or "").strip() if child.is_text_node else ""
        return f"<{_angle(bare)}>" if _URL_ALONE.fullmatch(bare) else text

    def _picture_figure(self, picture: LexborNode, caption: LexborNode | None, depth: int) -> list[str]:
        source = picture.attributes.get("src") or ""
        if not source:
            self.out.dropped["img"] += 1
            return []
        self._note_alignment(picture)
        words = self._inner(caption, depth).strip() if caption is not None else ""
        anchor = _link_around(picture)
        is_plain = caption is None or not caption.css("a, em, i, strong, b, code, br, sup, sub")
        if self._is_article and (anchor or not is_plain):
            return [raw_html.figure(picture, anchor, caption)]
        title = " ".join((caption.text() if caption is not None else "").split())
        if not self._is_article and words:
            return [self._image(picture), self._finished(words)]
        return [self._image(picture, title)]

    def _image(self, node: LexborNode, title: str = "") -> str:
        source = node.attributes.get("src") or ""
        alt = inline.escaped(" ".join((node.attributes.get("alt") or "").split())).strip()
        if not source:
            self.out.dropped["img"] += 1
            return ""
        if not self._is_article:
            return link(alt or inline.escaped(source.rsplit("/", 1)[-1]), source)
        return "!" + link(alt, source, title, may_be_empty=True)

    # Tables

    def _table(self, node: LexborNode, depth: int) -> list[str]:
        rows = [row for row in node.css("tr") if _nearest_table(row) == node.mem_id]
        cells = [[cell for cell in _children(row) if cell.tag in ("td", "th")] for row in rows]
        cells = [row for row in cells if row]
        caption = next((child for child in _children(node) if child.tag == "caption"), None)
        after = []
        if caption is not None:
            text = self._finished(inline.wrapped(self._inner(caption, depth), EM))
            after = [text] if text else []
        if not cells:
            return after or self.blocks(node, depth + 1)
        if not self._is_article:
            lines = [" | ".join(self._cell(cell, depth) for cell in row) for row in cells]
            return ["\n".join(lines), *after]
        if not _is_simple(node, cells):
            return [raw_html.table(node), *after]
        width = max(len(row) for row in cells)
        texts = [[self._cell(cell, depth) for cell in row] + [""] * (width - len(row)) for row in cells]
        rule = [_cell_rule(cell) for cell in cells[0]] + ["---"] * (width - len(cells[0]))
        lines = [f"| {' | '.join(row)} |" for row in [texts[0], rule, *texts[1:]]]
        return ["\n".join(lines), *after]

    def _cell(self, node: LexborNode, depth: int) -> str:
        text = inline.finished(
            self._inner(node, depth + 1),
            line_break="<br>" if self._is_article else " ",
            html=self._is_article,
        )
        return text.replace("|", "\\|")

    # Words

    def _inner(self, node: LexborNode, depth: int, *, keep_lines: bool = False) -> str:
        return "".join(self.inline(child, depth + 1, keep_lines=keep_lines) for child in _children(node))

    def inline(self, node: LexborNode, depth: int, *, keep_lines: bool = False) -> str:
        """Words with marks for emphasis (`inline.finished` turns them into Markdown)."""
        if node.is_text_node:
            text = inline.clean(node.text_content or "")
            if keep_lines:
                return BREAK.join(inline.escaped(line) for line in text.split("\n"))
            return inline.escaped(text)
        if not node.is_element_node:
            return ""
        if depth > DEEPEST:
            self.out.dropped["too deep"] += 1
            return inline.escaped(node.text())
        label = node.attributes.get("data-note")
        if label in self.notes:
            return f"[^{label}]"
        return self._element(node, depth, keep_lines=keep_lines)

    def _element(self, node: LexborNode, depth: int, *, keep_lines: bool) -> str:
        tag = node.tag or ""
        if tag == "br":
            return BREAK
        if tag == "img":
            self._note_alignment(node)
            return self._image(node)
        if tag in GONE or tag in CONTROLS:
            self.out.dropped[tag] += 1
            return ""
        if tag in PLAYERS:
            return f" {self._player(node)} "
        if tag in CODES and not node.css("img, a"):
            # Two spans side by side would share their signs.
            if self._is_article and node.prev is not None and node.prev.tag in CODES:
                return f"<code>{inline.escaped(inline.clean(node.text())).strip()}</code>"
            return _code_span(node.text())
        inner = self._inner(node, depth, keep_lines=keep_lines)
        if tag == "a":
            return self._link(node, inner)
        if tag in ("sub", "sup") and self._is_article and inner.strip():
            return f"<{tag}>{inner}</{tag}>"
        if tag == "q":
            return f"“{inner}”"
        style = node.attributes.get("style") or ""
        if tag in STRONGS or _BOLD.search(style):
            inner = inline.wrapped(inner, STRONG)
        if tag in EMPHASES or _ITALIC.search(style):
            inner = inline.wrapped(inner, EM)
        if tag in DELETED and self._is_article:
            inner = inline.wrapped(inner, DEL)
        # A block among words (in a cell, say) keeps its distance.
        return inner if _is_inline(node) else f"{BREAK}{inner}{BREAK}"

    def _link(self, node: LexborNode, inner: str) -> str:
        address = (node.attributes.get("href") or "").strip()
        is_linked_already = not self._is_article and node.css_first("img") is not None
        if not address or is_linked_already or not inner.strip(f" {BREAK}"):
            return inner
        words = inner.replace(BREAK, " ")
        space = " " if words.startswith(" ") else ""
        title = node.attributes.get("title") or ""
        if node.text().strip() == address and re.match(r"https?://", address):
            return f"<{_angle(address)}>"
        return space + link(words.strip(), address, title) + (" " if words.endswith(" ") else "")

    def _note_alignment(self, node: LexborNode) -> None:
        names = node.attributes.get("class") or ""
        style = node.attributes.get("style") or ""
        aligned = "align" in names and re.search(r"align-?(left|right|center|wide|full)", names)
        if aligned or _ALIGNED.search(style) or node.attributes.get("align"):
            self.out.aligned += 1


def link(words: str, address: str, title: str = "", *, may_be_empty: bool = False) -> str:
    """A link of Markdown whose words are escaped already."""
    if not words and not may_be_empty:
        return f"<{_angle(address)}>"
    target = _angle(address)
    if re.search(r"[()\\\s]", target) or not target:
        target = f"<{target}>"
    title = " ".join(title.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'[{words}]({target} "{title}")' if title else f"[{words}]({target})"


def _angle(address: str) -> str:
    """An address that can stand between < and >."""
    return re.sub(r"\s", "%20", address.strip()).replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")


def _indented(text: str, by: int) -> str:
    """Every line but the first moved in."""
    return ("\n" + " " * by).join(text.split("\n")).replace("\n" + " " * by + "\n", "\n\n")


def _item(marker: str, blocks: list[str], *, is_loose: bool) -> str:
    gap = "\n\n" if is_loose else "\n"
    text = ""
    for block in blocks:
        # Only a list that begins with 1 may follow words without an empty line.
        needs_gap = not re.match(r"[-*] |1[.)] ", block)
        text += (("\n\n" if needs_gap else gap) if text else "") + block
    return f"{marker} {_indented(text, len(marker) + 1)}".rstrip()


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _leaves(node: LexborNode) -> list[LexborNode]:
    return [n for n in node.traverse(include_text=True) if n.is_text_node or n.tag == "br"]


def _is_inline(node: LexborNode) -> bool:
    if node.is_text_node:
        return True
    # Without recursion: a broken editor nests bold words in bold words a thousand deep.
    todo = [node]
    while todo:
        one = todo.pop()
        if one.tag not in INLINE:
            return False
        todo += [child for child in _children(one) if child.is_element_node]
    return True


def _has_paragraphs(item: LexborNode) -> bool:
    return any(child.tag in ("p", "pre", "blockquote", "figure") for child in _children(item))


def _has_class(node: LexborNode, *names: str) -> bool:
    own = (node.attributes.get("class") or "").split()
    return any(name in own for name in names)


def _within(node: LexborNode, ancestor: LexborNode | None) -> bool:
    at = node.parent
    while ancestor is not None and at is not None:
        if at.mem_id == ancestor.mem_id:
            return True
        at = at.parent
    return False


def _link_around(picture: LexborNode) -> LexborNode | None:
    at = picture.parent
    while at is not None and at.tag != "figure":
        if at.tag == "a" and at.attributes.get("href"):
            return at
        at = at.parent
    return None


def _player_address(node: LexborNode) -> str:
    own = node.attributes.get("src") or node.attributes.get("data") or node.attributes.get("data-src") or ""
    if not own:
        inner = node.css_first("source[src], embed[src], a[href], param[name=movie]")
        if inner is not None:
            own = (
                inner.attributes.get("src")
                or inner.attributes.get("href")
                or inner.attributes.get("value")
                or ""
            )
    own = own.strip()
    if own.startswith("//"):
        own = f"https:{own}"
    return own if re.match(r"https?://|/", own) else ""


def _nearest_table(row: LexborNode) -> int:
    at = row.parent
    while at is not None and at.tag != "table":
        at = at.parent
    return at.mem_id if at is not None else 0


def _is_simple(table: LexborNode, rows: list[list[LexborNode]]) -> bool:
    """Whether Markdown's tables can say it: a row of headings, and words in every cell."""
    head = rows[0]
    has_head = all(cell.tag == "th" for cell in head) or table.css_first("thead") is not None
    if not has_head or any(cell.tag == "th" for row in rows[1:] for cell in row):
        return False
    for row in rows:
        for cell in row:
            spans = (cell.attributes.get("colspan") or "1", cell.attributes.get("rowspan") or "1")
            if spans != ("1", "1") or len(row) > len(head):
                return False
            blocks = cell.css(
                "p, ul, ol, table, pre, blockquote, h1, h2, h3, h4, h5, h6, figure, iframe, div"
            )
            if [one for one in blocks if one.mem_id != cell.mem_id]:
                return False
    return True


def _cell_rule(cell: LexborNode) -> str:
    style = (cell.attributes.get("style") or "") + " " + (cell.attributes.get("class") or "")
    align = cell.attributes.get("align") or ""
    for side, rule in (("center", ":---:"), ("right", "---:"), ("left", ":---")):
        if align == side or re.search(rf"text-align[:-]\s*{side}", style):
            return rule
    return "---"


def _code_span(text: str) -> str:
    text = " ".join(inline.clean(text).split())
    if not text:
        return ""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
