"""Articles about the same, where the author has chosen none: suggested by the words and tags that they share."""

import time
from collections import OrderedDict
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

MOST = 5
# A site's words change slowly, and a page is read often: each process asks the database once an hour for each article.
BELIEVED_S = 3600.0
MOST_KEPT = 2000

# A word counts the more, the fewer articles have it, whatever the language: so "und" and "the" count nearly nothing.
# Two things in common at least, or it is chance.
_ALIKE = text(r"""
    WITH known AS (
        SELECT count(*)::float AS n FROM article WHERE state = 'published' AND is_listed AND published_at <= now()
    ), words AS (
        SELECT w.lexeme,
               ('''' || replace(replace(w.lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS asked,
               CASE WHEN 'A' = ANY (w.weights) THEN 2 ELSE 1 END AS weight
        FROM article, unnest(likeness) AS w WHERE id = :id
    ), hits AS (
        SELECT a.id, words.weight, count(*) OVER (PARTITION BY words.lexeme) AS holders
        FROM words JOIN article a ON a.likeness @@ words.asked
        WHERE a.state = 'published' AND a.is_listed AND a.published_at <= now()
        UNION ALL
        SELECT a.id, 2, count(*) OVER (PARTITION BY mine.tag_id)
        FROM article_tag mine
        JOIN article_tag other ON other.tag_id = mine.tag_id
        JOIN article a ON a.id = other.article_id
        WHERE mine.article_id = :id AND a.state = 'published' AND a.is_listed AND a.published_at <= now()
    )
    SELECT hits.id
    FROM hits, known
    WHERE hits.id <> :id
    GROUP BY hits.id
    HAVING count(*) >= 2
    ORDER BY sum(hits.weight * ln(1 + known.n / hits.holders)) DESC, hits.id
    LIMIT :most
""")

_kept: OrderedDict[UUID, tuple[float, list[UUID]]] = OrderedDict()


async def suggested(db: AsyncSession, article_id: UUID) -> list[UUID]:
    """Up to MOST published articles, the most alike first; an hour old at most, so look at their state again."""
    kept = _kept.get(article_id)
    if kept is not None and time.monotonic() - kept[0] < BELIEVED_S:
        _kept.move_to_end(article_id)
        return kept[1]
    found = list(await db.scalars(_ALIKE, {"id": article_id, "most": MOST}))
    _kept[article_id] = (time.monotonic(), found)
    _kept.move_to_end(article_id)
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return found
