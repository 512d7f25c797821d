"""Lines of an article that stand for something the page fills in: `::lesson course/lesson`, `::topic neck`.

What stands there depends on who reads and on what things cost, so the rendered article holds an empty place with the
name in it, and `parts` finds these places again.
"""

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

# What `::: lesson` makes: the place of the article's own lesson.
LESSON_HERE = '<div class="lesson-here"></div>'

_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_LINE = re.compile(rf"::(?:(lesson) +({_SLUG}/{_SLUG})|(topic) +({_SLUG})) *\Z")
_PLACE = re.compile(r'<div class="(lesson|topic)-here"(?: data-card="([a-z0-9/-]*)")?></div>')
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b")
_VOID = frozenset({"br", "hr", "img", "source", "track"})


@dataclass(frozen=True)
class Part:
    """A piece of an article's HTML, or (`kind` lesson or topic) a place; `name` "" is the article's own lesson."""

    html: str
    kind: str = ""
    name: str = ""


def directives(md: MarkdownIt) -> None:
    """Teach a parser these lines. Only between other blocks: inside a quote or a list they stay words, which shows."""
    md.block.ruler.before("fence", "directive", _rule, {"alt": ["paragraph"]})


def _rule(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    found = _LINE.match(line) if state.level == 0 and not state.is_code_block(start) else None
    if found is None:
        return False
    if not silent:
        kind, name = found[1] or found[3], found[2] or found[4]
        token = state.push("html_block", "", 0)
        token.content = f'<div class="{kind}-here" data-card="{name}"></div>\n'
        token.map = [start, start + 1]
        state.line = start + 1
    return True


def parts(body_html: str) -> list[Part]:
    """A rendered article cut at its places; the pieces between are whole elements each."""
    found: list[Part] = []
    begin = at = depth = 0
    for place in _PLACE.finditer(body_html):
        depth += _opened(body_html[at : place.start()])
        at = place.end()
        # Somebody wrote HTML around it: cut there, each half would be broken.
        if depth:
            continue
        found.append(Part(body_html[begin : place.start()]))
        found.append(Part("", place[1], place[2] or ""))
        begin = at
    found.append(Part(body_html[begin:]))
    return [part for part in found if part.kind or part.html.strip()]


def without_places(body_html: str) -> str:
    """The article for feeds, where nothing is filled in."""
    return _PLACE.sub("", body_html)


def _opened(html: str) -> int:
    """How many more elements this opens than it closes. What nh3 writes is well-formed."""
    return sum(-1 if closing else 1 for closing, name in _TAG.findall(html) if name not in _VOID)
