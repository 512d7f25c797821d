"""Parts of a WordPress page that plugins and the block editor write unlike a reader sees them, put right. Pure."""

import re
from html import escape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.moving import nodes

# A second link to the same file, a second picture for old browsers, a sign that a script turns.
_SHADOWS = (
    "noscript, a.wp-block-file__button, object.wp-block-file__embed, .wp-block-accordion-heading__toggle-icon"
)
_LATE = ("data-src", "data-lazy-src", "data-original", "data-orig-file")
_BEHIND = re.compile(r"background(?:-image)?\s*:[^;]*url\(\s*[\"']?([^\"')\s]+)", re.IGNORECASE)
# Smaller ones are signs within a line.
_ICON_PX = 100


def settle(tree: LexborHTMLParser) -> None:
    """Bring pictures and formulas to where they are read."""
    for image in tree.css("img"):
        _real_source(image)
        _own_line(image)
    for shadow in tree.css(_SHADOWS):
        shadow.decompose()
    for node in tree.css('[style*="url("]'):
        _picture_behind(node)
    for formula in tree.css("math"):
        _formula(formula)
    for link in tree.css("a[href]"):
        if not nodes.is_inline(link):
            _link_of_blocks(link)


def _real_source(image: LexborNode) -> None:
    """Pictures that plugins load late keep their address somewhere else."""
    source = image.attributes.get("src") or ""
    if not source or source.startswith("data:"):
        image.attrs["src"] = next((v for name in _LATE if (v := image.attributes.get(name))), "") or ""


def _picture_behind(node: LexborNode) -> None:
    """The picture that a cover's words stood on comes before them."""
    found = _BEHIND.search(node.attributes.get("style") or "")
    if found is None or found[1].startswith("data:") or node.tag == "body":
        return
    made = LexborHTMLParser(f'<body><figure><img src="{escape(found[1])}" alt=""></figure>').css_first(
        "figure"
    )
    first = node.first_child
    if made is None:
        return
    if first is None:
        node.insert_child(made)
    else:
        first.insert_before(made)


def _formula(node: LexborNode) -> None:
    """A formula as its author typed it."""
    typed = node.css_first("annotation")
    words = (typed if typed is not None else node).text().strip()
    made = LexborHTMLParser(f"<body><code>{escape(words)}</code>").css_first("code")
    if made is not None:
        node.replace_with(made)


def _link_of_blocks(link: LexborNode) -> None:
    """A link around a whole card goes to its heading, else to its picture, else to its first words."""
    if link.css_first("audio, embed, iframe, object, video") is not None:
        return
    headings = [one for one in link.css("h1, h2, h3, h4, h5, h6") if one.text().strip()]
    lines = [one for one in link.css("p, div, section, li, figcaption") if one.text().strip()]
    places = [*headings, *link.css("img"), *lines]
    place = next((one for one in places if nodes.is_line(one)), None)
    if place is None:
        return
    inner = place.html if place.tag == "img" else place.inner_html
    address = escape(link.attributes.get("href") or "")
    made = LexborHTMLParser(f'<body><a href="{address}">{inner or ""}</a>').css_first("a")
    if made is None:
        return
    if place.tag == "img":
        place.replace_with(made)
    else:
        for child in nodes.children(place):
            child.remove()
        place.insert_child(made)
    link.unwrap()


def _own_line(image: LexborNode) -> None:
    """A picture at the beginning or the end of a line of words, beside which they flowed, has a line of its own."""
    names = image.attributes.get("class") or ""
    width = image.attributes.get("width") or ""
    if "smiley" in names or "emoji" in names or (width.isdigit() and int(width) < _ICON_PX):
        return
    piece: LexborNode = image
    while piece.parent is not None and piece.parent.tag in ("a", "span", "strong", "em", "b", "i"):
        if piece.parent.text().strip():
            return
        piece = piece.parent
    before, after = _neighbour(piece, is_next=False), _neighbour(piece, is_next=True)
    begins = before is None or before.tag == "br" or not nodes.is_inline(before)
    ends = after is None or after.tag == "br" or not nodes.is_inline(after)
    if begins and not ends:
        _break(piece, is_next=True)
    if ends and before is not None and before.tag == "br":
        _break(piece, is_next=False)


def _neighbour(node: LexborNode, *, is_next: bool) -> LexborNode | None:
    """What stands beside it, but for spaces."""
    at = node.next if is_next else node.prev
    while at is not None and (
        at.is_comment_node or (at.is_text_node and not (at.text_content or "").strip())
    ):
        at = at.next if is_next else at.prev
    return at


def _break(node: LexborNode, *, is_next: bool) -> None:
    """Two breaks are the end of a paragraph."""
    for made in LexborHTMLParser("<body><br><br>").css("br"):
        if is_next:
            node.insert_after(made)
        else:
            node.insert_before(made)
