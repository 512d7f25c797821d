"""Durable work: written in the same transaction as its cause, done by a worker, resumed where it stopped."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DEFAULT = "default"
# A film's own work only waits for its parts: it must take no place of theirs, nor of a mail's.
FILMS = "films"
ENCODE = "encode"
# A site that moves in brings thousands: they must not stand before a film.
PICTURES = "pictures"
BILLING = "billing"
QUEUES = (DEFAULT, FILMS, ENCODE, PICTURES, BILLING)

_ENQUEUE = text(
    "SELECT dbos.enqueue_workflow(workflow_name => :name, queue_name => :queue,"
    " named_args => CAST(:args AS json), workflow_id => :workflow_id, app_version => :version,"
    " queue_partition_key => :key)"
)
# Raised only when a workflow's steps change incompatibly, so that an upgrade strands no work (house.md, decision 2).
APP_VERSION = "1"


async def enqueue(
    db: AsyncSession,
    workflow: str,
    args: dict[str, Any],
    *,
    queue: str = DEFAULT,
    key: str | None = None,
    workflow_id: str | None = None,
) -> str:
    """Add work to `queue` inside the caller's transaction: a rollback leaves no work.

    `key` is the partition of a partitioned queue (BILLING: the customer; work of one key runs in order, one at a
    time). A second call with the same `workflow_id` does nothing. Answers the workflow's id.

    Source: DBOS 3.4, `dbos.enqueue_workflow`.
    """
    row = await db.execute(
        _ENQUEUE,
        {
            "name": workflow,
            "queue": queue,
            "args": json.dumps(args),
            "workflow_id": workflow_id,
            "version": APP_VERSION,
            "key": key,
        },
    )
    return str(row.scalar_one())
