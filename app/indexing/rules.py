"""How text becomes what is looked for: plain letters, words, passages, and how far two words are apart. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# About four lines on a screen. Shorter ones lose what they are about, longer ones are no excerpt.
PASSAGE_WORDS = 60
# PostgreSQL indexes lexemes up to 2,046 bytes; nobody types a word half as long as this.
WORD_CHARS = 40
_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)*")
_KNOWN = re.compile(r"[^\W\d_]{3,40}\Z")
_CONTROLS = dict.fromkeys([*range(32), 127], " ")
_SENTENCE_END = re.compile(r"(?<=[.!?…。])\s+")


@dataclass(frozen=True)
class Line:
    """What is said at one moment of a film."""

    at_s: int
    words: str


@dataclass(frozen=True)
class Piece:
    """A passage. `at_s`, `marks`: as in `models.Passage`; `anchor`: the heading above it, "" where there is none."""

    words: str
    anchor: str = ""
    at_s: int | None = None
    marks: tuple[tuple[int, int], ...] = ()


def plain(text: str) -> str:
    """Small letters without accents, character for character: what is found in it stands at the same place in `text`.

    `Hüfte` becomes `hufte`; `ß` stays, for it would become two. Controls become spaces: PostgreSQL takes no NUL.
    """
    if text.isascii():
        # Ten times as fast, and most of what is written in English.
        return text.lower().translate(_CONTROLS)
    return "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character.isascii():
        return character.lower().translate(_CONTROLS)
    if unicodedata.category(character) in ("Cc", "Cs"):
        return " "
    base = unicodedata.normalize("NFKD", character.lower())
    kept = [one for one in base if not unicodedata.combining(one)]
    return kept[0] if len(kept) == 1 else character


def words_in(text: str) -> list[str]:
    """The words of a text in their plain form, in order, with repetitions."""
    return [word.replace("’", "'")[:WORD_CHARS] for word in _WORD.findall(plain(text))]


def known_words(texts: Iterable[str]) -> list[str]:
    """The words worth offering to somebody who mistyped one: letters only, at least three, each once, in order."""
    return sorted({word for text in texts for word in words_in(text) if _KNOWN.match(word)})


def cut(blocks: Iterable[str], anchor: str = "") -> Iterator[Piece]:
    """Paragraphs as passages: short ones together, long ones cut behind a sentence."""
    held: list[str] = []
    count = 0
    for part in _sentences(blocks):
        size = len(part.split())
        if held and count + size > PASSAGE_WORDS:
            yield Piece(" ".join(held), anchor)
            held, count = [], 0
        held.append(part)
        count += size
    if held:
        yield Piece(" ".join(held), anchor)


def _sentences(blocks: Iterable[str]) -> Iterator[str]:
    """Parts of at most a passage's length."""
    for block in blocks:
        tidied = " ".join(block.split())
        if not tidied:
            continue
        if len(tidied.split()) <= PASSAGE_WORDS:
            yield tidied
            continue
        for sentence in _SENTENCE_END.split(tidied):
            spoken = sentence.split()
            for start in range(0, len(spoken), PASSAGE_WORDS):
                yield " ".join(spoken[start : start + PASSAGE_WORDS])


def cut_lines(lines: Sequence[Line]) -> Iterator[Piece]:
    """What is said in a film as passages, each with the second at which it begins and those of its lines."""
    held: list[Line] = []
    count = 0
    for line in lines:
        size = len(line.words.split())
        if held and count + size > PASSAGE_WORDS:
            yield _spoken(held)
            held, count = [], 0
        held.append(line)
        count += size
    if held:
        yield _spoken(held)


def _spoken(lines: Sequence[Line]) -> Piece:
    text, marks = "", []
    for line in lines:
        text += " " if text else ""
        marks.append((len(text), line.at_s))
        text += line.words
    return Piece(text, at_s=lines[0].at_s, marks=tuple(marks))


def distance(one: str, other: str, most: int) -> int:
    """How many letters have to be put in, taken out, changed or swapped with their neighbour; `most + 1` for more.

    Source: the optimal string alignment distance (Damerau, 1964, without a second edit of what was swapped)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1] if row[-1] <= most else most + 1
