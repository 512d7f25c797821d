"""What anyone may read: articles, the responses under them, and messages from the contact form."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.articles.paths import address
from app.clock import utcnow
from app.db import Base, HasId


class Article(HasId, Base):
    """`body_html` is rendered and sanitised from `body_md` when it is saved, never when it is read."""

    __tablename__ = "article"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published')", name="state"),
        # The few pages among many articles: every page's footer asks for them.
        Index("ix_article_pages", "slug", postgresql_where=text("NOT is_listed")),
        Index("ix_article_likeness", "likeness", postgresql_using="gin"),
    )

    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    body_md: Mapped[str] = mapped_column(Text, default="")
    body_html: Mapped[str] = mapped_column(Text, default="")
    word_count: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16), default="draft")
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    lesson_id: Mapped[UUID | None] = mapped_column(ForeignKey("lesson.id", ondelete="SET NULL"))
    # False for what is a page rather than an article ("Imprint"): it has its address, and stands in no list or feed.
    is_listed: Mapped[bool] = mapped_column(default=True)
    # What it is about in few words, to find others that are about the same (`suggesting`). Written by the database.
    likeness: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', summary), 'B')",
            persisted=True,
        ),
        deferred=True,
    )
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
    published_at: Mapped[datetime | None]

    @property
    def url(self) -> str:
        return address(self.slug, self.is_listed)


class ArticleRevision(HasId, Base):
    """An article's words as they were saved at one time; the newest are what stands there now."""

    __tablename__ = "article_revision"
    __table_args__ = (Index("ix_article_revision_article_id_saved_at", "article_id", "saved_at"),)

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text)
    body_md: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    saved_at: Mapped[datetime] = mapped_column(default=utcnow)


class ArticleRelation(Base):
    """ "This article can also be helpful to you": an ordered list chosen by the author."""

    __tablename__ = "article_relation"

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    related_id: Mapped[UUID] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)


class Tag(HasId, Base):
    """What articles are about, in a word; its page lists them."""

    __tablename__ = "tag"

    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(120))


class ArticleTag(Base):
    __tablename__ = "article_tag"

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[UUID] = mapped_column(
        ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Series(HasId, Base):
    """Articles that are read one after the other."""

    __tablename__ = "series"

    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class SeriesPart(Base):
    """An article's place in a series; it is in one at most."""

    __tablename__ = "series_part"

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    series_id: Mapped[UUID] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)


class OldAddress(Base):
    """Where something was before: its path on this site or the former one, and what is there now.

    `path` as `paths.kept` writes it. Either an article, wherever it moves, or another address of ours.
    """

    __tablename__ = "old_address"
    __table_args__ = (CheckConstraint("(article_id IS NULL) <> (target IS NULL)", name="one_target"),)

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    article_id: Mapped[UUID | None] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    target: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Comment(HasId, Base):
    """A response to an article, or to another response. `email` of guests is never shown.

    One that came from another site has no address, only its `email_hash` (docs/adr/0020). `writer` is the mark of the
    browser that a guest wrote it in. A withdrawn one has no words, name and address any more.
    """

    __tablename__ = "comment"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'approved', 'spam', 'removed', 'withdrawn')", name="state"),
        Index("ix_comment_article_id_state", "article_id", "state"),
    )

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), index=True)
    email_hash: Mapped[str] = mapped_column(String(64), default="")
    is_author: Mapped[bool] = mapped_column(default=False)
    body_md: Mapped[str] = mapped_column(Text)
    body_html: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default="pending")
    # Why it is not shown: a key of letting_in.CAUSES.
    cause: Mapped[str] = mapped_column(String(16), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
    writer: Mapped[UUID | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    edited_at: Mapped[datetime | None]
    # How often its words were changed: a decision is about the words that were read.
    edits: Mapped[int] = mapped_column(default=0)
    moderated_at: Mapped[datetime | None]


class Follow(HasId, Base):
    """Somebody who wants to hear of the answers to one response. Nothing but the question whether that is so is mailed
    before `confirmed_at`. `writer`: the browser in which the mail's link was pressed."""

    __tablename__ = "comment_follow"
    __table_args__ = (UniqueConstraint("comment_id", "email"),)

    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(120))
    writer: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Report(HasId, Base):
    """A reader says that a response should not be there; once from each network. Staff decide, nothing else does.

    `is_trapped`: a field that people cannot see was filled in, so it may be a program's; it was not mailed.
    """

    __tablename__ = "comment_report"
    __table_args__ = (UniqueConstraint("comment_id", "network"),)

    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    network: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text, default="")
    is_trapped: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    handled_at: Mapped[datetime | None] = mapped_column(index=True)


class Ban(HasId, Base):
    """Somebody who may not respond: a mailbox (`same_person.person_of`), an account with its mailbox, or a network.

    `writer`: the browser in which a banned address was used. `reason` is for staff only.
    """

    __tablename__ = "response_ban"
    __table_args__ = (
        CheckConstraint("kind IN ('address', 'account', 'network')", name="kind"),
        CheckConstraint("kind <> 'network' OR ends_at IS NOT NULL", name="network_ends"),
        Index("ix_response_ban_kind_value", "kind", "value"),
    )

    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120), default="")
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL"), index=True
    )
    writer: Mapped[UUID | None] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    ends_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]


class SpentStamp(Base):
    """A form's stamp whose proof of work has paid for a response; kept for as long as the stamp would be believed."""

    __tablename__ = "spent_stamp"

    challenge: Mapped[str] = mapped_column(String(64), primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(index=True)


class ContactMessage(HasId, Base):
    """What somebody wrote on the contact page. `is_held`: it was not mailed to the teacher, and stands in the studio
    only. `is_trapped`: a field that people cannot see was filled in, so it may be spam."""

    __tablename__ = "contact_message"

    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    is_held: Mapped[bool] = mapped_column(default=False)
    is_trapped: Mapped[bool] = mapped_column(default=False)
    handled_at: Mapped[datetime | None]
