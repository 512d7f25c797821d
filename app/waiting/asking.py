"""Waiting for a topic: asked for with an address, confirmed by mail, ended with one click."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import links, throttle
from app.accounts.links import Claims, Purpose
from app.accounts.rules import Bucket, clean_email, letter_buckets
from app.articles import pacing
from app.catalog.models import Lesson
from app.errors import Conflict, LinkExpired, NotFound, TooMany
from app.i18n import _
from app.jobs import enqueue
from app.waiting.models import Topic, Waiting
from app.waiting.rules import QUESTIONS_ADDRESS, question_buckets
from app.waiting.standing import Standing, standing_of, standings


async def topic_of_lesson(db: AsyncSession, lesson_id: UUID, now: datetime) -> UUID:
    """The topic of an announced lesson, made when somebody asks for the first time.

    Raises:
        NotFound: when there is no such lesson.
    """
    title = await db.scalar(select(Lesson.title).where(Lesson.id == lesson_id))
    if title is None:
        raise NotFound
    made = insert(Topic).values(id=uuid4(), title=title, summary="", lesson_id=lesson_id, created_at=now)
    await db.execute(made.on_conflict_do_nothing(index_elements=["lesson_id"]))
    return (await db.scalars(select(Topic.id).where(Topic.lesson_id == lesson_id))).one()


async def ask(
    db: AsyncSession,
    topic_id: UUID,
    email: str,
    *,
    ip: str,
    is_proven: bool,
    is_worked: bool,
    trapped: bool = False,
    article_id: UUID | None = None,
    now: datetime,
) -> None:
    """Remember the address and mail the question whether it is theirs. `is_proven`: it is known to be.

    `is_worked`: something was paid for the form. Without it, only a few questions of the whole site go out in an hour,
    and the others wait (`telling.ask_held`): nobody mails strangers in bulk through us.

    The answer is the same for every address, so that nothing can be learned from it. `trapped`: a field that people
    cannot see was filled in, by a program or by a browser that fills in forms. Unless it is a member's own, the address
    is kept and marked, and not mailed: a program that fills in everything gives strangers' addresses. Staff see it, and
    have it asked (`suspects.have_asked`).

    Raises:
        BadInput: when this is no e-mail address.
        NotFound: when there is no such topic in sight.
        Conflict: when it is out, so there is nothing to wait for.
        TooMany: after too many from one place, or for one address.
    """
    address = clean_email(email)
    found = await _awaited(db, topic_id, now)
    allowed = await pacing.may_write(db, "wait", ip, now)
    a_day = Bucket(f"wait:{address}", QUESTIONS_ADDRESS)
    if not allowed or not await throttle.allow(db, [*letter_buckets(address, ip), a_day], now):
        raise TooMany
    is_suspect = trapped and not is_proven
    waiting = await _kept(db, topic_id, address, article_id, now, is_trapped=is_suspect)
    if waiting.ended_at is not None:
        waiting.ended_at, waiting.confirmed_at, waiting.asked_at = None, None, now
        waiting.is_trapped = is_suspect
    # Never the other way: a program must not mark whom it did not write for.
    waiting.is_trapped = waiting.is_trapped and is_suspect
    if is_proven:
        waiting.confirmed_at = waiting.confirmed_at or now
    elif waiting.confirmed_at is None and not is_suspect:
        if await throttle.allow(db, question_buckets(is_worked=is_worked), now):
            await question(db, waiting, found, now)
        else:
            waiting.held_at = waiting.held_at or now
    await db.flush()


async def _awaited(db: AsyncSession, topic_id: UUID, now: datetime) -> Standing:
    row = (await db.execute(standings(now).where(Topic.id == topic_id))).first()
    found = standing_of(row) if row else None
    if found is None or not (found.is_soon or found.is_out):
        raise NotFound
    if found.is_out:
        raise Conflict(_("It is out: you can see it now."))
    return found


async def _kept(
    db: AsyncSession,
    topic_id: UUID,
    address: str,
    article_id: UUID | None,
    now: datetime,
    *,
    is_trapped: bool,
) -> Waiting:
    made = insert(Waiting).values(
        id=uuid4(),
        topic_id=topic_id,
        email=address,
        article_id=article_id,
        asked_at=now,
        is_trapped=is_trapped,
    )
    await db.execute(made.on_conflict_do_nothing(index_elements=["topic_id", "email"]))
    wanted = select(Waiting).where(Waiting.topic_id == topic_id, Waiting.email == address)
    return (await db.scalars(wanted.with_for_update())).one()


async def question(db: AsyncSession, waiting: Waiting, found: Standing, now: datetime) -> None:
    """Mail the address whether it wants to wait: once in an hour, however often somebody presses the button."""
    waiting.held_at = None
    context = {
        "title": found.title,
        "url": links.url(Purpose.WAIT, Claims(str(waiting.id), "", {}), now),
    }
    await enqueue(
        db,
        "send_mail",
        {"template": "wait_confirm", "to": waiting.email, "context": context},
        workflow_id=f"mail:wait:{waiting.id}:{now:%Y%m%d%H}",
    )


async def find(db: AsyncSession, token: str, purpose: Purpose, now: datetime) -> tuple[Waiting, Standing]:
    """Whose link this is, and for what they wait.

    Raises:
        LinkExpired: when it is forged or too old, or what it was about is gone.
    """
    claims = links.read(token, purpose, now)
    try:
        waiting = await db.get(Waiting, UUID(claims.subject))
    except ValueError:
        raise LinkExpired from None
    if waiting is None or "@" not in waiting.email:
        raise LinkExpired
    row = (await db.execute(standings(now).where(Topic.id == waiting.topic_id))).one()
    return waiting, standing_of(row)


async def confirm(db: AsyncSession, token: str, now: datetime) -> None:
    """The address is theirs, and waits.

    Raises:
        LinkExpired: as `find`.
    """
    waiting, _found = await find(db, token, Purpose.WAIT, now)
    waiting.confirmed_at, waiting.ended_at = waiting.confirmed_at or now, None
    await db.flush()


async def end(db: AsyncSession, token: str, now: datetime, *, everywhere: bool = False) -> None:
    """No mail about this topic, or about any: so too when this one's mail, which carries the link, was the only one.

    Raises:
        LinkExpired: as `find`.
    """
    waiting, _found = await find(db, token, Purpose.UNWAIT, now)
    of_all = everywhere or waiting.told_at is not None
    which = Waiting.email == waiting.email if of_all else Waiting.id == waiting.id
    for row in await db.scalars(select(Waiting).where(which, Waiting.ended_at.is_(None))):
        row.ended_at = now
    await db.flush()


async def count_others(db: AsyncSession, waiting: Waiting) -> int:
    """How many more topics this address waits for."""
    wanted = select(func.count()).where(
        Waiting.email == waiting.email,
        Waiting.id != waiting.id,
        Waiting.ended_at.is_(None),
        Waiting.told_at.is_(None),
    )
    return await db.scalar(wanted) or 0
