"""What is asked, how an answer's excerpt is marked, and what a muscle or condition needs. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from app.catalog.rules import is_slug
from app.i18n import _
from app.indexing.rules import words_in

# Longer questions are cut: nobody reads what matches nine words better than what matches eight.
ASKED_CHARS, ASKED_WORDS = 200, 8
EXCERPT_CHARS = 230
BEFORE_CHARS = 70
START, STOP = "\x02", "\x03"
NAME_MAX, SUMMARY_MAX, SYNONYMS_MAX, BODY_MAX = 120, 320, 1000, 60_000
KINDS = ("muscle", "condition")

Errors = dict[str, str]


def asked_words(asked: str) -> tuple[str, ...]:
    """The words of a question in their plain form, each once, at most eight."""
    return tuple(dict.fromkeys(words_in(asked[:ASKED_CHARS])))[:ASKED_WORDS]


def quoted(lexeme: str) -> str:
    """A lexeme as `tsquery` reads it, whatever signs are in it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


# A word asked for: the spellings that will do, and of each the lexemes that all have to be there.
Wanted = Sequence[Sequence[Sequence[str]]]


def tsquery(wanted: Wanted, *, mark: str = "", any_word: bool = False) -> str:
    """The question as `tsquery` text: every word, in one of its spellings; `any_word`: one of the words will do."""
    groups = [
        "(" + " | ".join(" & ".join(quoted(mark + lexeme) for lexeme in spelling) for spelling in word) + ")"
        for word in wanted
        if word and all(word)
    ]
    return (" | " if any_word else " & ").join(groups)


@dataclass(frozen=True)
class Part:
    """A part of an excerpt; `is_hit`: it was asked for."""

    words: str
    is_hit: bool = False


def parts(words: str, headline: str) -> tuple[Part, ...]:
    """The words cut where the headline, the same text in its plain form, has marks.

    One piece where the two do not fit.
    """
    found: list[Part] = []
    at, is_hit = 0, False
    run = 0
    for character in headline:
        if character in (START, STOP):
            if at > run:
                found.append(Part(words[run:at], is_hit))
            run, is_hit = at, character == START
        else:
            at += 1
    if at != len(words):
        return (Part(words),)
    if at > run:
        found.append(Part(words[run:at], is_hit))
    return tuple(found)


def shortened(found: Sequence[Part]) -> tuple[Part, ...]:
    """About two lines around the first hit, cut between words."""
    words = "".join(part.words for part in found)
    if len(words) <= EXCERPT_CHARS:
        return tuple(found)
    first = first_hit(found) or 0
    start = 0
    if first > BEFORE_CHARS:
        start = words.find(" ", first - BEFORE_CHARS, first) + 1
    end = len(words)
    if end - start > EXCERPT_CHARS:
        end = max(words.rfind(" ", start, start + EXCERPT_CHARS), start + 1)
    return _between(found, start, end, len(words))


def _between(found: Sequence[Part], start: int, end: int, length: int) -> tuple[Part, ...]:
    kept = [Part("… ")] if start else []
    at = 0
    for part in found:
        inside = part.words[max(0, start - at) : max(0, end - at)]
        if inside:
            kept.append(Part(inside, part.is_hit))
        at += len(part.words)
    if end < length:
        kept.append(Part(" …"))
    return tuple(kept)


def first_hit(found: Sequence[Part]) -> int | None:
    """At which character the first hit begins."""
    at = 0
    for part in found:
        if part.is_hit:
            return at
        at += len(part.words)
    return None


def second_of(marks: Sequence[Sequence[int]], character: int) -> int | None:
    """The second of the line in which a character stands; `marks`: (character, second), in order."""
    at = bisect_right([mark[0] for mark in marks], character) - 1
    return marks[max(at, 0)][1] if marks else None


@dataclass(frozen=True)
class TermDraft:
    """What is typed about a muscle or condition; ids are text still."""

    kind: str = "muscle"
    name: str = ""
    slug: str = ""
    synonyms: str = ""
    summary: str = ""
    body_md: str = ""
    regions: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()


def check_term(draft: TermDraft) -> Errors:
    """A sentence for each field that cannot be saved."""
    errors: Errors = {}
    if draft.kind not in KINDS:
        errors["kind"] = _("Choose whether it is a muscle or a condition.")
    if not draft.name:
        errors["name"] = _("Please give it a name.")
    elif len(draft.name) > NAME_MAX:
        errors["name"] = _("The name is longer than %(n)d characters. Please shorten it.") % {"n": NAME_MAX}
    if draft.slug and not is_slug(draft.slug):
        errors["slug"] = _("Use small letters, digits and single hyphens, like hip-rotators.")
    for name, value, longest in (
        ("synonyms", draft.synonyms, SYNONYMS_MAX),
        ("summary", draft.summary, SUMMARY_MAX),
        ("body_md", draft.body_md, BODY_MAX),
    ):
        if len(value) > longest:
            errors[name] = _("This is longer than %(n)d characters. Please shorten it.") % {"n": longest}
    if any(len(line) > NAME_MAX for line in draft.synonyms.splitlines()):
        errors["synonyms"] = _(
            "One of the names is longer than %(n)d characters. One name stands on each line."
        ) % {"n": NAME_MAX}
    return errors


def names(name: str, synonyms: str) -> str:
    """All names of a muscle or condition, one on each line."""
    return "\n".join([name, *(line for line in synonyms.splitlines() if line)])
