"""The block editor's comments in an article's text: counted, and reusable ones put where they are used. Pure.

Source: https://developer.wordpress.org/block-editor/explanations/architecture/key-concepts/
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.moving.names import names
from app.moving.wordpress.autop import autop

# WordPress writes every `<` within the braces as \u003c, so they end before the next comment at the latest.
_BRACES = r"\{(?:(?!\}\s+/?-->|<!--).)*+\}\s+"
_COMMENT = re.compile(
    rf"<!--\s+(?P<close>/)?wp:(?P<name>[a-z][a-z0-9_-]*(?:/[a-z][a-z0-9_-]*)?)\s+(?P<json>{_BRACES})?(?P<alone>/)?-->",
    re.DOTALL,
)
_FREEFORM = re.compile(rf"<!--\s+(?P<close>/)?wp:(?:core/)?freeform\s+(?:{_BRACES})?-->", re.DOTALL)
# Blocks whose HTML says it all. `core/` is left out in the comments.
KNOWN = names(
    "paragraph heading list list-item image gallery quote pullquote code preformatted verse table separator spacer"
    " columns column group row stack cover media-text audio video file button buttons embed more nextpage html freeform"
    " shortcode footnotes block details missing math social-links social-link"
    " core-embed/youtube core-embed/vimeo core-embed/twitter core-embed/facebook core-embed/instagram"
    " core-embed/wordpress core-embed/soundcloud core-embed/spotify core-embed/flickr core-embed/dailymotion"
    " jetpack/tiled-gallery jetpack/slideshow jetpack/markdown yoast/faq-block yoast/how-to-block"
)
_NESTED_AT_MOST = 5


@dataclass
class Blocks:
    """The text with reusable blocks in place, and each block by what became of it."""

    text: str
    known: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)


def has_blocks(text: str) -> bool:
    return "<!-- wp:" in text


def count(text: str) -> int:
    """How many blocks begin in the text."""
    return sum(not found["close"] for found in _COMMENT.finditer(text))


def unfold(text: str, reusable: Callable[[str], str | None]) -> Blocks:
    """Count the blocks, and put reusable ones (`wp:block {"ref": 12}`) where they are used.

    `known`: their HTML is read as it is; `foreign`: of a plugin, its HTML too; `empty`: made by the server on each
    visit, so that the export holds no words of it.
    """
    out = Blocks("")

    def put(found: re.Match[str], depth: int, *, is_counted: bool) -> str:
        name = found["name"].removeprefix("core/")
        if found["close"]:
            return ""
        inner = _reused(found, name, reusable) if name == "block" else None
        if is_counted:
            is_empty = (
                bool(found["alone"]) and inner is None and name not in ("footnotes", "spacer", "social-link")
            )
            kind = out.empty if is_empty else out.known if name in KNOWN else out.foreign
            kind[name] += 1
        if inner is None or depth >= _NESTED_AT_MOST:
            return ""
        return _COMMENT.sub(lambda again: put(again, depth + 1, is_counted=False), inner)

    out.text = _COMMENT.sub(lambda found: put(found, 0, is_counted=True), _with_classic(text))
    return out


def _with_classic(text: str) -> str:
    """The text of classic blocks with its paragraphs: it is the classic editor's own."""
    pieces, at, begun = [], 0, -1
    for found in _FREEFORM.finditer(text):
        if not found["close"]:
            begun = found.end() if begun < 0 else begun
        elif begun >= 0:
            pieces += [text[at:begun], autop(text[begun : found.start()])]
            at, begun = found.start(), -1
    return "".join([*pieces, text[at:]])


def _reused(found: re.Match[str], name: str, reusable: Callable[[str], str | None]) -> str | None:
    try:
        attributes = json.loads(found["json"] or "{}")
    except ValueError:
        return None
    reference = attributes.get("ref") if isinstance(attributes, dict) else None
    return reusable(str(reference)) if reference is not None and name == "block" else None
