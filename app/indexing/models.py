"""Facts about what can be found: one document for each thing, its passages, and every word that was seen."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

KINDS = ("article", "course", "lesson", "spoken", "term")


class Document(Base):
    """One thing that can be found, as it was when it was last written; who may find it is asked when it is read.

    Exactly one of the six ids is set, and with it the document goes. `whole`: every lexeme of title, `about` (A),
    headings (B), lead (C) and passages (D); those of title and `about` once more behind a `^`, so that a query for them
    alone is answered by the same index.
    """

    __tablename__ = "search_document"
    __table_args__ = (
        CheckConstraint("kind IN ('article', 'course', 'lesson', 'spoken', 'term')", name="kind"),
        CheckConstraint(
            "num_nonnulls(article_id, course_id, lesson_id, track_id, video_id, term_id) = 1",
            name="one_subject",
        ),
        UniqueConstraint("article_id", "kind"),
        UniqueConstraint("course_id", "kind"),
        UniqueConstraint("lesson_id", "kind"),
        UniqueConstraint("track_id", "kind"),
        UniqueConstraint("video_id", "kind"),
        UniqueConstraint("term_id", "kind"),
        # One index for each kind: a search takes so many of each, and must not read those of the others for it.
        *(
            Index(
                f"ix_search_document_{kind}",
                "whole",
                postgresql_using="gin",
                postgresql_where=text(f"kind = '{kind}'"),
            )
            for kind in KINDS
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    article_id: Mapped[UUID | None] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    course_id: Mapped[UUID | None] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"))
    lesson_id: Mapped[UUID | None] = mapped_column(ForeignKey("lesson.id", ondelete="CASCADE"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("caption_track.id", ondelete="CASCADE"))
    video_id: Mapped[UUID | None] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"))
    term_id: Mapped[UUID | None] = mapped_column(ForeignKey("term.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    # Names and synonyms of the muscles and conditions that it is about.
    about: Mapped[str] = mapped_column(Text, default="")
    headings: Mapped[str] = mapped_column(Text, default="")
    lead: Mapped[str] = mapped_column(Text, default="")
    whole: Mapped[str] = mapped_column(TSVECTOR, default="")


class Passage(Base):
    """A few sentences of a document, short enough to be shown as they are.

    `at_s`: the second of the film at which they are said; `marks`: (character, second) of each line within them.
    `anchor`: the heading above them.
    """

    __tablename__ = "search_passage"

    document_id: Mapped[int] = mapped_column(
        ForeignKey("search_document.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    at_s: Mapped[int | None]
    anchor: Mapped[str] = mapped_column(String(120), default="")
    marks: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    lexemes: Mapped[str] = mapped_column(TSVECTOR)


class Word(Base):
    """A word that stood in some document, in its plain form. It may be gone by now, or be nobody's to see: a search
    tells of it only when it finds something by it."""

    __tablename__ = "search_word"
    __table_args__ = (
        Index(
            "ix_search_word_trigrams",
            "word",
            postgresql_using="gin",
            postgresql_ops={"word": "gin_trgm_ops"},
        ),
        Index("ix_search_word_beginning", "word", postgresql_ops={"word": "text_pattern_ops"}),
    )

    word: Mapped[str] = mapped_column(Text, primary_key=True)
