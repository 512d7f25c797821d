"""A question becomes a query: its words in every spelling that finds something this reader may find."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.finding import rules, statements
from app.indexing.rules import distance
from app.settings import get_settings

# Spellings that are tried for one word.
MOST_SPELLINGS = 5


@dataclass(frozen=True)
class Reader:
    """What somebody may watch beside free lessons: everything, or some courses."""

    everything: bool = False
    courses: tuple[UUID, ...] = ()

    def values(self, now: datetime) -> dict[str, object]:
        return {
            "everything": self.everything,
            "courses": [str(course_id) for course_id in self.courses],
            "now": now,
        }


@dataclass(frozen=True)
class Word:
    """A word that was asked for, and the spellings in which it is looked for, the best first."""

    asked: str
    spellings: tuple[str, ...]
    lexemes: tuple[tuple[str, ...], ...]


async def lexemes(db: AsyncSession, words: Sequence[str]) -> list[tuple[str, ...]]:
    """What each word is in the index; none for the little words that are in every text."""
    if not words:
        return []
    values = {"language": get_settings().search_language, "words": list(words)}
    return [tuple(row) for row in await db.scalars(statements.LEXEMES, values)]


async def as_asked(db: AsyncSession, words: Sequence[str]) -> list[Word]:
    """The words in their own spelling; the little ones are left out."""
    found = await lexemes(db, words)
    return [Word(word, (word,), (one,)) for word, one in zip(words, found, strict=True) if one]


async def respelled(
    db: AsyncSession, words: Sequence[Word], reader: Reader, now: datetime
) -> list[Word] | None:
    """The words, those that find nothing in the spellings that do. None when one of them finds nothing in any."""
    lone = await finding_something(db, [word.lexemes for word in words], reader, now)
    found = []
    for word, finds in zip(words, lone, strict=True):
        if finds:
            found.append(word)
            continue
        near = await _near(db, word.asked)
        known = await lexemes(db, near)
        real = await finding_something(db, [(one,) for one in known], reader, now)
        pairs = [
            (spelling, one)
            for spelling, one, is_real in zip(near, known, real, strict=True)
            if one and is_real
        ][:MOST_SPELLINGS]
        if not pairs:
            return None
        found.append(Word(word.asked, tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)))
    return found


async def finding_something(
    db: AsyncSession, wanted: Sequence[Sequence[Sequence[str]]], reader: Reader, now: datetime
) -> list[bool]:
    """Whether this reader finds anything at all by each of the words."""
    if not wanted:
        return []
    queries = [rules.tsquery([word]) for word in wanted]
    values = {"queries": queries, **reader.values(now)}
    numbers = set(await db.scalars(statements.ANYTHING, values))
    return [number in numbers for number in range(1, len(wanted) + 1)]


async def _near(db: AsyncSession, word: str) -> list[str]:
    """Words of the index that may have been meant: those that begin so, then the closest."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {
        "word": word,
        "beginning": f"{escaped}%" if len(word) > 2 else "",
        "initial": f"{escaped[:1]}%",
    }
    most = 1 if len(word) < 6 else 2 if len(word) < 10 else 3
    ranked = []
    for one in await db.scalars(statements.NEAR, values):
        if one == word:
            continue
        begins = len(word) > 2 and one.startswith(word)
        apart = distance(word, one, most)
        if begins or apart <= most:
            ranked.append((0 if apart <= 1 else 1 if begins else 2, apart, len(one), one))
    return [one for *_rank, one in sorted(ranked)[: MOST_SPELLINGS + 3]]
