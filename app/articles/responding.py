"""A reader's response is taken: stored as held, approved or spam, and the teacher is told once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.rules import clean_email
from app.articles import bans, following, letting_in, pacing, trust
from app.articles.markdown import render_response
from app.articles.models import Article, Comment
from app.articles.rules import ResponseDraft, Suspicion
from app.articles.writers import Sender
from app.jobs import enqueue

# Whoever presses twice means it once.
TWICE_WITHIN = timedelta(hours=1)


async def parent_of(db: AsyncSession, article_id: UUID, parent_id: UUID | None) -> Comment | None:
    """The shown response that is answered; None for a new thread or one that is not (or no longer) there."""
    if parent_id is None:
        return None
    found: Comment | None = (
        await db.scalars(
            select(Comment).where(
                Comment.id == parent_id, Comment.article_id == article_id, Comment.state == "approved"
            )
        )
    ).one_or_none()
    return found


async def twin_of(
    db: AsyncSession, article_id: UUID, draft: ResponseDraft, parent: Comment | None, now: datetime
) -> Comment | None:
    """The same words of the same person at the same place, sent within the hour."""
    found: Comment | None = await db.scalar(
        select(Comment)
        .where(
            Comment.article_id == article_id,
            Comment.email == clean_email(draft.email),
            Comment.parent_id == (parent.id if parent else None),
            Comment.body_md == draft.body,
            Comment.created_at > now - TWICE_WITHIN,
        )
        .limit(1)
    )
    return found


async def respond(
    db: AsyncSession,
    article: Article,
    draft: ResponseDraft,
    sender: Sender,
    *,
    parent: Comment | None,
    trapped: bool,
    is_proven: bool,
    notify: Sequence[str],
    suspicion: Suspicion,
    now: datetime,
) -> Comment:
    """Store a checked response and tell the addresses of `notify`, once each, unless it is staff's own or spam.

    `trapped`: a field that people cannot see was filled in. `is_proven`: the guest's browser did the form's work.
    """
    email = clean_email(draft.email)
    verdict = letting_in.decide(
        await trust.standing(db, sender, email),
        is_staff=sender.is_staff,
        is_trapped=trapped,
        is_suspect=suspicion.falls_on(f"{draft.name}\n{draft.body}"),
        is_proven=is_proven or sender.viewer is not None,
        is_banned=await bans.against(db, sender, email, now) is not None,
    )
    comment = _written(article, draft, sender, parent, verdict, now)
    db.add(comment)
    await db.flush()
    if draft.wants_replies and verdict.state != "spam":
        # A member's address was confirmed with the account.
        await following.ask(db, comment, is_proven=sender.is_confirmed, now=now)
    if verdict.state == "approved":
        await following.on_shown(db, comment, now)
    if verdict.state != "spam" and not sender.is_staff:
        await tell_staff(db, article, comment, notify, now)
    return comment


def _written(
    article: Article,
    draft: ResponseDraft,
    sender: Sender,
    parent: Comment | None,
    verdict: letting_in.Verdict,
    now: datetime,
) -> Comment:
    return Comment(
        id=uuid4(),
        article_id=article.id,
        parent_id=parent.id if parent else None,
        user_id=sender.user_id,
        name=draft.name,
        email=clean_email(draft.email),
        is_author=sender.is_staff,
        body_md=draft.body,
        body_html=render_response(draft.body),
        state=verdict.state,
        cause=verdict.cause,
        ip=sender.ip[:45],
        writer=None if sender.viewer else sender.writer,
        created_at=now,
        moderated_at=now if sender.is_staff else None,
    )


async def tell_staff(
    db: AsyncSession, article: Article, comment: Comment, notify: Sequence[str], now: datetime
) -> None:
    """A mail to each of `notify`, unless so many went out within the hour that the queue is what to look at."""
    if not await pacing.may_tell(db, now):
        return
    cause = f"{comment.id}:{comment.edits}" if comment.edits else str(comment.id)
    for address in notify:
        await enqueue(
            db,
            "send_mail",
            {
                "template": "new_response",
                "to": address,
                "context": {
                    "name": comment.name,
                    "words": comment.body_md,
                    "article_title": article.title,
                    "article_path": f"/articles/{article.slug}",
                    "response_path": f"/articles/{article.slug}#response-{comment.id}",
                    "is_held": comment.state == "pending",
                },
            },
            workflow_id=f"mail:response:{cause}:{address}",
        )
