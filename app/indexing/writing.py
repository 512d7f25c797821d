"""The index is written in the transaction of its cause: whoever saves something puts its document here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.indexing.models import Document, Passage
from app.indexing.rules import Piece, known_words, plain
from app.settings import get_settings

# The column that names the subject of each kind; a `spoken` one is a caption track, a lesson's own transcript, or the
# chapters of a film.
OF_KIND = {
    "article": ("article_id",),
    "course": ("course_id",),
    "lesson": ("lesson_id",),
    "spoken": ("track_id", "lesson_id", "video_id"),
    "term": ("term_id",),
}
# In order, so that two writers of the same new words wait for each other instead of locking up.
_LEARN = text(
    "INSERT INTO search_word (word) SELECT w FROM unnest(CAST(:words AS text[])) AS w"
    " WHERE NOT EXISTS (SELECT FROM search_word AS known WHERE known.word = w) ORDER BY w ON CONFLICT DO NOTHING"
)
# One statement however many there are.
_PASSAGES = text(
    "INSERT INTO search_passage (document_id, position, words, at_s, anchor, marks, lexemes)"
    " SELECT :document_id, position, words, at_s, anchor, marks, to_tsvector(CAST(:language AS regconfig), plain)"
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
    " AS r (position int, words text, at_s int, anchor text, marks jsonb, plain text)"
)
_WEIGH = text(
    "UPDATE search_document SET whole = named || marked || setweight(to_tsvector(language, :headings), 'B')"
    " || setweight(to_tsvector(language, :lead), 'C') || to_tsvector(language, :words)"
    " FROM (SELECT CAST(:language AS regconfig) AS language) AS l,"
    " LATERAL (SELECT setweight(to_tsvector(language, :title), 'A')"
    " || setweight(to_tsvector(language, :about), 'B') AS named) AS n,"
    " LATERAL (SELECT array_to_tsvector(ARRAY(SELECT '^' || one FROM unnest(tsvector_to_array(named)) AS one))"
    " AS marked) AS m WHERE id = :document_id"
)


@dataclass(frozen=True)
class Subject:
    """What a document is about: its kind, the column that names it, and its id."""

    kind: str
    column: str
    id: UUID

    @classmethod
    def of(cls, kind: str, subject_id: UUID) -> "Subject":
        return cls(kind, OF_KIND[kind][0], subject_id)

    @classmethod
    def told_in(cls, lesson_id: UUID) -> "Subject":
        """The transcript that a teacher wrote by hand."""
        return cls("spoken", "lesson_id", lesson_id)

    @classmethod
    def chapters_of(cls, video_id: UUID) -> "Subject":
        """What the parts of a film are called."""
        return cls("spoken", "video_id", video_id)


@dataclass(frozen=True)
class Found:
    """What of a thing can be found, in plain text. `about` None: it stays as it is."""

    title: str
    lead: str = ""
    headings: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    about: str | None = None


async def put(db: AsyncSession, subject: Subject, found: Found) -> None:
    """Make this the subject's document. The subject's own row must be in the database (flushed)."""
    values = {"title": found.title, "lead": found.lead, "headings": "\n".join(found.headings)}
    if found.about is not None:
        values["about"] = found.about
    row = upsert(Document).values(kind=subject.kind, **{subject.column: subject.id}, **values)
    row = row.on_conflict_do_update(index_elements=[subject.column, "kind"], set_=values)
    document_id, about = (await db.execute(row.returning(Document.id, Document.about))).one()
    await db.execute(delete(Passage).where(Passage.document_id == document_id))
    await _write_passages(db, document_id, found.pieces)
    spoken = "\n".join(piece.words for piece in found.pieces)
    await _weigh(db, document_id, {**values, "about": about}, spoken)
    await db.execute(_LEARN, {"words": known_words([*values.values(), about, spoken])})


async def set_about(db: AsyncSession, subject: Subject, about: str) -> None:
    """Let the document be found by these names, too. Without a document, nothing happens."""
    document = await db.scalar(
        select(Document).where(Document.kind == subject.kind, getattr(Document, subject.column) == subject.id)
    )
    if document is None or document.about == about:
        return
    document.about = about
    await db.flush()
    spoken = await db.scalars(
        select(Passage.words).where(Passage.document_id == document.id).order_by(Passage.position)
    )
    values = {"title": document.title, "lead": document.lead, "headings": document.headings, "about": about}
    await _weigh(db, document.id, values, "\n".join(spoken))
    await db.execute(_LEARN, {"words": known_words([about])})


async def remove(db: AsyncSession, subject: Subject) -> None:
    """Take the subject's document away, for what is empty now; with the subject itself it goes by itself."""
    await db.execute(
        delete(Document).where(Document.kind == subject.kind, getattr(Document, subject.column) == subject.id)
    )


async def _write_passages(db: AsyncSession, document_id: int, pieces: Sequence[Piece]) -> None:
    rows = [
        {
            "position": position,
            "words": piece.words,
            "at_s": piece.at_s,
            "anchor": piece.anchor[:120],
            "marks": piece.marks,
            "plain": plain(piece.words),
        }
        for position, piece in enumerate(pieces)
    ]
    if rows:
        language = get_settings().search_language
        values = {"document_id": document_id, "language": language, "rows": json.dumps(rows)}
        await db.execute(_PASSAGES, values)


async def _weigh(db: AsyncSession, document_id: int, values: dict[str, str], spoken: str) -> None:
    texts = {name: plain(value) for name, value in {**values, "words": spoken}.items()}
    await db.execute(
        _WEIGH, {**texts, "language": get_settings().search_language, "document_id": document_id}
    )
