"""What of an article can be found: its title, its summary, its headings, and its text below each of them."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.markdown import plain_text
from app.articles.models import Article
from app.indexing import writing
from app.indexing.rules import Piece, cut
from app.indexing.writing import Found, Subject

_HEADING = re.compile(r'<h[234] id="([^"]+)">(.*?)</h[234]>', re.DOTALL)
_BLOCK_END = re.compile(r"</(?:p|li|blockquote|figcaption|td|th|h[2-4]|pre|aside|div)>")


def found_in(title: str, summary: str, body_html: str) -> Found:
    """An article as the index keeps it."""
    before, *rest = _HEADING.split(body_html)
    pieces: list[Piece] = list(cut(_blocks(before)))
    for anchor, _heading, below in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        pieces += cut(_blocks(below), anchor)
    return Found(title, summary, tuple(plain_text(heading) for heading in rest[1::3]), tuple(pieces))


def _blocks(body_html: str) -> list[str]:
    return [plain_text(block) for block in _BLOCK_END.split(body_html)]


async def index(db: AsyncSession, article: Article) -> None:
    """Write it into the index, as it is in the database or on its way there."""
    await db.flush()
    await writing.put(
        db, Subject.of("article", article.id), found_in(article.title, article.summary, article.body_html)
    )
