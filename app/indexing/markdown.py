"""The words of Markdown, without its signs."""

import re
from functools import lru_cache

from markdown_it import MarkdownIt

# The fences of boxes (`::: note Remark`): their title is kept.
_FENCE = re.compile(r"^:{3,}[ \t]*[a-z]*[ \t]*", re.MULTILINE)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def blocks(text: str) -> list[str]:
    """Each paragraph, heading, item and cell as plain text, in order. HTML inside is left out, its words are not."""
    found = []
    for token in _parser().parse(_FENCE.sub("", text)):
        if token.type == "inline":
            parts = [
                child.content if child.type in ("text", "code_inline") else " "
                for child in token.children or []
                if child.type in ("text", "code_inline", "softbreak", "hardbreak")
            ]
            found.append("".join(parts))
        elif token.type in ("fence", "code_block"):
            found.append(token.content)
    return found
