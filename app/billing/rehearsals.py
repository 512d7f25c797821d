"""Rehearsals that staff ask for in the studio: the command's work, done by a worker, and what it said."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db, jobs
from app.billing import stripe_api
from app.billing.rehearsal_models import BillingRehearsal
from app.clock import utcnow
from app.errors import Conflict
from app.i18n import _
from app.jobs import engine

# At Stripe each move of the clock takes up to a minute, and there are six.
MOST = timedelta(minutes=20)
LONGEST_LINE = 1_000_000


async def latest(session: AsyncSession) -> BillingRehearsal | None:
    """The one that was asked for last."""
    found: BillingRehearsal | None = await session.scalar(
        select(BillingRehearsal).order_by(BillingRehearsal.asked_at.desc()).limit(1)
    )
    return found


async def begin(session: AsyncSession, actor_id: UUID, now: datetime, *, at_stripe: bool) -> UUID:
    """Have a worker play one; answers its id.

    Raises:
        Conflict: one is being played, or `at_stripe` without a key of test mode.
    """
    if at_stripe:
        stripe_api.require_test_key()
    playing = await latest(session)
    if playing is not None and playing.state == "playing" and playing.asked_at > now - MOST:
        raise Conflict(_("A rehearsal is being played already. It takes a minute or two."))
    row = BillingRehearsal(asked_by_id=actor_id, asked_at=now, at_stripe=at_stripe)
    session.add(row)
    await session.flush()
    await jobs.enqueue(
        session, "billing_rehearse", {"rehearsal_id": str(row.id)}, workflow_id=f"rehearsal:{row.id}"
    )
    return row.id


async def play(rehearsal_id: UUID) -> None:
    """Run the command, and keep what it says step by step. Begun again, it starts from nothing."""
    async with db.transaction() as session:
        row = await session.get(BillingRehearsal, rehearsal_id)
        if row is None:
            return
        row.steps = []
        words = ["--with-stripe"] if row.at_stripe else []
    steps: list[Any] = []
    try:
        async with asyncio.timeout(MOST.total_seconds()):
            state, problem = await _run(rehearsal_id, words, steps)
    except TimeoutError:
        state, problem = (
            "failed",
            _("It was not over after {minutes} minutes.").format(minutes=int(MOST.total_seconds() / 60)),
        )
    await _write(rehearsal_id, steps=steps, state=state, problem=problem, ended_at=utcnow())


async def _run(rehearsal_id: UUID, words: list[str], steps: list[Any]) -> tuple[str, str]:
    """Its state and problem at the end."""
    # Other people's settings are none of its business: the command leaves them alone by itself.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "billing", "rehearse", "--json", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said = asyncio.ensure_future(process.stderr.read())
    try:
        async for step in _steps(process.stdout):
            steps.append(step)
            await _write(rehearsal_id, steps=list(steps))
        code = await process.wait()
    except BaseException:
        # It takes its own processes and its folder with it.
        process.terminate()
        await process.wait()
        raise
    finally:
        problem = (await said).decode("utf-8", "replace").strip()
    if code == 0:
        return "right", ""
    if any(step["wrong"] for step in steps) or "Went wrong:" in problem:
        return "wrong", ""
    return "failed", problem[-2000:]


async def _steps(stream: asyncio.StreamReader) -> AsyncIterator[Any]:
    async for line in stream:
        try:
            yield json.loads(line)
        except ValueError:
            continue


async def _write(rehearsal_id: UUID, **values: Any) -> None:
    async with db.transaction() as session:
        await session.execute(
            update(BillingRehearsal).where(BillingRehearsal.id == rehearsal_id).values(**values)
        )


@engine.step()
async def _play_step(rehearsal_id: str) -> None:
    await play(UUID(rehearsal_id))


@engine.workflow("billing_rehearse")
async def billing_rehearse(rehearsal_id: str) -> None:
    """One rehearsal."""
    await _play_step(rehearsal_id)
