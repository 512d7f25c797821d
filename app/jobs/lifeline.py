"""Heartbeats of workers and the take-over of a dead worker's unfinished work."""

import asyncio
import os
import socket
from datetime import datetime, timedelta
from uuid import uuid4

import psutil
from sqlalchemy import delete, select, text, update

from app import db
from app.clock import utcnow
from app.jobs import engine
from app.jobs.models import WorkerHeartbeat

BEAT_S = 3.0
SILENT_S = 30.0
FORGET_AFTER = timedelta(days=2)

_PENDING = text(
    "SELECT DISTINCT executor_id FROM dbos.workflow_status WHERE status = 'PENDING' AND executor_id <> :me"
)


class TakenOver(RuntimeError):
    """Another worker declared this one dead (it was paused too long) and has its work: end at once."""


def new_executor_id() -> str:
    """Unique per process, so that nobody mistakes a new process for a dead one."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid4().hex[:8]}"


def is_dead(beat: WorkerHeartbeat, now: datetime, host: str) -> bool:
    """Silent for 30 s, or known to be gone because it ran on this very host and its process is no more."""
    if (now - beat.seen_at).total_seconds() > SILENT_S:
        return True
    if beat.host != host:
        return False
    try:
        process = psutil.Process(beat.pid)
        started_at = process.create_time()
    except psutil.NoSuchProcess:
        return True
    # A pid is used again after a while: a process younger than the heartbeat row is somebody else.
    return bool(process.status() == psutil.STATUS_ZOMBIE) or started_at > beat.started_at.timestamp() + 1


async def register(executor_id: str) -> None:
    async with db.transaction() as session:
        session.add(WorkerHeartbeat(executor_id=executor_id, host=socket.gethostname(), pid=os.getpid()))


async def unregister(executor_id: str) -> None:
    """A worker that ends properly leaves no silent heartbeat behind."""
    async with db.transaction() as session:
        await session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.executor_id == executor_id))


async def beat(executor_id: str) -> None:
    """Tell that this worker lives.

    Raises:
        TakenOver: when somebody declared it dead meanwhile.
    """
    async with db.transaction() as session:
        alive = await session.execute(
            update(WorkerHeartbeat)
            .where(WorkerHeartbeat.executor_id == executor_id, WorkerHeartbeat.taken_over_at.is_(None))
            .values(seen_at=utcnow())
            .returning(WorkerHeartbeat.executor_id)
        )
        if alive.first() is None:
            raise TakenOver(executor_id)


async def take_over(executor_id: str) -> list[str]:
    """Find executors that hold unfinished work and are dead, mark them, and requeue their work."""
    now, host = utcnow(), socket.gethostname()
    async with db.transaction() as session:
        holders = set((await session.execute(_PENDING, {"me": executor_id})).scalars())
        beats = {
            row.executor_id: row
            for row in await session.scalars(
                select(WorkerHeartbeat).where(WorkerHeartbeat.executor_id.in_(holders))
            )
        }
        dead = [name for name in holders if name not in beats or is_dead(beats[name], now, host)]
        for name in dead:
            if name in beats:
                beats[name].taken_over_at = now
        await session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < now - FORGET_AFTER))
    if dead:
        await asyncio.to_thread(engine.recover, dead)
    return dead


async def keep_alive(executor_id: str, stop: asyncio.Event) -> None:
    """Beat and look for dead workers every 3 s until `stop` is set.

    Raises:
        TakenOver: see `beat`.
    """
    while not stop.is_set():
        await beat(executor_id)
        await take_over(executor_id)
        try:
            await asyncio.wait_for(stop.wait(), BEAT_S)
        except TimeoutError:
            continue
