"""A reader's response is taken: stored as held, approved or spam, and the teacher is told once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.permissions import Viewer
from app.accounts.rules import clean_email
from app.articles import following, rules
from app.articles.markdown import render_response
from app.articles.models import Article, Comment
from app.articles.rules import ResponseDraft, Suspicion
from app.jobs import enqueue


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


async def respond(
    db: AsyncSession,
    article: Article,
    draft: ResponseDraft,
    *,
    viewer: Viewer | None,
    parent: Comment | None,
    ip: str,
    trapped: bool,
    notify: Sequence[str],
    suspicion: Suspicion,
    now: datetime,
) -> Comment:
    """Store a checked response and tell the addresses of `notify`, once each, unless it is staff's own or spam.

    `trapped`: a field that people cannot see was filled in.
    """
    is_staff = viewer is not None and viewer.is_staff
    state = rules.response_state(
        is_staff=is_staff,
        is_confirmed_member=viewer is not None and viewer.is_confirmed,
        approved_before=await _approved_before(db, viewer),
        trapped=trapped,
        is_suspect=suspicion.falls_on(f"{draft.name}\n{draft.body}"),
    )
    comment = Comment(
        id=uuid4(),
        article_id=article.id,
        parent_id=parent.id if parent else None,
        user_id=viewer.user_id if viewer else None,
        name=draft.name,
        email=clean_email(draft.email),
        is_author=is_staff,
        body_md=draft.body,
        body_html=render_response(draft.body),
        state=state,
        ip=ip[:45],
        created_at=now,
        moderated_at=now if is_staff else None,
    )
    db.add(comment)
    await db.flush()
    if draft.wants_replies and state != "spam":
        # A member's address was confirmed with the account.
        await following.ask(db, comment, is_proven=viewer is not None and viewer.is_confirmed, now=now)
    if state == "approved":
        await following.on_shown(db, comment, now)
    if state != "spam" and not is_staff:
        await _tell_staff(db, article, comment, notify)
    return comment


async def _approved_before(db: AsyncSession, viewer: Viewer | None) -> int:
    if viewer is None:
        return 0
    return (
        await db.scalar(
            select(func.count()).where(Comment.user_id == viewer.user_id, Comment.state == "approved")
        )
    ) or 0


async def _tell_staff(db: AsyncSession, article: Article, comment: Comment, notify: Sequence[str]) -> None:
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
            workflow_id=f"mail:response:{comment.id}:{address}",
        )
