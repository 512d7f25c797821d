"""What a converter asks of a node of somebody's HTML: what kind it is, what it holds, what is around it. Pure."""

import re

from selectolax.lexbor import LexborNode

from app.moving.names import names

# What begins a line of its own. Elements that nobody knows do not, as in a browser: `<o:p>` and `<st1:place>` of a
# text that came out of Word stand within a sentence.
BLOCKS = names(
    "address article aside blockquote body button caption center col colgroup dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol optgroup p pre"
    " search section summary table tbody td tfoot th thead tr ul"
    " audio embed iframe object video"
)
# Nothing of these is words.
GONE = names("script style template svg canvas math head link meta title base noscript map area")
CONTROLS = names("input select textarea option")
PLAYERS = names("iframe embed object video audio")
STRONGS = names("strong b")
EMPHASES = names("em i cite dfn var address")
DELETED = names("del s strike")
CODES = names("code kbd samp tt")
# Lists that only place pictures.
GALLERIES = ("blocks-gallery-grid", "blocks-gallery-item", "wp-block-gallery", "gallery")
# Deeper than any page; hostile ones nest until the stack ends.
DEEPEST = 80


def children(node: LexborNode) -> list[LexborNode]:
    """Elements, text and comments right under the node."""
    return list(node.iter(include_text=True))


def leaves(node: LexborNode) -> list[LexborNode]:
    """Its text and line breaks, at any depth, in order."""
    return [n for n in node.traverse(include_text=True) if n.is_text_node or n.tag == "br"]


def is_inline(node: LexborNode) -> bool:
    """Whether the node and all in it may stand in a line."""
    if node.is_text_node:
        return True
    # Without recursion: a broken editor nests bold words in bold words a thousand deep.
    todo = [node]
    while todo:
        one = todo.pop()
        if one.tag in BLOCKS or not one.is_element_node:
            return False
        todo += [child for child in children(one) if child.is_element_node]
    return True


def is_line(node: LexborNode) -> bool:
    """Whether all in the node may stand in one line."""
    return all(is_inline(child) or child.is_comment_node for child in children(node))


def has_paragraphs(item: LexborNode) -> bool:
    """Whether an item of a list holds whole blocks."""
    return any(child.tag in ("p", "pre", "blockquote", "figure") for child in children(item))


def has_class(node: LexborNode, *names: str) -> bool:
    """Whether the node has one of the classes."""
    own = (node.attributes.get("class") or "").split()
    return any(name in own for name in names)


def within(node: LexborNode, ancestor: LexborNode | None) -> bool:
    """Whether the ancestor is around the node; nothing is within None."""
    at = node.parent
    while ancestor is not None and at is not None:
        if at.mem_id == ancestor.mem_id:
            return True
        at = at.parent
    return False


def link_around(picture: LexborNode) -> LexborNode | None:
    """The link that the picture is, inside of its figure."""
    at = picture.parent
    while at is not None and at.tag != "figure":
        if at.tag == "a" and at.attributes.get("href"):
            return at
        at = at.parent
    return None


def player_address(node: LexborNode) -> str:
    """What a player plays, or "" where that is no address."""
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
