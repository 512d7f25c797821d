"""The block editor's comments in an article's text: counted, and reusable ones put where they are used. Pure.

Source: https://developer.wordpress.org/block-editor/explanations/architecture/key-concepts/
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.moving.names import names
from app.moving.wordpress import block_settings
from app.moving.wordpress.autop import autop

# WordPress writes every `<` within the braces as \u003c, so they end before the next comment at the latest.
# (Not `*+`: Python 3.11.2, which is Debian 12's, finds no such group where it may be missing.)
_BRACES = r"\{(?:(?!\}\s+/?-->|<!--).)*\}\s+"
_COMMENT = re.compile(
    rf"<!--\s+(?P<close>/)?wp:(?P<name>[a-z][a-z0-9_-]*(?:/[a-z][a-z0-9_-]*)?)\s+(?P<json>{_BRACES})?(?P<alone>/)?-->",
    re.DOTALL,
)
_FREEFORM = re.compile(rf"<!--\s+(?P<close>/)?wp:(?:core/)?freeform\s+(?:{_BRACES})?-->", re.DOTALL)
# Blocks whose HTML says it all. `core/` is left out in the comments.
KNOWN = names(
    "paragraph heading list list-item image gallery quote pullquote code preformatted verse table separator spacer"
    " columns column group row stack cover media-text audio video file button buttons embed more nextpage html freeform"
    " shortcode footnotes block details missing math social-links social-link accordion accordion-item"
    " accordion-heading accordion-panel cover-image subhead text-columns"
    " core-embed/youtube core-embed/vimeo core-embed/twitter core-embed/facebook core-embed/instagram"
    " core-embed/wordpress core-embed/soundcloud core-embed/spotify core-embed/flickr core-embed/dailymotion"
    " jetpack/tiled-gallery jetpack/slideshow jetpack/markdown yoast/faq-block yoast/how-to-block videopress/video"
)
# WordPress's own that have no words, but places in which each visit puts some.
FILLED = names(
    "query post-template query-pagination query-no-results comments comment-template comments-pagination"
    " comments-query-loop post-comments navigation navigation-submenu template-part terms-query term-template"
)
# Shown only where there is nothing else to show.
_ELSE = "query-no-results"
_NESTED_AT_MOST = 5


@dataclass
class Blocks:
    """The text with reusable blocks in place, and each block by what became of it."""

    text: str
    known: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    # (block, words): what a plugin's block holds in its settings only.
    unsaid: list[tuple[str, str]] = field(default_factory=list)


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
    # What nobody closes would take everything behind it along.
    is_paired = text.count(f"<!-- wp:{_ELSE}") == text.count(f"<!-- /wp:{_ELSE} ")

    def put(found: re.Match[str], depth: int, *, is_counted: bool) -> str:
        name = found["name"].removeprefix("core/")
        if found["close"]:
            return "</template>" if name == _ELSE and is_paired and not depth else ""
        settings = _settings(found)
        inner = _reused(settings, reusable) if name == "block" else None
        made = block_settings.html_of(name, settings) if found["alone"] else ""
        if is_counted:
            has_words = bool(made) or inner is not None or name in ("footnotes", "spacer")
            is_empty = name in FILLED or (bool(found["alone"]) and not has_words)
            kind = out.empty if is_empty else out.known if name in KNOWN else out.foreign
            kind[name] += 1
            if found["alone"] and not has_words and "/" in name:
                out.unsaid += [(name, words)] if (words := block_settings.prose(settings)) else []
        if inner is None or depth >= _NESTED_AT_MOST:
            return "<template>" if name == _ELSE and is_paired and not depth and not found["alone"] else made
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


def _settings(found: re.Match[str]) -> dict[str, object]:
    try:
        settings = json.loads(found["json"] or "{}")
    except (ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _reused(settings: dict[str, object], reusable: Callable[[str], str | None]) -> str | None:
    reference = settings.get("ref")
    return reusable(str(reference)) if reference is not None else None
