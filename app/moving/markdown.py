"""HTML that somebody wrote elsewhere as Limber's Markdown, with its structure: blocks here, lines in `words`."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.moving import inline, nodes, numbering, raw_html, tables
from app.moving.inline import BREAK, EM, STRONG
from app.moving.nodes import CONTROLS, DEEPEST, EMPHASES, GALLERIES, GONE, PLAYERS, STRONGS
from app.moving.spelling import angle, indented, list_item
from app.moving.words import Words

Flavour = Literal["article", "response"]

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
        self.notes = notes or {}
        self._is_article = flavour == "article"
        self.words = Words(is_article=self._is_article, labels=self.notes)

    def document(self, body: LexborNode) -> Converted:
        blocks = self.blocks(body, 0)
        for label, html in self.notes.items():
            note = LexborHTMLParser(f"<body>{html}").body
            text = "\n\n".join(self.blocks(note, 1)) if note is not None else ""
            blocks.append(f"[^{label}]: {indented(text, 4) or '–'}")
        return Converted("\n\n".join(blocks), self.words.dropped, self.words.aligned)

    # Blocks

    def blocks(self, node: LexborNode, depth: int) -> list[str]:
        """The children's blocks, in order; words between them become paragraphs."""
        if depth > DEEPEST:
            self.words.dropped["too deep"] += 1
            return [words] if (words := inline.finished(inline.escaped(node.text()))) else []
        found: list[str] = []
        run: list[LexborNode] = []
        last_list = ""
        for child in nodes.children(node):
            if nodes.is_inline(child):
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
        text = "".join(self.words.of(child, depth) for child in run)
        return self.words.finished(text)

    def _block(self, node: LexborNode, depth: int, *, other_marker: bool = False) -> list[str]:
        tag = node.tag or ""
        self.words.note_alignment(node)
        if tag in GONE or tag in CONTROLS:
            self.words.dropped[tag] += 1
            return []
        if tag in PLAYERS:
            return [self.words.player(node)]
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            return self._heading(node, int(tag[1]), depth)
        if tag in ("ul", "ol", "li") and nodes.has_class(node, *GALLERIES):
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
            title = self.words.finished(inline.wrapped(self.words.inside(node, depth), STRONG))
            return [title] if title else []
        if tag in STRONGS or tag in EMPHASES:
            return self._emphasised(node, depth)
        return self.blocks(node, depth + 1)

    def _heading(self, node: LexborNode, level: int, depth: int) -> list[str]:
        words = self.words.inside(node, depth).replace(BREAK, " ")
        if not self._is_article:
            title = self.words.finished(inline.wrapped(words, STRONG))
            return [title] if title else []
        title = inline.finished(words.replace(STRONG[0], "").replace(STRONG[1], ""))
        # The page's title is the only first level, and there is none below the fourth.
        mark = "#" * min(max(level, 2), 4)
        title = re.sub(r"(#+)\s*\Z", r"\\\1", title)
        return [f"{mark} {title}"] if title else []

    def _list(self, node: LexborNode, depth: int, *, other_marker: bool) -> list[str]:
        if node.tag == "ol" and not numbering.is_plain(node):
            if self._is_article and (whole := raw_html.ordered(node)) is not None:
                return [whole] if node.text().strip() or node.css("img") else []
            self.words.dropped["ol: how it counts"] += 1
        items = [child for child in nodes.children(node) if child.is_element_node]
        is_loose = any(nodes.has_paragraphs(item) for item in items)
        start = numbering.number(node, "start")
        number = start if start is not None and start >= 0 else 1
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
                lines[-1] += "\n" + " " * (len(marker) + 1) + indented(inner, len(marker) + 1)
                number -= 1
                continue
            blocks = self.blocks(item, depth + 1) if item.tag == "li" else self._block(item, depth + 1)
            lines.append(list_item(marker, blocks, is_loose=is_loose))
        return [("\n\n" if is_loose else "\n").join(lines)] if lines else []

    def _quote(self, node: LexborNode, depth: int) -> list[str]:
        text = "\n\n".join(self.blocks(node, depth + 1))
        if not text:
            return []
        if self._is_article and nodes.has_class(node, "wp-block-pullquote", "pullquote"):
            return [f"::: pull\n{text}\n:::"]
        return ["\n".join(f"> {line}".rstrip() for line in text.split("\n"))]

    def _code(self, node: LexborNode, depth: int) -> list[str]:
        if nodes.has_class(node, "wp-block-verse"):
            verse = self.words.inside(node, depth, keep_lines=True)
            return [text] if (text := self.words.finished(verse)) else []
        text = "".join("\n" if n.tag == "br" else n.text_content or "" for n in nodes.leaves(node)).strip(
            "\n"
        )
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

    # Figures

    def _figure(self, node: LexborNode, depth: int) -> list[str]:
        captions = [child for child in nodes.children(node) if child.tag == "figcaption"]
        caption = captions[0] if captions else None
        pictures = node.css("img")
        others = node.css("figure, table, blockquote, iframe, video, audio, ul, ol, pre, p")
        if len(pictures) == 1 and not [
            n for n in others if n.mem_id != node.mem_id and not nodes.within(n, caption)
        ]:
            return self._picture_figure(pictures[0], caption, depth)
        if nodes.has_class(node, "wp-block-pullquote"):
            inner = node.css_first("blockquote")
            blocks = self.blocks(inner if inner is not None else node, depth + 1)
            return [f"::: pull\n{text}\n:::"] if (text := "\n\n".join(blocks)) else []
        found: list[str] = []
        for child in nodes.children(node):
            if child.tag == "figcaption":
                continue
            if nodes.is_inline(child):
                found += [text] if (text := self._alone(child, depth)) else []
            elif not child.is_comment_node:
                found += self._block(child, depth + 1)
        for one in captions:
            text = self.words.finished(inline.wrapped(self.words.inside(one, depth), EM))
            found += [text] if text else []
        return found

    def _alone(self, child: LexborNode, depth: int) -> str:
        text = self._paragraph([child], depth)
        bare = (child.text_content or "").strip() if child.is_text_node else ""
        return f"<{angle(bare)}>" if _URL_ALONE.fullmatch(bare) else text

    def _picture_figure(self, picture: LexborNode, caption: LexborNode | None, depth: int) -> list[str]:
        source = picture.attributes.get("src") or ""
        if not source:
            self.words.dropped["img"] += 1
            return []
        self.words.note_alignment(picture)
        words = self.words.inside(caption, depth).strip() if caption is not None else ""
        anchor = nodes.link_around(picture)
        is_plain = caption is None or not caption.css("a, em, i, strong, b, code, br, sup, sub")
        if self._is_article and (anchor or not is_plain):
            return [raw_html.figure(picture, anchor, caption)]
        title = " ".join((caption.text() if caption is not None else "").split())
        if not self._is_article and words:
            return [self.words.image(picture), self.words.finished(words)]
        return [self.words.image(picture, title)]

    # Tables

    def _table(self, node: LexborNode, depth: int) -> list[str]:
        cells = tables.cells_of(node)
        caption = next((child for child in nodes.children(node) if child.tag == "caption"), None)
        after = []
        if caption is not None:
            text = self.words.finished(inline.wrapped(self.words.inside(caption, depth), EM))
            after = [text] if text else []
        if not cells:
            return after or self.blocks(node, depth + 1)
        if not self._is_article:
            lines = [" | ".join(self._cell(cell, depth) for cell in row) for row in cells]
            return ["\n".join(lines), *after]
        if not tables.is_simple(node, cells):
            return [raw_html.table(node), *after]
        width = max(len(row) for row in cells)
        texts = [[self._cell(cell, depth) for cell in row] + [""] * (width - len(row)) for row in cells]
        rule = [tables.cell_rule(cell) for cell in cells[0]] + ["---"] * (width - len(cells[0]))
        lines = [f"| {' | '.join(row)} |" for row in [texts[0], rule, *texts[1:]]]
        return ["\n".join(lines), *after]

    def _cell(self, node: LexborNode, depth: int) -> str:
        text = inline.finished(
            self.words.inside(node, depth + 1),
            line_break="<br>" if self._is_article else " ",
            html=self._is_article,
        )
        return text.replace("|", "\\|")
