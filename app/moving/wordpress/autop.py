"""What WordPress's classic editor leaves out: empty lines are paragraphs, single line ends are breaks. Pure.

Source: WordPress, wp-includes/formatting.php, wpautop().
"""

import re

_BLOCKS = (
    "table|thead|tfoot|caption|col|colgroup|tbody|tr|td|th|div|dl|dd|dt|ul|ol|li|pre|form|map|area|blockquote|address"
    "|style|p|h[1-6]|hr|fieldset|legend|section|article|aside|hgroup|header|footer|nav|figure|figcaption|details|menu"
    "|summary|iframe|script|noscript|textarea"
)
# What nobody closes goes on to the end, as in a browser. Looking for its end from each beginning would take the time of
# the text's length squared.
_TOKENS = re.compile(
    rf"(<!--.*?(?:-->|\Z)|<(?P<raw>pre|script|style|textarea)\b.*?(?:</(?P=raw)\s*>|\Z)|</?(?:{_BLOCKS})(?:\s[^<>]*)?/?>)",
    re.DOTALL | re.IGNORECASE,
)
_INLINE_TAG = re.compile(r"<[^<>]*>")
_TWO_BREAKS = re.compile(r"<br\s*/?>\s*<br\s*/?>", re.IGNORECASE)
_BREAK_AND_END = re.compile(r"(<br\s*/?>)[ \t]*\n", re.IGNORECASE)
_EMPTY_LINE = re.compile(r"\n[ \t]*\n\s*")


def autop(text: str) -> str:
    """The text with `<p>` and `<br>` where a visitor of the WordPress site sees paragraphs and line breaks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pieces = []
    at = 0
    for found in _TOKENS.finditer(text):
        pieces += [_flow(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*pieces, _flow(text[at:])])


def _flow(text: str) -> str:
    """Words and inline elements between two blocks."""
    if not text.strip():
        return "\n"
    text = _INLINE_TAG.sub(lambda tag: tag[0].replace("\n", " "), text)
    text = _TWO_BREAKS.sub("\n\n", text)
    text = _BREAK_AND_END.sub(r"\1", text)
    paragraphs = [part for part in _EMPTY_LINE.split(text) if part.strip()]
    broken = [part.strip().replace("\n", "<br>\n") for part in paragraphs]
    # Alone between two tags (an item, a cell) words need no paragraph of their own.
    is_apart = len(broken) > 1 or bool(_EMPTY_LINE.match(text) or re.search(r"\n[ \t]*\n\s*\Z", text))
    return "".join(f"<p>{part}</p>\n" for part in broken) if is_apart else _kept_spaces(text, broken[0])


def _kept_spaces(text: str, inner: str) -> str:
    return f"{' ' if text[0].isspace() else ''}{inner}{' ' if text[-1].isspace() else ''}"
