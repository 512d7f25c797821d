"""Messages from the contact page: stored, mailed to the practice once, and marked when they are dealt with."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.accounts.rules import clean_email
from app.articles import pacing
from app.articles.models import ContactMessage
from app.articles.rules import MessageDraft
from app.errors import NotFound
from app.jobs import enqueue
from app.mail import in_header


async def send(
    db: AsyncSession,
    draft: MessageDraft,
    *,
    trapped: bool,
    is_worked: bool,
    notify: Sequence[str],
    now: datetime,
) -> ContactMessage:
    """Keep a checked message and mail it on, with the writer as Reply-To.

    `trapped`: a field that people cannot see was filled in; the message is kept among the handled ones, unmailed.
    `is_worked`: the sender's browser did its work, or they are a member. Of messages without it only a few are mailed
    each hour, so that a flood fills the studio's list and not her mailbox; the others wait there.
    """
    email = clean_email(draft.email)
    is_held = trapped or not await pacing.may_pass_on(db, is_worked=is_worked, now=now)
    message = ContactMessage(
        id=uuid4(),
        name=draft.name,
        email=email,
        phone=draft.phone,
        body=draft.body,
        created_at=now,
        handled_at=now if trapped else None,
        is_held=is_held,
    )
    db.add(message)
    await db.flush()
    if not is_held:
        for address in notify:
            context = {
                "name": draft.name,
                "email": email,
                "phone": draft.phone,
                "words": draft.body,
                "reply_to": formataddr((in_header(draft.name), email)),
            }
            await enqueue(
                db,
                "send_mail",
                {"template": "new_message", "to": address, "context": context},
                workflow_id=f"mail:message:{message.id}:{address}",
            )
    return message


async def set_handled(
    db: AsyncSession, viewer: Viewer, message_id: UUID, *, handled: bool, now: datetime
) -> ContactMessage:
    """Mark a message as dealt with, or take that back.

    Raises:
        NotFound: when it is gone.
    """
    message = await db.get(ContactMessage, message_id)
    if message is None:
        raise NotFound
    message.handled_at = now if handled else None
    action = "message.handle" if handled else "message.reopen"
    audit.record(db, viewer.user_id, action, "message", message.id)
    return message
