"""Text and emphasis in Markdown: what must be escaped, and where the stars go. Pure."""

import re
import unicodedata

# Marks stand for delimiters until a whole paragraph is known. Unicode reserves these code points for such use: no text
# has them (what arrives is cleaned of them).
STRONG, EM, DEL = ("\ufdd0", "\ufdd1"), ("\ufdd2", "\ufdd3"), ("\ufdd4", "\ufdd5")
BREAK = "\ufdd6"
# A space that somebody put there on purpose: how far a verse is moved in.
INDENT = "\ufdd7"
_PAIRS = {STRONG: ("**", "strong"), EM: ("*", "em"), DEL: ("~~", "del")}
_OPEN = "".join(pair[0] for pair in _PAIRS)
_CLOSE = "".join(pair[1] for pair in _PAIRS)
_MARKS = _OPEN + _CLOSE
_RESERVED = re.compile("[\ufdd0-\ufdef]")

_SPACES = re.compile(r"[ \t\n\r\f]+")
_SPECIAL = re.compile(r"[\\`*\[\]<]|~(?=~)|(?<=~)~|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w{1,40};)|[!^]\Z")
_LINE_START = re.compile(r"(#{1,6}(?=\s|\Z)|[-+](?=\s|\Z)|>|:::|=+\s*\Z|[|:\s-]*-[|:\s-]*\Z)")
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|\Z)")
_LEADING = re.compile(rf"([{_OPEN}])([ {BREAK}]+)")
_TRAILING = re.compile(rf"([ {BREAK}]+)([{_CLOSE}])")
# A space that must not break is how editors keep an empty line.
_EMPTY_LINE = re.compile(rf"{BREAK}[ \u00a0{BREAK}]*{BREAK}")
_EMPTY = re.compile("|".join(f"{a}{b}|{b}{a}" for a, b in _PAIRS))
_LINE_END = re.compile(r"[ \t\u00a0]+(?=\n)")
_VERSE = re.compile(r"(?<=\n)[ \t\u00a0]+|[ \t\u00a0]{2,}|[\t\u00a0]")
_VERSE_START = re.compile(rf"\A[ \t\u00a0]+|{_VERSE.pattern}")
_MOVED_IN = re.compile(r"\s*?((?:\u00a0 ?){2,})(?=\S)")
TAB = 4
_AROUND_BREAK = re.compile(rf"[ \u00a0]*{BREAK}[ \u00a0]*")


def indents(text: str, *, is_start: bool) -> str:
    """Verse whose spaces at the beginning of lines, and wherever there are several, stay. `is_start`: of a line."""
    text = _LINE_END.sub("", text.replace("\r", ""))
    wanted = _VERSE_START if is_start else _VERSE
    return wanted.sub(lambda found: INDENT * len(found[0].replace("\t", " " * TAB)), text)


def indented_start(text: str) -> str:
    """Words behind a line's break: several spaces that must not break move them in, a single one is an editor's."""
    found = _MOVED_IN.match(text)
    return INDENT * len(found[1]) + text[found.end() :] if found else text


def clean(text: str) -> str:
    """The text without the code points that serve as marks here."""
    return _RESERVED.sub("�", text)


def escaped(text: str) -> str:
    """Words as Markdown that shows exactly them, with single spaces."""
    return _SPECIAL.sub(lambda found: "&amp;" if found[0] == "&" else f"\\{found[0]}", _SPACES.sub(" ", text))


def wrapped(inner: str, pair: tuple[str, str]) -> str:
    """Emphasis around the inner text; inside of the same emphasis it changes nothing."""
    bare = inner.replace(pair[0], "").replace(pair[1], "")
    return f"{pair[0]}{bare}{pair[1]}" if bare.strip(f" {BREAK}") else bare


def finished(text: str, *, line_break: str = "\\\n", html: bool = True) -> str:
    """A whole paragraph with its marks turned into Markdown, `line_break` where lines break, and safe line starts.

    `html`: tags may stand where stars would not be understood, as in `un**"believ"**able`.
    """
    text = _settled(_within_paragraphs(_settled(_SPACES.sub(" ", text))))
    text = _delimited(text, html=html).strip(f" \u00a0{BREAK}")
    lines = [line.strip().rstrip(INDENT) for line in _AROUND_BREAK.sub(BREAK, text).split(BREAK)]
    # As an entity: readers of Markdown strip the character from a paragraph's beginning.
    lines = [line.replace(INDENT, "&nbsp;" if html else "\u00a0") for line in lines]
    if line_break == "\\\n":
        # Two breaks with nothing between them are a paragraph's end.
        paragraphs = "\n".join(_safe_start(line) for line in lines)
        return re.sub(r"(?<!\n)\n(?!\n)", lambda _found: line_break, paragraphs)
    return line_break.join(_safe_start(line) if "\n" in line_break else line for line in lines)


def _within_paragraphs(text: str) -> str:
    """Emphasis that goes on over an empty line ends before it and begins anew behind it."""
    parts = _EMPTY_LINE.split(text)
    if len(parts) == 1:
        return text
    made, opened = [], ""
    for part in parts:
        whole = opened + part
        opened = ""
        for mark in re.findall(f"[{_MARKS}]", whole):
            opened = opened + mark if mark in _OPEN else opened[:-1]
        closing = "".join(pair[1] for mark in reversed(opened) for pair in _PAIRS if pair[0] == mark)
        made.append(whole + closing)
    return (BREAK * 2).join(made)


def _safe_start(line: str) -> str:
    if found := _NUMBERED.match(line):
        return f"{found[1]}\\{line[found.end(1) :]}"
    return f"\\{line}" if _LINE_START.match(line) else line


def _settled(text: str) -> str:
    """Spaces outside of the marks, and no pair without anything between them."""
    before = ""
    while before != text:
        before = text
        text = _LEADING.sub(r"\2\1", text)
        text = _TRAILING.sub(r"\2\1", text)
        text = _EMPTY.sub("", text)
        text = re.sub(" {2,}", " ", text)
    return text


def _delimited(text: str, *, html: bool) -> str:
    """Stars where CommonMark reads them as wanted, tags elsewhere.

    Source: https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis
    """
    for pair, (stars, tag) in _PAIRS.items():
        pieces, at = [], 0
        for found in re.finditer(f"{pair[0]}([^{pair[0]}{pair[1]}]*){pair[1]}", text):
            around = (stars, stars)
            if not _fits(text, found.start(), found.end()):
                around = (f"<{tag}>", f"</{tag}>") if html else ("", "")
            pieces += [text[at : found.start()], around[0], found[1], around[1]]
            at = found.end()
        text = "".join([*pieces, text[at:]])
    return text.translate(dict.fromkeys(map(ord, _MARKS)))


def _fits(text: str, start: int, end: int) -> bool:
    inner = text[start:end].strip(_MARKS)
    before = text[:start].rstrip(_MARKS)[-1:] or " "
    after = text[end:].lstrip(_MARKS)[:1] or " "
    # Beside stars of another emphasis, or within a word, is where readers of Markdown differ.
    # Another emphasis that begins or ends at the same place puts its own signs there.
    raw = text[start + 1 : end - 1]
    first = "*" if raw[:1] in _MARKS else inner[:1]
    last = "*" if raw[-1:] in _MARKS else inner[-1:]
    opens = not _is_punctuation(first) or not (before.isalnum() or _is_punctuation_star(before))
    closes = not _is_punctuation(last) or not (after.isalnum() or _is_punctuation_star(after))
    # Three tildes would begin a block of code.
    if "~" in (first, last) or inner.startswith("\\~"):
        return False
    return opens and closes and not _is_punctuation_star(before) and not _is_punctuation_star(after)


def _is_punctuation_star(character: str) -> bool:
    return character in "*_~\\"


def _is_punctuation(character: str) -> bool:
    return bool(character) and (unicodedata.category(character)[0] in "PS")
