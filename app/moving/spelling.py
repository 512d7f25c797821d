"""How Markdown spells what is more than words: links, addresses, items of lists, code. Pure."""

import re

from app.moving import inline


def link(words: str, address: str, title: str = "", *, may_be_empty: bool = False) -> str:
    """A link of Markdown whose words are escaped already."""
    if not words and not may_be_empty:
        return f"<{angle(address)}>"
    target = angle(address)
    if re.search(r"[()\\\s]", target) or not target:
        target = f"<{target}>"
    title = " ".join(title.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'[{words}]({target} "{title}")' if title else f"[{words}]({target})"


def angle(address: str) -> str:
    """An address that can stand between < and >."""
    return re.sub(r"\s", "%20", address.strip()).replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")


def indented(text: str, by: int) -> str:
    """Every line but the first moved in."""
    return ("\n" + " " * by).join(text.split("\n")).replace("\n" + " " * by + "\n", "\n\n")


def list_item(marker: str, blocks: list[str], *, is_loose: bool) -> str:
    """An item of a list; in a loose one an empty line is between its blocks."""
    gap = "\n\n" if is_loose else "\n"
    text = ""
    for block in blocks:
        # Only a list that begins with 1, or one of HTML, may follow words without an empty line.
        needs_gap = not re.match(r"[-*] |1[.)] |<ol ", block)
        text += (("\n\n" if needs_gap else gap) if text else "") + block
    return f"{marker} {indented(text, len(marker) + 1)}".rstrip()


def code_span(text: str) -> str:
    """Code within a line, with as many ticks as its own ticks need."""
    text = " ".join(inline.clean(text).split())
    if not text:
        return ""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
