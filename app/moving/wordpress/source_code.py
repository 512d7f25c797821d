"""Shortcodes that show source code (`[php]…[/php]`), taken out of the text before it is read as words. Pure."""

import html
import re

from app.moving.names import names
from app.moving.wordpress.shortcodes import attributes

CODES = names(
    "code sourcecode source php css js javascript html xml sql bash python ruby java csharp jsx diff"
)
_CODE_NAMES = "|".join(sorted(CODES, key=len, reverse=True))
_CODE = re.compile(
    rf"\[(?P<name>{_CODE_NAMES})(?P<attrs>[\s=][^\[\]]*)?\]|\[/(?P<end>{_CODE_NAMES})\]", re.IGNORECASE
)


def protect(text: str) -> str:
    """Shortcodes that show source code, as `<pre>`: before line ends are read as paragraphs."""
    found = list(_CODE.finditer(text))
    ends: dict[str, list[re.Match[str]]] = {}
    for one in reversed(found):
        if one["end"]:
            ends.setdefault(one["end"].lower(), []).append(one)
    pieces, at = [], 0
    for one in found:
        name = (one["name"] or "").lower()
        closing = ends.get(name, [])
        while closing and closing[-1].start() < one.end():
            closing.pop()
        if one.start() < at or not name or not closing:
            continue
        pieces += [
            text[at : one.start()],
            _shown_code(name, one["attrs"] or "", text[one.end() : closing[-1].start()]),
        ]
        at = closing[-1].end()
    return "".join([*pieces, text[at:]])


def _shown_code(name: str, attrs: str, inner: str) -> str:
    given = attributes(attrs)
    language = given.get("language") or given.get("lang") or given.get("0", "")
    language = language or ("" if name in ("code", "source", "sourcecode") else name)
    language = re.sub(r"[^\w+#-]", "", language)
    # Brackets in code are no shortcodes.
    inner = html.escape(html.unescape(inner).strip("\r\n"), quote=False).replace("[", "&#91;")
    return f'<pre data-shortcode="{name}"><code class="language-{language}">{inner}</code></pre>'
