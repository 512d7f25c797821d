"""Reads of what readers sent, as the studio needs it: the queue of responses, reports, messages, and their counts."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import Article, Comment, ContactMessage, Report

PAGE = 30


@dataclass(frozen=True)
class ResponseLine:
    """A response as the moderation queue shows it, with its article and what it answers."""

    comment: Comment
    article_slug: str
    article_title: str
    parent_name: str | None
    parent_html: str | None


@dataclass(frozen=True)
class Reason:
    """What a reader wrote about a response, or nothing. `is_trapped`: it may be a program's, and was not mailed."""

    words: str
    is_trapped: bool


@dataclass(frozen=True)
class Waiting:
    """What needs the teacher. `messages` were mailed to her; `unmailed` ones, and `reports` of that many responses,
    are in the studio alone."""

    responses: int
    messages: int
    unmailed: int
    reports: int


async def waiting(db: AsyncSession) -> Waiting:
    """How many responses are held and how many messages are not yet handled."""
    held = await db.scalar(select(func.count()).where(Comment.state == "pending"))
    mailed, unmailed = (
        await db.execute(
            select(
                func.count().filter(~ContactMessage.is_held), func.count().filter(ContactMessage.is_held)
            ).where(ContactMessage.handled_at.is_(None))
        )
    ).one()
    reports = await db.scalar(
        select(func.count()).where(
            Comment.state == "approved", _is_reported(), ~_is_reported(~Report.is_trapped)
        )
    )
    return Waiting(held or 0, mailed, unmailed, reports or 0)


async def response_counts(db: AsyncSession) -> dict[str, int]:
    """How many responses there are in each state, and how many shown ones were reported."""
    rows = await db.execute(select(Comment.state, func.count()).group_by(Comment.state))
    found = {row[0]: row[1] for row in rows}
    reported = await db.scalar(select(func.count()).where(Comment.state == "approved", _is_reported()))
    return {"reported": reported or 0} | {
        state: found.get(state, 0) for state in ("pending", "approved", "spam", "removed")
    }


def _is_reported(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Report.comment_id == Comment.id, Report.handled_at.is_(None), *which)


async def report_reasons(db: AsyncSession, ids: Collection[UUID]) -> dict[UUID, list[Reason]]:
    """What readers wrote about each of these responses, still to be decided; empty words for no reason given."""
    rows = await db.execute(
        select(Report.comment_id, Report.reason, Report.is_trapped)
        .where(Report.comment_id.in_(ids), Report.handled_at.is_(None))
        .order_by(Report.created_at)
    )
    found: dict[UUID, list[Reason]] = {}
    for comment_id, words, is_trapped in rows:
        found.setdefault(comment_id, []).append(Reason(words, is_trapped))
    return found


def _response_lines() -> Select[Comment, str, str, str | None, str | None]:
    parent = Comment.__table__.alias("parent")
    return (
        select(Comment, Article.slug, Article.title, parent.c.name, parent.c.body_html)
        .join(Article, Article.id == Comment.article_id)
        .outerjoin(parent, parent.c.id == Comment.parent_id)
    )


async def response_page(db: AsyncSession, state: str, *, page: int) -> list[ResponseLine]:
    """One page of the queue: held ones the oldest first, others the newest first; "reported": shown, and reported."""
    order = Comment.created_at.asc() if state == "pending" else Comment.created_at.desc()
    rows = await db.execute(
        _response_lines()
        .where(
            Comment.state == "approved" if state == "reported" else Comment.state == state,
            _is_reported() if state == "reported" else true(),
        )
        .order_by(order, Comment.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return [ResponseLine(*row) for row in rows]


async def response_line(db: AsyncSession, comment_id: UUID) -> ResponseLine | None:
    """One response, whatever its state."""
    row = (await db.execute(_response_lines().where(Comment.id == comment_id))).one_or_none()
    return ResponseLine(*row) if row else None


async def messages(db: AsyncSession, *, handled: bool, page: int) -> list[ContactMessage]:
    """One page of the inbox, the newest first."""
    state = ContactMessage.handled_at.is_not(None) if handled else ContactMessage.handled_at.is_(None)
    rows = await db.scalars(
        select(ContactMessage)
        .where(state)
        .order_by(ContactMessage.created_at.desc(), ContactMessage.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return list(rows)


async def message_counts(db: AsyncSession) -> tuple[int, int]:
    """(open, handled)."""
    rows = (
        await db.execute(
            select(
                func.count().filter(ContactMessage.handled_at.is_(None)),
                func.count().filter(ContactMessage.handled_at.is_not(None)),
            )
        )
    ).one()
    return rows[0], rows[1]
