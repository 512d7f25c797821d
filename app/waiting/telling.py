"""The worker's part of waiting lists: one mail to each confirmed address, once, when what it waits for is out."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts import links, throttle
from app.accounts.links import Claims, Purpose
from app.clock import utcnow
from app.jobs import engine, enqueue
from app.settings import get_settings
from app.waiting import asking
from app.waiting.models import Topic, Waiting
from app.waiting.rules import KEPT_AFTER, UNANSWERED, question_buckets
from app.waiting.standing import Standing, columns, is_out, joined, standing_of

BATCH = 200


@engine.scheduled("tell_waiting", "* * * * *")
async def tell(_at: datetime, _context: Any) -> None:
    """Every minute: send what is due, in batches, until nothing is left."""
    while await _next_batch() == BATCH:
        pass


@engine.step(tries=3)
async def _next_batch() -> int:
    async with db.transaction() as session:
        return await send_due(session, utcnow())


async def send_due(session: AsyncSession, now: datetime) -> int:
    """Enqueue mail for at most 200 addresses whose topic is out and mark them told, in one transaction.

    Several workers may run it side by side: rows that another one holds are skipped. A worker that is killed before
    the commit has sent nothing; after it, the mail is durable work. Answers how many were sent.
    """
    wanted = joined(select(Waiting, *columns(now)).join(Topic, Topic.id == Waiting.topic_id)).where(
        Waiting.told_at.is_(None),
        Waiting.confirmed_at.is_not(None),
        Waiting.ended_at.is_(None),
        is_out(now),
    )
    rows = await session.execute(
        wanted.order_by(Waiting.confirmed_at, Waiting.id)
        .limit(BATCH)
        .with_for_update(of=Waiting, skip_locked=True)
    )
    sent = 0
    for waiting, *rest in rows:
        await _letter(session, waiting, standing_of(rest), now)
        waiting.told_at = now
        sent += 1
    await session.flush()
    return sent


@engine.scheduled("ask_held", "*/10 * * * *")
async def ask_later(_at: datetime, _context: Any) -> None:
    """Every ten minutes: the questions that were too many at once."""
    await _ask_some()


@engine.step(tries=3)
async def _ask_some() -> None:
    async with db.transaction() as session:
        await ask_held(session, utcnow())


async def ask_held(session: AsyncSession, now: datetime) -> int:
    """Mail questions that wait, the oldest first, as many as the hour still allows without work; answers how many."""
    wanted = joined(select(Waiting, *columns(now)).join(Topic, Topic.id == Waiting.topic_id)).where(
        Waiting.held_at.is_not(None), Waiting.confirmed_at.is_(None), Waiting.ended_at.is_(None)
    )
    rows = await session.execute(
        wanted.order_by(Waiting.held_at, Waiting.id)
        .limit(BATCH)
        .with_for_update(of=Waiting, skip_locked=True)
    )
    asked = 0
    for waiting, *rest in rows:
        found = standing_of(rest)
        if not found.is_soon:
            waiting.held_at = None
        elif await throttle.allow(session, question_buckets(is_worked=False), now):
            await asking.question(session, waiting, found, now)
            asked += 1
        else:
            break
    await session.flush()
    return asked


async def _letter(session: AsyncSession, waiting: Waiting, found: Standing, now: datetime) -> None:
    digest = hashlib.sha256(waiting.email.encode()).hexdigest()[:32]
    context = {
        "title": found.title,
        "thing": found.thing,
        "name": found.name,
        "course": found.course,
        "summary": found.about,
        "url": f"{get_settings().base_url}{found.path}",
        "unsubscribe_url": links.url(Purpose.UNWAIT, Claims(str(waiting.id), "", {}), now),
    }
    await enqueue(
        session,
        "send_mail",
        {"template": "topic_out", "to": waiting.email, "context": context},
        workflow_id=f"mail:topic_out:{found.id}:{digest}",
    )


@engine.scheduled("forget_waiting", "23 3 * * *")
async def forget(_at: datetime, _context: Any) -> None:
    """Every night: addresses that have served their purpose, or never were confirmed."""
    await _forget_waiting()


@engine.step(tries=3)
async def _forget_waiting() -> None:
    async with db.transaction() as session:
        await forget_old(session, utcnow())


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Delete what was ended or never confirmed; of those told 30 days ago keep only that they asked."""
    await session.execute(
        delete(Waiting).where(
            Waiting.told_at.is_(None),
            (Waiting.ended_at < now - KEPT_AFTER)
            | (Waiting.confirmed_at.is_(None) & (Waiting.asked_at < now - UNANSWERED)),
        )
    )
    await session.execute(
        update(Waiting)
        .where(Waiting.told_at < now - KEPT_AFTER, Waiting.email.contains("@"))
        .values(email=cast(Waiting.id, String))
    )
