"""How a list of HTML counts: backwards, from anywhere, with letters; and whether Markdown can say that. Pure."""

import re

from selectolax.lexbor import LexborNode

from app.moving.nodes import children

_NUMBER = re.compile(r"-?\d{1,9}")
_STYLE = re.compile(
    r"list-style(?:-type)?\s*:[^;]*?\b((?:lower|upper)-(?:alpha|latin|roman))\b", re.IGNORECASE
)
TYPES = {"a": "lower-alpha", "A": "upper-alpha", "i": "lower-roman", "I": "upper-roman"}
_BY_STYLE = {**{style: kind for kind, style in TYPES.items()}, "lower-latin": "a", "upper-latin": "A"}


def kind_of(ordered: LexborNode) -> str:
    """With what it counts, as HTML's `type` says it; "" for numbers."""
    kind = (ordered.attributes.get("type") or "").strip()
    style = _STYLE.search(ordered.attributes.get("style") or "")
    return _BY_STYLE[style[1].lower()] if style else kind if kind in TYPES else ""


def number(node: LexborNode, name: str) -> int | None:
    """A whole number that the attribute says, or None."""
    text = (node.attributes.get(name) or "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def is_plain(ordered: LexborNode) -> bool:
    """Whether it counts up from some number, one by one: all that Markdown's lists do."""
    if kind_of(ordered) or "reversed" in ordered.attributes or (number(ordered, "start") or 0) < 0:
        return False
    return not any(item.tag == "li" and number(item, "value") is not None for item in children(ordered))
