"""The sentences in which it stands, with the words that were asked for marked; plain text, never markup."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from app.finding import rules, statements
from app.finding.rules import Part, Wanted
from app.indexing.rules import plain
from app.settings import get_settings

_OPTIONS = f"HighlightAll=true, StartSel={rules.START}, StopSel={rules.STOP}"
# PostgreSQL leaves tags out of a headline: without these signs nothing is one.
_NO_TAGS = str.maketrans("<>&", "   ")


@dataclass(frozen=True)
class Excerpt:
    """`anchor`: of the heading above it; `at_s`: the second at which its first marked word is said."""

    parts: tuple[Part, ...] = ()
    anchor: str = ""
    at_s: int | None = None


@dataclass
class _Passage:
    words: str
    anchor: str = ""
    at_s: int | None = None
    marks: list[list[int]] = field(default_factory=list)


async def excerpts(
    db: AsyncSession, documents: Sequence[tuple[int, str]], wanted: Wanted
) -> dict[int, Excerpt]:
    """By document, of (document, its summary): the passage that has most of the words, else the summary."""
    query = rules.tsquery(wanted, any_word=True)
    values = {"ids": [document_id for document_id, _lead in documents], "any": query}
    passages = {document_id: _Passage(lead) for document_id, lead in documents}
    for row in await db.execute(statements.PASSAGES, values):
        passages[row.id] = _Passage(row.words, row.anchor, row.at_s, row.marks)
    texts = [plain(passage.words).translate(_NO_TAGS) for passage in passages.values()]
    headlines = await db.scalars(
        statements.HEADLINES,
        {
            "language": get_settings().search_language,
            "texts": texts,
            "any": query,
            "options": _OPTIONS,
        },
    )
    return {
        document_id: _excerpt(passage, headline)
        for (document_id, passage), headline in zip(passages.items(), headlines, strict=True)
    }


def _excerpt(passage: _Passage, headline: str) -> Excerpt:
    found = rules.parts(passage.words, headline)
    at_s = rules.second_of(passage.marks, rules.first_hit(found) or 0)
    return Excerpt(rules.shortened(found), passage.anchor, passage.at_s if at_s is None else at_s)
