"""The durable-work engine (DBOS) as Limber runs it: own executor ids, fixed version, named queues, schedules."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID, WorkflowHandleAsync

from app import jobs
from app.db import libpq_url

P = ParamSpec("P")
R = TypeVar("R")
Async = Callable[P, Awaitable[R]]
Schedule = tuple[str, str, Callable[..., Awaitable[None]]]

# How soon a workflow notices that a part of it is done.
PART_POLL_S = 0.5

# How often each worker looks into each queue.
POLL_S = dict.fromkeys(jobs.QUEUES, 0.5)

_schedules: list[Schedule] = []


def workflow(name: str) -> Callable[[Async[P, R]], Async[P, R]]:
    """Register an async function as durable work under `name`; its arguments are JSON and its steps `step`s."""
    return cast("Callable[[Async[P, R]], Async[P, R]]", DBOS.workflow(name=name, max_recovery_attempts=50))


def step(
    *, tries: int = 1, first_wait_s: float = 1.0, final: tuple[type[Exception], ...] = ()
) -> Callable[[Async[P, R]], Async[P, R]]:
    """Register a checkpointed step. With `tries` > 1 errors are retried, waits doubling from `first_wait_s`.

    Errors of the kinds in `final` are not: they reach the workflow at once and as they are, the others wrapped in the
    engine's own when the tries are used up. A step may run twice (killed before its result was recorded), so it must
    be idempotent.
    """
    return cast(
        "Callable[[Async[P, R]], Async[P, R]]",
        DBOS.step(
            retries_allowed=tries > 1,
            max_attempts=tries,
            interval_seconds=first_wait_s,
            backoff_rate=2.0,
            should_retry=lambda error: not isinstance(error, final),
        ),
    )


async def sleep(seconds: float) -> None:
    """Wait inside a workflow; a restart goes on waiting for the rest of the time."""
    await DBOS.sleep_async(seconds)


async def begin_part(
    queue: str, part: Async[P, R], workflow_id: str, urgency: int, *args: P.args, **kwargs: P.kwargs
) -> WorkflowHandleAsync[R]:
    """From inside a workflow, queue a part of its work, which any worker may do; `result_of` waits for it.

    Of all that waits in a queue the lowest `urgency` (from 1) is begun first, then the oldest. Queued once for each
    `workflow_id`, however often the workflow is resumed.
    """
    with SetWorkflowID(workflow_id), SetEnqueueOptions(priority=urgency):
        return await DBOS.enqueue_workflow_async(queue, cast(Any, part), *args, **kwargs)


async def result_of(handle: WorkflowHandleAsync[R]) -> R:
    """Wait for a part's result.

    Raises:
        Exception: what the part ended with.
    """
    return await handle.get_result(polling_interval_sec=PART_POLL_S)


def scheduled(name: str, cron: str) -> Callable[[Async[P, None]], Async[P, None]]:
    """Run `async (at: datetime, context) -> None` by `cron` (UTC, five fields), once over all workers."""

    def register(function: Async[P, None]) -> Async[P, None]:
        registered = workflow(name)(function)
        _schedules.append((name, cron, cast("Callable[..., Awaitable[None]]", registered)))
        return registered

    return register


def migrate(database_url: str) -> None:
    """Create or migrate the engine's own schema (`dbos`)."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
    DBOS.migrate(libpq_url(database_url))


def start(database_url: str, executor_id: str) -> None:
    """Launch the engine inside the running event loop; workflows run on that loop.

    Blocks for a moment (it opens connections): call it from a coroutine before serving anything else.
    """
    config: DBOSConfig = {
        "name": "limber",
        "system_database_url": libpq_url(database_url),
        "application_version": jobs.APP_VERSION,
        "executor_id": executor_id,
        "enable_otlp": False,
        "log_level": "WARNING",
        "run_migrations": False,
        "scheduler_polling_interval_sec": 10.0,
    }
    DBOS(config=config)
    DBOS.launch()


async def register_queues(*, encode_concurrency: int) -> None:
    """Declare the queues and schedules. Encodes are few at a time; billing is strictly ordered per customer."""
    await DBOS.register_queue_async(
        jobs.DEFAULT, worker_concurrency=20, polling_interval_sec=POLL_S[jobs.DEFAULT]
    )
    await DBOS.register_queue_async(
        jobs.PICTURES, worker_concurrency=1, polling_interval_sec=POLL_S[jobs.PICTURES]
    )
    await DBOS.register_queue_async(
        jobs.FILMS, worker_concurrency=200, polling_interval_sec=POLL_S[jobs.FILMS]
    )
    await DBOS.register_queue_async(
        jobs.ENCODE, worker_concurrency=encode_concurrency, polling_interval_sec=POLL_S[jobs.ENCODE]
    )
    await DBOS.register_queue_async(
        jobs.BILLING,
        partition_concurrency=1,
        worker_concurrency=8,
        polling_interval_sec=POLL_S[jobs.BILLING],
    )
    await DBOS.apply_schedules_async(
        [
            {"schedule_name": name, "workflow_fn": cast(Any, function), "schedule": cron}
            for name, cron, function in _schedules
        ]
    )


def stop(wait_s: int) -> None:
    """Stop taking work; give running work `wait_s` seconds. What is unfinished is taken over by another worker."""
    DBOS.destroy(workflow_completion_timeout_sec=wait_s)


def recover(executor_ids: list[str]) -> None:
    """Hand the unfinished work of dead executors to the queue again; the hand-over is atomic per workflow."""
    DBOS._recover_pending_workflows(executor_ids)
