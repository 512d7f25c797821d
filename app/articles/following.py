"""Hearing of answers: asked for with a response, confirmed by mail, told once for each answer, ended with one click."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import links
from app.accounts.links import Claims, Purpose
from app.articles.models import Article, Comment, Follow
from app.errors import LinkExpired
from app.jobs import enqueue
from app.settings import get_settings


async def ask(db: AsyncSession, comment: Comment, *, is_proven: bool, now: datetime) -> None:
    """Somebody wants to hear of answers to their response. `is_proven`: the address is known to be theirs."""
    proven = is_proven or await _has_confirmed(db, comment)
    await db.execute(
        insert(Follow)
        .values(
            comment_id=comment.id,
            email=comment.email,
            name=comment.name,
            created_at=now,
            confirmed_at=now if proven else None,
        )
        .on_conflict_do_nothing(index_elements=["comment_id", "email"])
    )


async def on_shown(db: AsyncSession, comment: Comment, now: datetime) -> None:
    """A response is shown: its writer is asked whether the address is theirs, and those above it hear of it.

    Called twice, the second does nothing. Nobody is mailed for what the teacher has not let through, so that no
    program can make this site write to strangers.
    """
    article = await db.get_one(Article, comment.article_id)
    own = await db.scalar(
        select(Follow).where(
            Follow.comment_id == comment.id, Follow.confirmed_at.is_(None), Follow.ended_at.is_(None)
        )
    )
    if own is not None:
        context = {
            "name": own.name,
            "article_title": article.title,
            "url": links.url(Purpose.FOLLOW, Claims(str(own.id), "", {}), now),
        }
        await _send(db, "follow_confirm", own, context, f"mail:follow:{own.id}")
    for follow in await _followers(db, comment):
        digest = hashlib.sha256(follow.email.encode()).hexdigest()[:32]
        context = {
            "name": follow.name,
            "from_name": comment.name,
            "words": comment.body_md,
            "article_title": article.title,
            "url": f"{get_settings().base_url}/articles/{article.slug}#response-{comment.id}",
            "unsubscribe_url": links.url(Purpose.UNFOLLOW, Claims(str(follow.id), "", {}), now),
        }
        await _send(db, "new_reply", follow, context, f"mail:reply:{comment.id}:{digest}")


async def find(db: AsyncSession, token: str, purpose: Purpose, now: datetime) -> tuple[Follow, Article]:
    """Whose link this is, and under which article.

    Raises:
        LinkExpired: when it is forged or too old, or what it was about is gone.
    """
    claims = links.read(token, purpose, now)
    try:
        follow_id = UUID(claims.subject)
    except ValueError:
        raise LinkExpired from None
    row = (
        await db.execute(
            select(Follow, Article)
            .join(Comment, Comment.id == Follow.comment_id)
            .join(Article, Article.id == Comment.article_id)
            .where(Follow.id == follow_id)
        )
    ).first()
    if row is None:
        raise LinkExpired
    return row[0], row[1]


async def confirm(db: AsyncSession, token: str, now: datetime, *, writer: UUID | None = None) -> None:
    """The address is theirs, for every response that was written with it in the same browser. `writer`: the one in
    which the mail's link was pressed.

    Raises:
        LinkExpired: as `find`.
    """
    follow, _article = await find(db, token, Purpose.FOLLOW, now)
    comment = await db.get_one(Comment, follow.comment_id)
    # Not what others wrote under this address.
    same = or_(Follow.id == follow.id, and_(Comment.writer.is_not(None), Comment.writer == comment.writer))
    rows = await db.scalars(
        select(Follow)
        .join(Comment, Comment.id == Follow.comment_id)
        .where(Follow.email == follow.email, Follow.confirmed_at.is_(None), Follow.ended_at.is_(None), same)
    )
    for row in rows:
        row.confirmed_at = now
        row.writer = writer
    # Ended meanwhile, and asked for again with this link.
    follow.confirmed_at, follow.ended_at = follow.confirmed_at or now, None
    # Pressed once more, in another browser: that one is theirs too.
    follow.writer = writer or follow.writer
    await db.flush()


async def end(db: AsyncSession, token: str, now: datetime, *, everywhere: bool = False) -> None:
    """No more mails about this response, or about any.

    Raises:
        LinkExpired: as `find`.
    """
    follow, _article = await find(db, token, Purpose.UNFOLLOW, now)
    which = Follow.email == follow.email if everywhere else Follow.id == follow.id
    for row in await db.scalars(select(Follow).where(which, Follow.ended_at.is_(None))):
        row.ended_at = now
    await db.flush()


async def _has_confirmed(db: AsyncSession, comment: Comment) -> bool:
    """Whether its browser is known to be the address's owner's: anybody else could have them mailed."""
    if comment.writer is None:
        return False
    found = await db.scalar(
        select(func.count()).where(
            Follow.email == comment.email,
            Follow.writer == comment.writer,
            Follow.confirmed_at.is_not(None),
        )
    )
    return bool(found)


async def _followers(db: AsyncSession, comment: Comment) -> list[Follow]:
    """Those who follow a response above this one, each address once, and not who wrote it."""
    above = (
        select(Comment.id, Comment.parent_id)
        .where(Comment.id == comment.parent_id)
        .cte("above", recursive=True)
    )
    # UNION, not UNION ALL: it ends even in a circle.
    above = above.union(select(Comment.id, Comment.parent_id).join(above, Comment.id == above.c.parent_id))
    rows = await db.scalars(
        select(Follow)
        .join(above, above.c.id == Follow.comment_id)
        .where(Follow.confirmed_at.is_not(None), Follow.ended_at.is_(None), Follow.email != comment.email)
        .order_by(Follow.created_at)
    )
    return list({row.email: row for row in rows}.values())


async def _send(db: AsyncSession, template: str, follow: Follow, context: dict[str, str], cause: str) -> None:
    await enqueue(
        db, "send_mail", {"template": template, "to": follow.email, "context": context}, workflow_id=cause
    )
