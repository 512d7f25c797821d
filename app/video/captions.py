"""Read captions (WebVTT or SubRip) and chapters as a teacher brings them; refusals name the line at fault."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category

import webvtt

from app.errors import BadInput, TooLarge
from app.i18n import _
from app.video.subtitles import Cue

FILE_BYTES = 500_000
CUES = 5000
CHAPTERS = 100
CHAPTER_CHARS = 120
_LINE_END = re.compile(r"\r\n|\r|\n")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"PK\x03\x04", b"\x1aE\xdf\xa3")
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z]+|\d[\d:.]*)(?P<rest>[^<>]*)>")
# SubRip's own layout, {\an8}, and a comma where WebVTT has a point.
_LAYOUT = re.compile(r"\{\\[^{}]*\}")
_LAYOUT_LEFT = re.compile(r"\{\\+")
_LONE_ENDS = re.compile(r"\n(?=(?:</[ibv]>)+(?:\n|\Z))")
_COMMA = re.compile(r"(?<=\d),(?=\d)")
_PLAIN_AND = re.compile(r"&amp;(?=\s)")
_VOICE_ENDS = re.compile(r"</v>(?=\n\n|\n?\Z)")
_ASIDE = re.compile(r"(NOTE|STYLE|REGION)(\s|$)|\d+$")
_CHAPTER = re.compile(r"(?:(?P<h>\d{1,2}):)?(?P<m>\d{1,3}):(?P<s>[0-5]\d)\s+(?:[-–—]\s+)?(?P<title>.+)")
_KEPT = ("i", "b", "v")
# Controls, halves of characters, separators of lines; joiners and marks of direction (Cf) belong to the words.
_LOST = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True)
class Mark:
    """A chapter as it is typed: the second at which it begins, and its title."""

    at_s: int
    title: str


@dataclass(frozen=True)
class _Block:
    """Lines between empty ones. `number` is the first one's, from 1; `timing` the one with the arrow."""

    number: int
    lines: list[str]

    @property
    def timing(self) -> int:
        return self.number + next(at for at, line in enumerate(self.lines) if "-->" in line)


def decode(data: bytes) -> str:
    """The text of a caption file, in UTF-8 or, from older Windows programs, in code page 1252.

    Raises:
        TooLarge, BadInput: it is too large, empty, or no text.
    """
    if len(data) > FILE_BYTES:
        raise TooLarge(_("This file is too large for captions. Choose the .vtt or .srt file."))
    if not data.strip():
        raise BadInput(_("This file is empty. Choose the .vtt or .srt file."))
    if data.startswith(_PICTURES) or b"\x00" in data:
        raise BadInput(_("This is not a text file. Choose the .vtt or .srt file."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read(text: str, film_s: float | None) -> tuple[Cue, ...]:
    """The cues in a WebVTT or SubRip text, in order, with safe text. `film_s` None: the length is not known yet.

    Raises:
        BadInput: a sentence that names the line at fault, or says that there is nothing in it.
    """
    if len(text) > FILE_BYTES:
        raise TooLarge(_("These captions are too long. The most that is kept is 500 kB."))
    if "\x00" in text:
        raise BadInput(_("This holds a character that cannot be kept."))
    found: list[Cue] = []
    for block in _blocks(text):
        cue = _cue(block, film_s)
        if cue is not None:
            found.append(cue)
        if len(found) > CUES:
            raise TooLarge(_("There are more than %(n)d captions in it.") % {"n": CUES})
    if not found:
        raise BadInput(
            _("There are no captions in it. Each needs a line like 00:00:05.000 --> 00:00:08.000.")
        )
    return tuple(sorted(found, key=lambda cue: (cue.start_ms, cue.end_ms)))


def _blocks(text: str) -> Iterator[_Block]:
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    start = 0
    if lines[0].startswith("WEBVTT"):
        # The header ends at the first empty line.
        start = next((at for at, line in enumerate(lines) if not line.strip()), len(lines))
    block: list[str] = []
    for at in range(start, len(lines) + 1):
        if at < len(lines) and lines[at].strip():
            block.append(lines[at])
        elif block:
            yield _Block(at - len(block) + 1, block)
            block = []


def _cue(block: _Block, film_s: float | None) -> Cue | None:
    """The block's cue; None for notes, styles and cues without words."""
    arrows = [at for at, line in enumerate(block.lines) if "-->" in line]
    if not arrows:
        if _ASIDE.match(block.lines[0]):
            return None
        raise BadInput(_("Line %(n)d: these words have no time above them.") % {"n": block.number})
    if len(arrows) > 1:
        number = block.number + arrows[1]
        raise BadInput(_("Line %(n)d: an empty line is missing above this time.") % {"n": number})
    lines = list(block.lines)
    lines[arrows[0]] = _COMMA.sub(".", lines[arrows[0]])
    read = webvtt.from_string("WEBVTT\n\n" + "\n".join(lines))
    if arrows[0] > 1 or len(read) != 1:
        sentence = _("Line %(n)d: this time cannot be read. Write it like 00:00:05.000 --> 00:00:08.000.")
        raise BadInput(sentence % {"n": block.timing})
    caption = read[0]
    start_ms, end_ms = caption.start_time.in_milliseconds(), caption.end_time.in_milliseconds()
    text = clean("\n".join(caption.lines))
    if not text:
        return None
    return _timed(start_ms, end_ms, text, block.timing, film_s)


def _timed(start_ms: int, end_ms: int, text: str, line: int, film_s: float | None) -> Cue:
    if end_ms <= start_ms:
        raise BadInput(_("Line %(n)d: this caption ends before it begins.") % {"n": line})
    if film_s is not None:
        film_ms = round(film_s * 1000)
        if start_ms >= film_ms:
            raise BadInput(_("Line %(n)d: this caption begins after the end of the film.") % {"n": line})
        end_ms = min(end_ms, film_ms)
    return Cue(start_ms, end_ms, text)


def clean(payload: str) -> str:
    """Safe cue text: words, and <i>, <b> and <v Name> closed where they were opened; nothing else is markup.

    Cleaning it again changes nothing.
    """
    text = _LAYOUT.sub("", payload)
    out: list[str] = []
    opened: list[str] = []
    at = 0
    for tag in _TAG.finditer(text):
        out.append(_escaped(text[at : tag.start()]))
        out.append(_tag(tag, opened))
        at = tag.end()
    out.append(_escaped(text[at:]))
    out += [f"</{name}>" for name in reversed(opened)]
    lines = [" ".join(line.split()) for line in "".join(out).split("\n")]
    # What was nested, or had a tag in it, is words: the next reader must not find layout where this one found none.
    kept = _LAYOUT_LEFT.sub("{", "\n".join(line for line in lines if line))
    kept = _LONE_ENDS.sub("", kept)
    return kept if words(kept) else ""


def _tag(tag: re.Match[str], opened: list[str]) -> str:
    name = tag["name"].lower()
    if name not in _KEPT or (tag["rest"] and tag["rest"][0] not in " \t.\n/"):
        return ""
    if tag["end"]:
        if name not in opened:
            return ""
        closed = ""
        while opened:
            last = opened.pop()
            closed += f"</{last}>"
            if last == name:
                break
        return closed
    # <v.loud Ann>: classes come first, joined by points.
    who = " ".join(_escaped(tag["rest"].lstrip("/")).split()) if name == "v" else ""
    while who.startswith("."):
        who = who.partition(" ")[2]
    # Two hyphens before the end of the tag would be the arrow of a time.
    who = who.rstrip("- ")
    if name == "v" and not who:
        return ""
    opened.append(name)
    return f"<v {who}>" if who else f"<{name}>"


def _escaped(text: str) -> str:
    plain = "".join(c if c == "\n" or category(c) not in _LOST else " " for c in html.unescape(text))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def editable(vtt: str) -> str:
    """Canonical WebVTT as people like to edit it: a plain `&`, and voices that end with their caption."""
    return _VOICE_ENDS.sub("", _PLAIN_AND.sub("&", vtt))


def words(text: str) -> str:
    """The plain words of safe cue text, on one line."""
    return " ".join(html.unescape(_TAG.sub("", text)).split())


def read_chapters(text: str, film_s: float | None) -> tuple[Mark, ...]:
    """Chapters from lines like `0:00 Warm-up`, in order.

    Raises:
        BadInput: a sentence that names the line at fault.
    """
    found: dict[int, Mark] = {}
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip():
            continue
        mark = _mark(line.strip(), number, film_s)
        if mark.at_s in found:
            raise BadInput(_("Line %(n)d: another chapter begins at the same time.") % {"n": number})
        found[mark.at_s] = mark
        if len(found) > CHAPTERS:
            raise BadInput(_("There are more than %(n)d chapters.") % {"n": CHAPTERS})
    return tuple(sorted(found.values(), key=lambda mark: mark.at_s))


def _mark(line: str, number: int, film_s: float | None) -> Mark:
    read = _CHAPTER.fullmatch(line)
    if read is None:
        raise BadInput(_("Line %(n)d: write a time and a title, like 2:30 Deep rotators.") % {"n": number})
    title = " ".join(read["title"].split())
    if not title.isprintable():
        raise BadInput(_("Line %(n)d: this holds a character that cannot be kept.") % {"n": number})
    if len(title) > CHAPTER_CHARS:
        raise BadInput(
            _("Line %(n)d: this title is longer than %(most)d characters.")
            % {"n": number, "most": CHAPTER_CHARS}
        )
    at_s = int(read["h"] or 0) * 3600 + int(read["m"]) * 60 + int(read["s"])
    if film_s is not None and at_s >= film_s:
        raise BadInput(_("Line %(n)d: this is after the end of the film.") % {"n": number})
    return Mark(at_s, title)
