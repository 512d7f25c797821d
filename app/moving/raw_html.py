"""The few structures that Markdown cannot say, as plain HTML on one line; it is cleaned once more when rendered."""

import html
import re

from selectolax.lexbor import LexborNode

from app.moving import numbering
from app.moving.names import names

_KEPT = names(
    "p br ul ol li strong em s del code a img sup sub table thead tbody tr th td blockquote h2 h3 h4 pre"
)
_RENAMED = {
    "b": "strong",
    "i": "em",
    "strike": "s",
    "h1": "h2",
    "h5": "h4",
    "h6": "h4",
    "kbd": "code",
    "tfoot": "tbody",
}
_ATTRIBUTES = {
    "a": ("href", "title"),
    "img": ("src", "alt"),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan"),
}
_GONE = names("script style template svg noscript caption")
# What stands beside other words there would run into them, or has a place in Markdown only.
_NOT_IN_LISTS = (
    "iframe, embed, object, video, audio, figure, table, input, select, textarea"
    ", div, dl, section, article, [data-note]"
)
_VOID = frozenset({"br", "img"})
_DEEPEST = 80


def table(node: LexborNode) -> str:
    """A table with whatever its cells hold."""
    return _shown(node, 0, is_code=False)


def ordered(node: LexborNode) -> str | None:
    """A list that Markdown cannot count, or None where it holds what plain HTML cannot say here."""
    if node.css(_NOT_IN_LISTS):
        return None
    return _shown(node, 0, is_code=False)


def _counting(node: LexborNode) -> str:
    """The attributes that say how a list counts."""
    kind = numbering.kind_of(node)
    start = numbering.number(node, "start")
    # The class is for the style sheet: a selector does not tell "a" from "A".
    typed = f' type="{kind}" class="{numbering.TYPES[kind]}"' if kind else ""
    begin = f' start="{start}"' if start is not None else ""
    return f"{typed}{begin}{' reversed' if 'reversed' in node.attributes else ''}"


def figure(picture: LexborNode, anchor: LexborNode | None, caption: LexborNode | None) -> str:
    """A picture that is a link, or whose caption is more than words."""
    image = _shown(picture, 0, is_code=False)
    if anchor is not None:
        image = f'<a href="{html.escape(anchor.attributes.get("href") or "")}">{image}</a>'
    words = _inner(caption, 0, is_code=False).strip() if caption is not None else ""
    return f"<figure>{image}{f'<figcaption>{words}</figcaption>' if words else ''}</figure>"


def _shown(node: LexborNode, depth: int, *, is_code: bool) -> str:
    if node.is_text_node:
        text = html.escape(node.text_content or "", quote=False)
        # An empty line would end the block of HTML.
        return text.replace("\n", "&#10;") if is_code else re.sub(r"\s+", " ", text)
    if not node.is_element_node or node.tag in _GONE or depth > _DEEPEST:
        return html.escape(" ".join(node.text().split())) if depth > _DEEPEST else ""
    tag = _RENAMED.get(node.tag or "", node.tag or "")
    inner = "" if tag in _VOID else _inner(node, depth + 1, is_code=is_code or tag == "pre")
    if tag not in _KEPT:
        return inner
    attributes = "".join(
        f' {name}="{html.escape(value)}"'
        for name in _ATTRIBUTES.get(tag, ())
        if (value := node.attributes.get(name)) is not None
    )
    if tag == "ol":
        attributes = _counting(node)
    elif tag == "li" and (at := numbering.number(node, "value")) is not None:
        attributes = f' value="{at}"'
    return f"<{tag}{attributes}>" if tag in _VOID else f"<{tag}{attributes}>{inner}</{tag}>"


def _inner(node: LexborNode, depth: int, *, is_code: bool) -> str:
    return "".join(_shown(child, depth, is_code=is_code) for child in node.iter(include_text=True))
