"""Messages from the contact page: stored, mailed to the practice once, and marked when they are dealt with."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr
from uuid import UUID, uuid4

from sqlalchemy import select
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

    `trapped`: a field that people cannot see was filled in, by a program or by a browser that fills in forms for
    somebody; the message is marked and not mailed, and waits in the studio like every other, so that none is lost.
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
        is_held=is_held,
        is_trapped=trapped,
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


async def handle_trapped(db: AsyncSession, viewer: Viewer, ids: Sequence[UUID], now: datetime) -> int:
    """Mark those of `ids` as dealt with that look like spam and are open; answers how many.

    Only what was on the page that she looked at: what arrived since waits for her.
    """
    found = await db.scalars(
        select(ContactMessage)
        .where(ContactMessage.id.in_(ids), ContactMessage.is_trapped, ContactMessage.handled_at.is_(None))
        .with_for_update()
    )
    count = 0
    for message in found:
        message.handled_at = now
        audit.record(db, viewer.user_id, "message.handle", "message", message.id)
        count += 1
    return count
