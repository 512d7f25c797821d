"""What changed between two texts: by lines, and by words inside lines that changed. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "added", "removed", "skipped"]
# So many unchanged lines stand around a change; the rest is passed over.
AROUND = 2
# Beyond that, comparing word by word takes longer than anybody waits, and tells nobody anything.
MOST_WORDS = 3_000

_WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Piece:
    """A stretch of text. "skipped" stands for unchanged lines and has no words."""

    kind: Kind
    text: str = ""


def differences(before: str, after: str) -> list[Piece]:
    """The pieces of which `before` became `after`, in order; nothing for two equal texts."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if old == new:
        return []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    pieces: list[Piece] = []
    codes = matcher.get_opcodes()
    for number, (tag, from_old, to_old, from_new, to_new) in enumerate(codes):
        if tag == "equal":
            pieces += _unchanged(old[from_old:to_old], is_first=number == 0, is_last=number == len(codes) - 1)
        else:
            pieces += _words("".join(old[from_old:to_old]), "".join(new[from_new:to_new]))
    return pieces


def _unchanged(lines: list[str], *, is_first: bool, is_last: bool) -> Iterator[Piece]:
    head = [] if is_first else lines[:AROUND]
    tail = [] if is_last else lines[max(len(head), len(lines) - AROUND) :]
    if head:
        yield Piece("same", "".join(head))
    if len(head) + len(tail) < len(lines):
        yield Piece("skipped")
    if tail:
        yield Piece("same", "".join(tail))


def _words(before: str, after: str) -> Iterator[Piece]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > MOST_WORDS:
        yield from _both(before, after)
        return
    for tag, from_old, to_old, from_new, to_new in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(old[from_old:to_old]))
        else:
            yield from _both("".join(old[from_old:to_old]), "".join(new[from_new:to_new]))


def _both(before: str, after: str) -> Iterator[Piece]:
    if before:
        yield Piece("removed", before)
    if after:
        yield Piece("added", after)
