"""What blocks say in their settings only, since the server makes their HTML on each visit. Pure."""

import html
import re
from collections.abc import Iterator

from app.moving.wordpress.shown import shown_link

_PROSE = re.compile(r"[^\W\d_]{2,}\S*\s+\S*[^\W\d_]{2,}")
_TAG = re.compile(r"<[^<>]*>")
# Settings with words that nobody reads.
_NO_WORDS = re.compile(r"class|style|color|font|gradient|layout|css|align|mode|lock|query", re.IGNORECASE)
_LONGEST = 2_000


def html_of(name: str, settings: dict[str, object]) -> str:
    """The HTML of a block that has none in the file, or ""."""
    address = str(settings.get("url") or settings.get("src") or settings.get("href") or "")
    if not address.startswith(("http://", "https://", "mailto:", "tel:", "/")):
        return ""
    if name == "social-link":
        # One of the icons that lead to a teacher's other places.
        words = str(settings.get("label") or settings.get("service") or address).strip()
        return f'<li><a href="{html.escape(address)}">{html.escape(words[:1].upper() + words[1:])}</a></li>'
    if name == "embed" or name.startswith("core-embed/") or name in ("video", "audio", "file"):
        return shown_link(address)
    if name in ("navigation-link", "button"):
        words = str(settings.get("label") or settings.get("text") or address)
        return f'<p><a href="{html.escape(address)}">{html.escape(_TAG.sub("", words))}</a></p>'
    return ""


def prose(settings: dict[str, object]) -> str:
    """The sentences among a block's settings, for somebody to look through; "" where there are none."""
    found: list[str] = []
    for words in _strings(settings, 0):
        plain = " ".join(html.unescape(_TAG.sub(" ", words)).split())
        if _PROSE.search(plain) and plain not in found:
            found.append(plain)
    return " · ".join(found)[:_LONGEST]


def _strings(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth > 6:
        return
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, depth + 1)
    elif isinstance(value, dict):
        for key, one in value.items():
            if not key.startswith("_") and not _NO_WORDS.search(key):
                yield from _strings(one, depth + 1)
