"""Markdown to clean HTML: the whole language for articles, a small part of it for responses; both pass nh3."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.footnote import footnote_plugin

from app.articles import figures
from app.articles.directives import directives
from app.catalog.rules import slugify
from app.i18n import _

# Where `::clip name` stood, and the name: the page puts the clip there.
CLIP_HERE = re.compile(r'<div class="clip-here" data-clip="([a-z0-9-]+)"></div>\n?')
_CLIP = re.compile(r"::clip[ \t]+([a-z0-9]+(?:-[a-z0-9]+)*)[ \t]*")

# Ids that the article page itself uses; a heading must not take them.
RESERVED_IDS = frozenset({"main", "respond", "responses", "name", "email", "body", "author", "footnotes"})

_TAGS = (
    "p br hr h2 h3 h4 ul ol li blockquote cite strong em s del code pre a img figure figcaption sup sub"
    " table thead tbody tr th td section aside div"
)
_ARTICLE_TAGS = set(_TAGS.split())
_ARTICLE_ATTRIBUTES = {
    "a": {"href", "title", "id", "aria-label"},
    "div": {"data-card", "data-clip"},
    "img": {"src", "alt", "width", "height"},
    "li": {"id", "value"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "ol": {"start", "type", "reversed"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
}
_ARTICLE_CLASSES = {
    "aside": {"pullquote"},
    "div": {"notice", "notice-info", "notice-warn", "lesson-here", "topic-here", "clip-here"},
    "p": {"notice-title"},
    "section": {"footnotes", "meta"},
    "sup": {"footnote-ref"},
    "li": {"footnote-item"},
    "ol": {"lower-alpha", "upper-alpha", "lower-roman", "upper-roman"},
    "a": {"footnote-backref"},
}
_RESPONSE_TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "code"}
_SCHEMES = {"http", "https", "mailto", "tel"}
_HEADING = re.compile(r'<h([23]) id="([^"]+)">(.*?)</h\1>', re.DOTALL)
# A description may hold what looks like the end of its tag.
_TAG = re.compile(r'<(?:"[^"]*"|[^">])+>')
# These stand inside words and before full stops, so no space takes their place.
_INLINE_TAG = re.compile(r"</?(?:a|code|del|em|s|strong|sub|sup)\b[^>]*>")
_PICTURE = re.compile(r"<img\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*>", re.IGNORECASE)
_ALT = re.compile(r"""\salt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_WORD = re.compile(r"\w+(?:[’'-]\w+)*")


@dataclass(frozen=True)
class Rendered:
    html: str
    word_count: int


@dataclass(frozen=True)
class Heading:
    """An entry of the contents list: `level` is 2 or 3."""

    level: int
    id: str
    text: str


def _heading_id(text: str) -> str:
    slug = slugify(text.replace("’", "")) or "section"
    taken = slug in RESERVED_IDS or slug.startswith(("fn", "response-"))
    return f"on-{slug}" if taken else slug


def _lower_first_level(state: StateCore) -> None:
    """`# Heading` becomes a second level: the page's own title is the only first one."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close") and token.tag == "h1":
            token.tag = "h2"


def _figures(state: StateCore) -> None:
    """A picture alone in its paragraph becomes a figure, and its title the caption."""
    for before, inline, after in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        children = inline.children or []
        if before.type != "paragraph_open" or len(children) != 1 or children[0].type != "image":
            continue
        picture = children[0]
        caption = str(picture.attrs.pop("title", ""))
        before.tag = after.tag = "figure"
        if caption:
            words = Token("text", "", 0, content=caption)
            inline.children = [
                picture,
                Token("figcaption_open", "figcaption", 1),
                words,
                Token("figcaption_close", "figcaption", -1),
            ]


def _notice(kind: str, classes: str) -> Any:
    def render(_self: RendererHTML, tokens: Sequence[Token], idx: int, *_rest: Any) -> str:
        if tokens[idx].nesting != 1:
            return "</div>\n"
        title = tokens[idx].info.strip().removeprefix(kind).strip()
        head = f'<p class="notice-title">{html.escape(title)}</p>\n' if title else ""
        return f'<div class="{classes}">\n{head}'

    return render


def _pull(_self: RendererHTML, tokens: Sequence[Token], idx: int, *_rest: Any) -> str:
    return '<aside class="pullquote">\n' if tokens[idx].nesting == 1 else "</aside>\n"


def _lesson(_self: RendererHTML, tokens: Sequence[Token], idx: int, *_rest: Any) -> str:
    return '<div class="lesson-here">' if tokens[idx].nesting == 1 else "</div>\n"


def _clip(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
    """`::clip name` alone on its line."""
    if state.is_code_block(start_line):
        return False
    line = state.src[state.bMarks[start_line] + state.tShift[start_line] : state.eMarks[start_line]]
    found = _CLIP.fullmatch(line)
    if found is None:
        return False
    if not silent:
        token = state.push("html_block", "", 0)
        token.content = f'<div class="clip-here" data-clip="{found[1]}"></div>\n'
        token.map = [start_line, start_line + 1]
        state.line = start_line + 1
    return True


def _footnotes_open(_self: RendererHTML, *_rest: Any) -> str:
    return '<section class="footnotes meta">\n<ol>\n'


def _footnote_back(_self: RendererHTML, tokens: Sequence[Token], idx: int, *_rest: Any) -> str:
    number = int(tokens[idx].meta["id"]) + 1
    label = html.escape(_("Back to the text"))
    return f' <a href="#fnref{number}" class="footnote-backref" aria-label="{label}">↩︎</a>'


@lru_cache(maxsize=1)
def _article_parser() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": True, "typographer": True})
    md.enable(["table", "strikethrough", "replacements", "smartquotes"])
    md.core.ruler.push("lower_first_level", _lower_first_level)
    md.core.ruler.push("figures", _figures)
    md.block.ruler.before("paragraph", "clip", _clip, {"alt": ["paragraph", "blockquote", "list"]})
    md.use(footnote_plugin)
    md.use(anchors_plugin, min_level=2, max_level=3, slug_func=_heading_id)
    md.use(container_plugin, "pull", render=_pull)
    md.use(container_plugin, "note", render=_notice("note", "notice notice-info"))
    md.use(container_plugin, "careful", render=_notice("careful", "notice notice-warn"))
    md.use(container_plugin, "lesson", render=_lesson)
    md.use(directives)
    md.add_render_rule("footnote_block_open", _footnotes_open)
    md.add_render_rule("footnote_anchor", _footnote_back)
    return md


@lru_cache(maxsize=1)
def _response_parser() -> MarkdownIt:
    md = MarkdownIt("zero", {"html": False, "breaks": True})
    return md.enable(
        ["emphasis", "link", "autolink", "list", "blockquote", "backticks", "escape", "entity", "newline"]
    )


def render_article(text: str) -> Rendered:
    """An article's Markdown as HTML that is safe to show as it is, and how many words it has."""
    clean = nh3.clean(
        _article_parser().render(text),
        tags=_ARTICLE_TAGS,
        attributes=_ARTICLE_ATTRIBUTES,
        allowed_classes=_ARTICLE_CLASSES,
        url_schemes=_SCHEMES,
        link_rel="noopener",
    )
    return Rendered(figures.responsive(clean), count_words(clean))


def undescribed(text: str) -> list[int]:
    """The lines, from 1, with a picture that says nothing to those who cannot see it, and is not marked decorative."""
    lines: list[int] = []
    for token in _article_parser().parse(text):
        first = token.map[0] + 1 if token.map else 1
        if token.type == "html_block":
            lines += _bare_pictures(token.content, first)
        for child in token.children or []:
            if child.type in ("softbreak", "hardbreak"):
                first += 1
            elif child.type == "image" and not child.content.strip():
                lines.append(first)
            elif child.type == "html_inline":
                lines += _bare_pictures(child.content, first)
    return lines


def _bare_pictures(markup: str, first: int) -> list[int]:
    return [
        first + markup.count("\n", 0, found.start())
        for found in _PICTURE.finditer(markup)
        if not ((alt := _ALT.search(found[0])) and (alt[1] or alt[2] or alt[3] or "").strip())
    ]


def render_response(text: str) -> str:
    """A response's Markdown: paragraphs, emphasis, links, lists, quotes. Links carry `ugc nofollow`."""
    return nh3.clean(
        _response_parser().render(text.strip()),
        tags=_RESPONSE_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="ugc nofollow noopener",
    )


def plain_text(body_html: str) -> str:
    """The words of clean HTML, with single spaces."""
    return " ".join(html.unescape(_TAG.sub(" ", _INLINE_TAG.sub("", body_html))).split())


def count_words(body_html: str) -> int:
    return len(_WORD.findall(plain_text(body_html)))


def contents(body_html: str) -> tuple[Heading, ...]:
    """The headings of a rendered article, in order."""
    return tuple(
        Heading(int(level), anchor, plain_text(inner)) for level, anchor, inner in _HEADING.findall(body_html)
    )
