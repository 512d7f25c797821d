"""Who may not respond: an address with the browser it was used in, an account, or a network for a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.models import User
from app.accounts.permissions import Viewer
from app.accounts.rules import network, tidy
from app.articles.models import Ban, Comment
from app.articles.same_person import is_in, network_of, person_of
from app.articles.writers import Sender
from app.errors import BadInput, NotFound
from app.i18n import _

REASON_CHARS = 600
# A network changes hands: who is there in a month is somebody else.
NETWORK_DAYS = (1, 7, 30)


@dataclass(frozen=True)
class Target:
    """What is banned: `value` is a mailbox (an account's too, should it be closed and opened anew) or a network.

    `name` is for the list.
    """

    kind: str
    value: str
    name: str
    user_id: UUID | None = None
    writer: UUID | None = None


def _stands(now: datetime) -> ColumnElement[bool]:
    return Ban.lifted_at.is_(None) & or_(Ban.ends_at.is_(None), Ban.ends_at > now)


async def against(db: AsyncSession, sender: Sender, email: str, now: datetime) -> Ban | None:
    """The ban that keeps this sender from responding with this address, or None; first one that they may be told of.

    Members are known by their account, so a network's ban is not theirs.
    """
    if sender.is_staff:
        return None
    matches = [Ban.kind == "network", Ban.value == person_of(email)]
    if sender.user_id is not None:
        matches.append(Ban.user_id == sender.user_id)
    elif sender.writer is not None:
        matches.append(Ban.writer == sender.writer)
    rows = await db.scalars(select(Ban).where(_stands(now), or_(*matches)).order_by(Ban.created_at))
    found = [
        ban
        for ban in rows
        if ban.kind != "network" or (sender.viewer is None and is_in(sender.ip, ban.value))
    ]
    return min(found, key=lambda ban: not may_be_told(ban, sender), default=None)


def may_be_told(ban: Ban, sender: Sender) -> bool:
    """Whether the sender learns of it. Not by an address that is only typed: it is nobody else's business."""
    is_own = ban.user_id is not None and ban.user_id == sender.user_id
    return ban.kind == "network" or is_own or sender.is_confirmed


async def targets_of(db: AsyncSession, comment: Comment) -> list[Target]:
    """Who wrote a response, as far as that is known: the account or else the address, then the network.

    Nobody for staff's own.
    """
    user = await db.get(User, comment.user_id) if comment.user_id else None
    if comment.is_author or (user is not None and user.is_staff) or comment.state == "withdrawn":
        return []
    found = []
    if user is not None:
        found.append(Target("account", person_of(user.email), user.name, user_id=user.id))
    elif comment.email:
        found.append(Target("address", person_of(comment.email), comment.name, writer=comment.writer))
    if comment.ip:
        found.append(Target("network", network_of(network(comment.ip)), comment.name))
    return found


async def ban(
    db: AsyncSession,
    viewer: Viewer,
    target: Target,
    reason: str,
    now: datetime,
    *,
    days: int | None = None,
) -> Ban | None:
    """Ban somebody for good, or for so many days; a network never for good. None where that stands already.

    Raises:
        BadInput: (field "reason" or "days") when the reason is too long, or the days are none that may be chosen.
    """
    reason = tidy(reason.replace("\r\n", "\n")).strip()
    if len(reason) > REASON_CHARS:
        raise BadInput(_("Please keep this below 600 characters."), field="reason")
    if (days is None and target.kind == "network") or (days is not None and days not in NETWORK_DAYS):
        raise BadInput(_("Please choose how long."), field="days")
    ends_at = now + timedelta(days=days) if days else None
    standing = await db.scalars(
        select(Ban)
        .where(_stands(now), Ban.kind == target.kind, Ban.value == target.value)
        .order_by(Ban.created_at)
    )
    for one in standing:
        if (one.ends_at is None or (ends_at is not None and one.ends_at >= ends_at)) and (
            target.writer in (None, one.writer)
        ):
            return None
    made = Ban(
        id=uuid4(),
        kind=target.kind,
        value=target.value,
        name=target.name,
        user_id=target.user_id,
        writer=target.writer,
        reason=reason,
        created_at=now,
        created_by=viewer.user_id,
        ends_at=ends_at,
    )
    db.add(made)
    await db.flush()
    audit.record(db, viewer.user_id, "response.ban", "ban", made.id, kind=target.kind)
    return made


async def ban_writers(
    db: AsyncSession, viewer: Viewer, ids: Sequence[UUID], reason: str, now: datetime
) -> list[UUID]:
    """Ban whoever wrote these responses, by account or else by address; answers the new bans."""
    made = []
    for comment in await db.scalars(select(Comment).where(Comment.id.in_(ids)).order_by(Comment.created_at)):
        for target in (await targets_of(db, comment))[:1]:
            if target.kind != "network" and (new := await ban(db, viewer, target, reason, now)):
                made.append(new.id)
    return made


async def others_of(db: AsyncSession, comment: Comment, limit: int) -> list[UUID]:
    """What else came from the same account or browser and is held or shown. Not by address: that is only typed."""
    if comment.user_id is not None:
        who: ColumnElement[bool] = Comment.user_id == comment.user_id
    elif comment.writer is not None:
        who = Comment.writer == comment.writer
    else:
        return []
    rows = await db.scalars(
        select(Comment.id)
        .where(who, Comment.id != comment.id, Comment.state.in_(("pending", "approved")))
        .order_by(Comment.created_at.desc())
        .limit(limit)
    )
    return list(rows)


async def lift(db: AsyncSession, viewer: Viewer, ids: Sequence[UUID], now: datetime) -> int:
    """They may respond again; answers how many bans stood."""
    rows = list(
        await db.scalars(select(Ban).where(Ban.id.in_(ids), Ban.lifted_at.is_(None)).with_for_update())
    )
    for one in rows:
        one.lifted_at = now
        audit.record(db, viewer.user_id, "response.unban", "ban", one.id, kind=one.kind)
    await db.flush()
    return len(rows)


async def restore(db: AsyncSession, viewer: Viewer, ban_id: UUID) -> None:
    """Take back that a ban was lifted.

    Raises:
        NotFound: when there is none, or it was not lifted.
    """
    one = await db.scalar(select(Ban).where(Ban.id == ban_id, Ban.lifted_at.is_not(None)).with_for_update())
    if one is None:
        raise NotFound
    one.lifted_at = None
    audit.record(db, viewer.user_id, "response.ban", "ban", one.id, kind=one.kind)
    await db.flush()


async def standing(db: AsyncSession, now: datetime) -> list[tuple[Ban, str | None]]:
    """Every ban that stands, the newest first, with who pronounced it."""
    rows = await db.execute(
        select(Ban, User.name)
        .outerjoin(User, User.id == Ban.created_by)
        .where(_stands(now))
        .order_by(Ban.created_at.desc(), Ban.id)
        .limit(500)
    )
    return [(row[0], row[1]) for row in rows]


def typed_target(typed: str) -> Target:
    """An address or a network that a teacher wrote.

    Raises:
        BadInput: (field "who") when it is neither.
    """
    typed = " ".join(tidy(typed).split())
    if "@" in typed:
        try:
            return Target("address", person_of(typed), typed[:120])
        except BadInput as refusal:
            raise BadInput(refusal.sentence, field="who") from None
    return Target("network", network_of(typed), "")
